"""Our plans against the expert plans of the published evaluation, both predicted by the same model.

    python benchmarks/expert_plans.py [--limit SECONDS] [--json FILE]

1024 TPUv4-like chips (8 tensor and 2 vector cores), global batch 4096, 32 and 80 GiB of HBM. Expert plans (pipeline,
data, tensor) and sequence lengths are those that Wang et al. (ICML 2024, arXiv 2407.13143) held their search against;
they take the microbatch and the recomputation that suit them best. A layer's time is that of its schedule on the cores.
"""

from __future__ import annotations

import time
from dataclasses import replace
from math import prod
from typing import Any

from command import options, read, write

from intarsia.machines.chips import efficiency_of
from intarsia.machines.clusters import Cluster, read_cluster
from intarsia.models import read_model
from intarsia.place.choices import Choices
from intarsia.place.plan import EQUAL, Plan
from intarsia.place.search import best_plan
from intarsia.solvers import Found, Infeasible, Limits, Outcome

DEVICES, BATCH = 1024, 4096
EXPERTS = (
    ("bert-large", 512, 8, 128, 1),
    ("gpt2-xl", 1024, 32, 32, 1),
    ("opt-350m", 2048, 12, 85, 1),
    ("llama2-7b", 4096, 8, 128, 1),
    ("megatron-bert-large", 512, 8, 128, 1),
    ("megatron-gpt2-2.5b", 1024, 8, 32, 4),
    ("megatron-gpt2-8.3b", 1024, 8, 16, 8),
    ("gpt3-175b", 2048, 32, 8, 4),
)


def main() -> None:
    """Print the tables and write them."""
    parser = options(__doc__)
    parser.add_argument("--limit", metavar="SECONDS", type=float, default=120.0, help="of each search (default 120)")
    arguments = read(parser)
    rows: list[dict[str, Any]] = []
    for gib in (32, 80):
        named = read_cluster(f"tpuv4-likex{DEVICES}")
        cluster = replace(named, chip=replace(named.chip, hbm_bytes=gib * 2**30))
        rows += _table(cluster, gib, arguments.limit)
    write(arguments.json, rows)


def _table(cluster: Cluster, gib: int, limit: float) -> list[dict[str, Any]]:
    efficiency, limits = efficiency_of(cluster.chip), Limits(seconds=limit)
    rows = []
    print(f"\n{gib} GiB")
    print(f"{'model':<20} {'expert':>12} {'seconds':>12} {'ours':>34} {'seconds':>8} {'faster':>7}", end="")
    print(f" {'proof':>8} {'search':>7}")
    for name, sequence, pipeline, data, tensor in EXPERTS:
        model = read_model(name)
        start = time.perf_counter()
        # the published search has plain 1F1B, no ZeRO, and no sequence or context parallelism
        degrees = {
            "tensor": (tensor,),
            "pipeline": (pipeline,),
            "data": (data,),
            "interleave": (1,),
            "order": ("1f1b",),
        }
        plain = Choices().only(degrees | {"zero": (0,), "context": (1,), "sequence_parallel": (0,)})
        expert = best_plan(model, cluster, efficiency, BATCH, sequence, plain, limits, compare=False)
        ours = best_plan(model, cluster, efficiency, BATCH, sequence, Choices(), limits, compare=False)
        row = _row(name, (pipeline, data, tensor), expert, ours, time.perf_counter() - start)
        rows.append(row | {"hbm_gib": gib})
        print(_text(row), flush=True)
    ratios = [row["faster"] for row in rows if row["faster"]]
    mean = prod(ratios) ** (1 / len(ratios))
    print(f"geometric mean {mean:.2f}x over {len(ratios)} models whose expert plan fits")
    return rows


def _plan(outcome: Outcome[Plan]) -> Plan | None:
    if isinstance(outcome, Infeasible):
        return None
    return outcome.value if isinstance(outcome, Found) else outcome.best


def _row(
    name: str, degrees: tuple[int, int, int], expert: Outcome[Plan], ours: Outcome[Plan], seconds: float
) -> dict[str, Any]:
    theirs, best = _plan(expert), _plan(ours)
    return {
        "model": name,
        "expert": degrees,
        "expert_seconds": theirs.seconds if theirs else None,
        "because": list(expert.because) if isinstance(expert, Infeasible) else [],
        "ours": _degrees(best) if best else "",
        "seconds": best.seconds if best else None,
        "faster": theirs.seconds / best.seconds if theirs and best else None,
        "gap": best.gap if best else None,
        "search": seconds,
    }


def _degrees(plan: Plan) -> str:
    s = plan.strategy
    modes = "/".join(dict.fromkeys(str(mode) for mode in plan.split.recompute))
    return f"p{s.pipeline} d{s.data} t{s.tensor} c{s.context} b{s.microbatch} v{s.interleave} z{s.zero} {modes}"


def _text(row: dict[str, Any]) -> str:
    expert = "does not fit" if row["expert_seconds"] is None else f"{row['expert_seconds']:.3f}"
    faster = f"{row['faster']:.2f}x" if row["faster"] else ""
    proof = "" if row["gap"] is None else ("optimal" if row["gap"] < EQUAL else f"{100 * row['gap']:.2f} %")
    degrees = "({}, {}, {})".format(*row["expert"])
    seconds = "" if row["seconds"] is None else f"{row['seconds']:.3f}"
    return (
        f"{row['model']:<20} {degrees:>12} {expert:>12} {row['ours']:>34} {seconds:>8} {faster:>7} {proof:>8} "
        f"{row['search']:>6.1f}s"
    )


if __name__ == "__main__":
    main()
