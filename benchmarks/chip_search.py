"""The best chip of a space for training on 1024 of them, with its certificate.

    python benchmarks/chip_search.py [--models NAME,NAME|all] [--together] [--space NAME] [--objective WHAT]
        [--hbm GIB,GIB] [--workers N] [--audit N] [--json FILE]

All chips, all plans (degrees, microbatch, schedule, ZeRO, recomputation, layers of each stage), global batch 4096, from
a cold start: nothing is taken from the store. Sequence lengths are the models' own, as in the published evaluation.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from command import options, read, write

from intarsia.cli.search import search_json
from intarsia.flow.search_question import Wanted
from intarsia.flow.searching import SearchAnswer, search_chip

DEVICES, BATCH = 1024, 4096
MODELS = (
    "bert-large", "gpt2-xl", "opt-350m", "llama2-7b", "megatron-bert-large", "megatron-gpt2-2.5b",
    "megatron-gpt2-8.3b", "gpt3-175b",
)  # fmt: skip


def main() -> None:
    """Print a line for each search."""
    parser = options(__doc__)
    add = parser.add_argument
    add("--models", metavar="NAMES", default="gpt3-175b", help="of the eight, or all (default gpt3-175b)")
    add("--together", action="store_true", help="one chip for all of them, by the geometric mean")
    add("--space", metavar="NAME", default="phaze", help="of chips (default phaze)")
    add("--objective", metavar="WHAT", default="throughput", help="as of `intarsia search` (default throughput)")
    add("--front", metavar="WHAT", default="", help="as of `intarsia search` (default: the best chip alone)")
    add("--tolerance", metavar="F", type=float, default=0.0, help="of the front (default 0)")
    add("--hbm", metavar="GIB,GIB", default="", help="capacities (default: the space's)")
    add("--workers", metavar="N", type=int, default=0, help="processes (default: one to each core)")
    add("--audit", metavar="N", type=int, default=0, help="removed chips to evaluate in full")
    arguments = read(parser)
    names = MODELS if arguments.models == "all" else tuple(arguments.models.split(","))
    print(f"{'models':<20} {'chip':<60} {'score':>9} {'gap':>7} {'evaluated':>9} {'cut':>5} {'search':>8} {'audit':>9}")
    rows: list[dict[str, Any]] = []
    for group in (names,) if arguments.together else tuple((name,) for name in names):
        with tempfile.TemporaryDirectory() as folder:
            answer = search_chip(
                group,
                f"tpuv4x{DEVICES}",
                BATCH,
                Wanted(objective=arguments.objective, front=arguments.front, tolerance=arguments.tolerance),
                space=arguments.space,
                hbm_gib=tuple(int(gib) for gib in arguments.hbm.split(",") if gib),
                audited=arguments.audit,
                workers=arguments.workers,
                store=Path(folder) / "results.sqlite",
            )
        show(group, answer)
        rows.append(search_json(answer))
    write(arguments.json, rows)


def show(group: tuple[str, ...], answer: SearchAnswer) -> None:
    """A search's line."""
    found, proof = answer.searched, answer.searched.certificate
    audited = "" if answer.audit is None else f"{answer.audit.checked}, {len(answer.audit.beaten)} better"
    name = group[0] if len(group) == 1 else f"{len(group)} together"
    print(
        f"{name:<20} {found.point!s:<60} {found.score:9.4f} {found.gap:7.2%} {proof.evaluated:>9} {proof.cut:>5}"
        f" {found.wall:6.0f} s {audited:>9}",
        flush=True,
    )


if __name__ == "__main__":
    main()
