"""The best chip of the published space for training on 1024 of them, with its certificate.

    python benchmarks/chip_search.py [--models NAME,NAME] [--hbm GIB,GIB] [--workers N] [--audit N] [--json FILE]

All 29,360 chips, all plans (degrees, microbatch, schedule, ZeRO, recomputation, layers of each stage), global batch
4096, from a cold start: nothing is taken from the store. Sequence lengths are those of the published evaluation.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from command import options, read, write

from intarsia.cli.search import search_json
from intarsia.flow.searching import search_chip

DEVICES, BATCH = 1024, 4096
SEQUENCES = {
    "bert-large": 512,
    "gpt2-xl": 1024,
    "opt-350m": 2048,
    "llama2-7b": 4096,
    "megatron-bert-large": 512,
    "megatron-gpt2-2.5b": 1024,
    "megatron-gpt2-8.3b": 1024,
    "gpt3-175b": 2048,
}


def main() -> None:
    """Print a line for each model."""
    parser = options(__doc__)
    parser.add_argument("--models", metavar="NAMES", default="gpt3-175b", help="of the eight (default gpt3-175b)")
    parser.add_argument("--hbm", metavar="GIB,GIB", default="80", help="capacities (default 80)")
    parser.add_argument("--workers", metavar="N", type=int, default=0, help="processes (default: one to each core)")
    parser.add_argument("--audit", metavar="N", type=int, default=0, help="removed chips to evaluate in full")
    arguments = read(parser)
    names = list(SEQUENCES) if arguments.models == "all" else arguments.models.split(",")
    print(
        f"{'model':<20} {'chip':<52} {'seconds':>9} {'gap':>7} {'evaluated':>9} {'cut':>5} {'search':>8} {'audit':>9}"
    )
    rows: list[dict[str, Any]] = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            answer = search_chip(
                name,
                f"tpuv4x{DEVICES}",
                BATCH,
                hbm_gib=tuple(int(gib) for gib in arguments.hbm.split(",")),
                sequence=SEQUENCES[name],
                audited=arguments.audit,
                workers=arguments.workers,
                store=Path(folder) / "results.sqlite",
            )
        found, proof = answer.searched, answer.searched.certificate
        audited = "" if answer.audit is None else f"{answer.audit.checked}, {len(answer.audit.beaten)} better"
        print(
            f"{name:<20} {found.point!s:<52} {found.seconds:9.4f} {found.gap:7.2%} {proof.evaluated:>9} {proof.cut:>5}"
            f" {found.wall:6.0f} s {audited:>9}",
            flush=True,
        )
        rows.append({"model": name} | search_json(answer))
    write(arguments.json, rows)


if __name__ == "__main__":
    main()
