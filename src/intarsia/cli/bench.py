"""``intarsia bench SUITE --target NAME``: every layer of a suite, chosen and fixed, both checked; resumable."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intarsia.cli.command import Command, trace_of, trace_options
from intarsia.cli.printing import print_fields, print_json, print_table, to_json
from intarsia.cli.run import execution_json
from intarsia.ground import write_file
from intarsia.ground.units import count_text, ratio_text

if TYPE_CHECKING:
    from intarsia.flow.answers import BenchAnswer, BenchRow

WRONG = 1


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("suite", metavar="SUITE", choices=("deepbench",), help="deepbench")
    parser.add_argument("--target", metavar="NAME", required=True, help="vta")
    parser.add_argument(
        "--set", metavar="NAME", default="inference",
        help="inference (default), inference_server, inference_device, training, all",
    )  # fmt: skip
    parser.add_argument("--config", metavar="FILE", type=Path, help="VTA's configuration, in VTA's own JSON keys")
    parser.add_argument(
        "--json", metavar="FILE", type=Path, help="write the whole answer here (docs/json.md); - prints"
    )
    parser.add_argument("--workers", metavar="N", type=int, default=0, help="processes (default: one for each core)")
    parser.add_argument("--store", metavar="FILE", type=Path, help="kept results (default: in the user's cache)")
    parser.add_argument("--fresh", action="store_true", help="compute again what was kept")
    trace_options(parser)


def _run(arguments: Namespace) -> int:
    from intarsia import flow

    answer = flow.bench_deepbench(
        arguments.target,
        which=arguments.set,
        config=arguments.config,
        workers=arguments.workers,
        store=arguments.store,
        fresh=arguments.fresh,
        trace=trace_of(arguments),
    )
    if arguments.json == Path("-"):
        print_json(bench_json(answer))
        return 0 if answer.correct else WRONG
    if arguments.json is not None:
        write_file(arguments.json, to_json(bench_json(answer)) + "\n")
    print_bench(answer)
    return 0 if answer.correct else WRONG


def print_bench(answer: BenchAnswer) -> None:
    """The table, and the summary under it."""
    numbers = ("times", "calls", "cycles", "fixed", "faster", "over bound")
    print_table(("layer", *numbers, "correct"), [_row(row) for row in answer.rows], right=numbers)
    speedups = answer.speedups
    print()
    print_fields(
        [
            ("layers", f"{len(answer.rows)}, {sum(row.count for row in answer.rows)} with repetitions"),
            ("correct", "all, bit for bit" if answer.correct else "NOT ALL"),
            ("faster", _ratio(answer.mean_speedup) + " geometric mean" if speedups else ""),
            ("worst", f"{ratio_text(speedups[0][1])} {speedups[0][0]}" if speedups else ""),
            ("best", f"{ratio_text(speedups[-1][1])} {speedups[-1][0]}" if speedups else ""),
            ("over bound", _ratio(answer.mean_gap) + " geometric mean" if answer.mean_gap else ""),
        ]
    )


def _row(row: BenchRow) -> tuple[str, ...]:
    if row.run is None:
        return (row.name, str(row.count), "", "", "", "", "", row.refused)
    chosen, fixed = row.run.chosen, row.run.fixed
    gap = chosen.cycles / chosen.bound if chosen.cycles and chosen.bound else None
    return (
        row.name,
        str(row.count),
        count_text(chosen.calls),
        "" if chosen.cycles is None else count_text(chosen.cycles),
        "" if fixed is None or fixed.cycles is None else count_text(fixed.cycles),
        _ratio(row.run.speedup),
        _ratio(gap),
        "yes" if row.run.correct else "NO",
    )


def _ratio(value: float | None) -> str:
    return "" if value is None else ratio_text(value)


def bench_json(answer: BenchAnswer) -> dict[str, Any]:
    """An answer as JSON."""
    return {
        "suite": answer.suite,
        "target": answer.target,
        "configuration": answer.configuration,
        "correct": answer.correct,
        "geometric_mean_speedup": answer.mean_speedup,
        "geometric_mean_over_bound": answer.mean_gap,
        "worst": answer.speedups[0] if answer.speedups else None,
        "best": answer.speedups[-1] if answer.speedups else None,
        "layers": [_row_json(row) for row in answer.rows],
    }


def _row_json(row: BenchRow) -> dict[str, Any]:
    run = row.run
    return {
        "name": row.name,
        "count": row.count,
        "refused": row.refused or None,
        "correct": run.correct if run else False,
        "speedup": run.speedup if run else None,
        "chosen": execution_json(run.chosen) if run else None,
        "fixed": execution_json(run.fixed) if run and run.fixed else None,
    }


COMMAND = Command(
    "bench",
    "run every layer of a suite with the chosen and with the fixed embedding",
    "intarsia bench deepbench --target vta --set inference --json out/deepbench.json",
    _options,
    _run,
)
