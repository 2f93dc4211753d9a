"""DeepBench's inference convolutions on a 16×16×16 core, whose batch rows the reference's embedding leaves empty.

    python benchmarks/vta_batch16.py --calls [--json FILE]
    python benchmarks/vta_batch16.py [--workers N] [--json FILE]

The first proves the fewest calls, in seconds; the second also compiles, runs and checks the programs, which takes the
better part of an hour.

Both programs are ours and checked; "fixed" has the reference's embedding: batch on the core's batch axis, channels on
the others. Calls are all calls of an embedding, those that read only padding included, as the reference runs them too;
"needed" are those that the programs make. "Fewest" are the calls of the best fused embedding, proved; the chosen one
needs the fewest cycles. An interrupted run continues where it stopped.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from command import options, read, write

from intarsia.cli.bench import bench_json
from intarsia.cli.printing import print_fields, print_table, progress
from intarsia.embed import EmbeddingProblem, fixed_embedding, optimise
from intarsia.flow import bench_deepbench
from intarsia.flow.bench import deepbench_rows
from intarsia.flow.runs import BenchRow, geometric_mean
from intarsia.ground.units import count_text, ratio_text
from intarsia.machines import find_instruction
from intarsia.operators import Operator
from intarsia.solvers import Found

CORE = "vta.gemm:16x16x16"
NUMBERS = (
    *("fixed calls", "fewest", "times", "chosen", "times "),
    *("fixed needed", "needed", "fixed cycles", "cycles", "faster"),
)
Ratios = list[tuple[float, str]]


@dataclass(frozen=True)
class Fewest:
    """The calls of the reference's embedding, and the fewest of any fused one; whether that is proved."""

    fixed: int
    calls: int
    proved: bool

    @property
    def ratio(self) -> float:
        return self.fixed / self.calls


def fewest(operator: Operator) -> Fewest:
    core = find_instruction(CORE)
    outcome = optimise(EmbeddingProblem(operator, core, "fused", objective=("calls",)))
    fixed = fixed_embedding(operator, core).calls
    if not isinstance(outcome, Found):
        return Fewest(fixed, fixed, proved=False)
    return Fewest(fixed, outcome.value.calls, proved=outcome.bound == (outcome.value.calls,))


def line(row: BenchRow, least: Fewest) -> tuple[str, ...]:
    first = (row.name, count_text(least.fixed), count_text(least.calls), ratio_text(least.ratio))
    if row.run is None or row.run.fixed is None:
        return (*first, *[""] * 7, row.refused)
    chosen, fixed = row.run.chosen, row.run.fixed
    assert chosen.device is not None
    assert fixed.device is not None
    assert fixed.all_calls == least.fixed
    return (
        *first,
        count_text(chosen.all_calls),
        ratio_text(row.run.fewer_calls or 0),
        count_text(fixed.calls),
        count_text(chosen.calls),
        count_text(fixed.device.cycles),
        count_text(chosen.device.cycles),
        ratio_text(row.run.speedup or 0),
        "yes" if row.run.correct else "NO",
    )


def summary(ratios: Ratios) -> str:
    if not ratios:
        return ""
    (worst, low), (best, high) = min(ratios), max(ratios)
    mean = ratio_text(geometric_mean([r for r, _ in ratios]) or 0)
    return f"{mean} fewer (geometric mean); best {ratio_text(best)} {high}; worst {ratio_text(worst)} {low}"


def summary_json(ratios: Ratios) -> dict[str, object]:
    mean = geometric_mean([r for r, _ in ratios])
    return {"mean": mean, "best": list(max(ratios, default=())), "worst": list(min(ratios, default=()))}


def calls_only(file: Path | None) -> None:
    """The fewest calls of every layer, and nothing run."""
    least = {row.name: fewest(row.operator) for row, _ in deepbench_rows("inference", "conv")}
    rows = [(n, count_text(o.fixed), count_text(o.calls), ratio_text(o.ratio)) for n, o in least.items()]
    print_table(("layer", *NUMBERS[:3]), rows, right=NUMBERS[:3])
    print()
    ratios = [(one.ratio, name) for name, one in least.items()]
    proved = sum(one.proved for one in least.values())
    print_fields([("fewest calls", summary(ratios)), ("proved", f"{proved} of {len(least)}")])
    layers = [{"name": name, **asdict(one)} for name, one in least.items()]
    write(file, {"fewest calls": summary_json(ratios), "proved": proved == len(least), "layers": layers})


def main() -> int:
    """Print the table and write it; 1 where a result is wrong."""
    parser = options(__doc__)
    parser.add_argument("--calls", action="store_true", help="only prove the fewest calls; compile and run nothing")
    parser.add_argument("--workers", metavar="N", type=int, default=2, help="processes (default 2)")
    arguments = read(parser)
    if arguments.calls:
        calls_only(arguments.json)
        return 0
    with progress("layers") as told:
        answer = bench_deepbench("vta", kind="conv", config="batch16", workers=arguments.workers, told=told)
    operators = {row.name: row.operator for row, _ in deepbench_rows("inference", "conv")}
    least = {row.name: fewest(operators[row.name]) for row in answer.rows}
    print_table(("layer", *NUMBERS, "correct"), [line(row, least[row.name]) for row in answer.rows], right=NUMBERS)
    ratios: dict[str, Ratios] = {
        "fewest calls": [(one.ratio, name) for name, one in least.items()],
        "calls": [(ratio, name) for name, ratio in answer.call_ratios],
        "cycles": [(ratio, name) for name, ratio in answer.speedups],
    }
    proved = all(one.proved for one in least.values())
    print()
    print_fields(
        [
            *((name, summary(own)) for name, own in ratios.items()),
            ("proved", f"{sum(one.proved for one in least.values())} of {len(least)}"),
            ("correct", "all, bit for bit" if answer.correct else "NOT ALL"),
        ]
    )
    told_json = {name: summary_json(own) for name, own in ratios.items()}
    write(arguments.json, {"ratios": told_json, "proved": proved, **bench_json(answer)})
    return 0 if answer.correct else 1


if __name__ == "__main__":
    sys.exit(main())
