"""Flags that describe a model, a cluster and a strategy; shared by ``predict``, ``plan`` and ``schedule``."""

from __future__ import annotations

from argparse import ArgumentParser


def cluster_options(parser: ArgumentParser, *, required: bool = True) -> None:
    """``--cluster`` and ``--calibration``."""
    parser.add_argument(
        "--cluster", metavar="NAMExN", required=required, help="a100x512 (`intarsia chips` lists names), or a file"
    )
    parser.add_argument("--calibration", metavar="FILE", default="", help="efficiencies that `calibrate` wrote")


def run_options(parser: ArgumentParser) -> None:
    """Words of a run that a table may state row by row."""
    parser.add_argument("--recompute", metavar="WORD", default="", help="none, selective or full")
    parser.add_argument("--attention", metavar="WORD", default="flash", help="flash (default) or eager")
    parser.add_argument("--dtype", metavar="WORD", default="bf16", help="bf16 (default), fp16 or fp8")
    parser.add_argument("--grad-dtype", metavar="WORD", default="fp32", help="fp32 (default), bf16 or fp16")
    parser.add_argument("--schedule", metavar="WORD", default="1f1b", help="1f1b (default) or zero-bubble")


def model_options(parser: ArgumentParser) -> None:
    """``--model``, or the sizes of one."""
    parser.add_argument("--model", metavar="NAME", default="", help="a name (`intarsia models`) or a config.json")
    for name, text in (
        ("hidden", "channels of a token"),
        ("heads", "of queries"),
        ("kv-heads", "of keys and values (default: as many)"),
        ("ffn", "inner width of the feed-forward part (default: 4 × hidden; gated: 8/3)"),
        ("layers", "blocks"),
        ("vocab", "tokens (default 50257)"),
        ("experts", "routed experts of a block"),
        ("top-k", "experts of a token"),
    ):
        parser.add_argument(f"--{name}", metavar="N", type=int, default=0, help=text)
    parser.add_argument("--gated", action="store_true", help="Llama's block instead of GPT's")


def degree_options(parser: ArgumentParser) -> None:
    """The degrees of a strategy."""
    for name, default, text in (
        ("gpus", 0, "devices (default: the product of the degrees)"),
        ("tp", 1, "tensor parallel"),
        ("pp", 1, "pipeline stages"),
        ("dp", 0, "replicas (default: what is left of the devices)"),
        ("cp", 1, "context parallel"),
        ("ep", 1, "expert parallel"),
        ("microbatch", 1, "sequences of a microbatch"),
        ("global-batch", 0, "sequences of an iteration"),
        ("seq", 0, "tokens of a sequence (default: the model's own)"),
        ("interleave", 1, "chunks of layers of a stage"),
        ("zero", 0, "what is cut over replicas: 0 nothing, 1 optimizer, 2 gradients, 3 weights"),
    ):
        parser.add_argument(f"--{name}", metavar="N", type=int, default=default, help=text)
    parser.add_argument("--sequence-parallel", action="store_true", help="norms and dropouts on 1/tp of the tokens")
