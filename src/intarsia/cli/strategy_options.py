"""Flags that describe a model, a cluster and a strategy; shared by ``predict``, ``plan``, ``schedule``, ``calibrate``.

Flags of one kind share a line or two of the help, so that it stays on a screen.
"""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser

SIZES = """\
--hidden --heads --layers N (with --seq), and where they differ from GPT-2's:
--kv-heads N (heads), --ffn N (4 × hidden; gated: 8/3), --vocab N (50257),
--experts N --top-k N, --gated (Llama's block)"""


def cluster_options(parser: ArgumentParser, *, required: bool = True) -> None:
    """``--cluster`` and ``--calibration``."""
    parser.add_argument(
        "--cluster", metavar="NAMExN", required=required, help="a100x512 (`intarsia chips` lists names), or a file"
    )
    calibration_option(parser)


def calibration_option(parser: ArgumentParser) -> None:
    """``--calibration``."""
    parser.add_argument("--calibration", metavar="FILE", default="", help="efficiencies that `calibrate` wrote")


def run_options(parser: ArgumentParser) -> None:
    """Words of a run that a table may state row by row."""
    words = parser.add_argument_group("how it runs")
    words.add_argument("--recompute", metavar="WORD", default="", help="none, selective or full")
    words.add_argument("--attention", metavar="WORD", default="flash", help="flash (default) or eager")
    words.add_argument("--dtype", metavar="WORD", default="bf16", help="bf16 (default), fp16 or fp8")
    words.add_argument("--grad-dtype", metavar="WORD", default="fp32", help="fp32 (default), bf16 or fp16")
    words.add_argument("--schedule", metavar="WORD", default="1f1b", help="1f1b (default) or zero-bubble")


def model_options(parser: ArgumentParser) -> None:
    """``--model``, or the sizes of one."""
    parser.add_argument("--model", metavar="NAME", default="", help="a name (`intarsia models`) or a config.json")
    sizes = parser.add_argument_group("instead of --model", SIZES)
    for name in ("hidden", "heads", "kv-heads", "ffn", "layers", "vocab", "experts", "top-k"):
        sizes.add_argument(f"--{name}", metavar="N", type=int, help=SUPPRESS)
    sizes.add_argument("--gated", action="store_true", help=SUPPRESS)


def degree_options(parser: ArgumentParser) -> None:
    """The degrees of a strategy."""
    degrees = parser.add_argument_group("the strategy")
    parallel = "tensor parallel; also --pp pipeline, --dp data, --cp context, --ep expert"
    for name, default, text in (
        ("tp", 1, parallel), ("pp", 1, SUPPRESS), ("dp", None, SUPPRESS), ("cp", 1, SUPPRESS), ("ep", 1, SUPPRESS)
    ):  # fmt: skip
        degrees.add_argument(f"--{name}", metavar="N", type=int, default=default, help=text)
    for name, default, text in (
        ("gpus", None, "devices (default: the cluster's); dp is what is left"),
        ("global-batch", None, "sequences of an iteration"),
        ("microbatch", 1, "sequences of a microbatch (default 1)"),
        ("seq", 0, "tokens of a sequence (default: the model's own)"),
        ("interleave", 1, "chunks of layers of a stage (default 1)"),
        ("zero", 0, "replicas share: 1 optimizer, 2 gradients, 3 weights"),
    ):
        degrees.add_argument(f"--{name}", metavar="N", type=int, default=default, help=text)
    degrees.add_argument("--sequence-parallel", action="store_true", help="norms and dropouts on 1/tp of the tokens")
