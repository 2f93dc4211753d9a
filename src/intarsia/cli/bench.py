"""``intarsia bench SUITE --target NAME``: every layer of a suite, checked.

On vta chosen and fixed, resumable; on x86 beside libraries.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intarsia.cli.command import Command
from intarsia.cli.native import native_options, refuse_native
from intarsia.cli.native_bench import run_native_bench
from intarsia.cli.printing import print_fields, print_json, print_table, progress, to_json
from intarsia.cli.run import config_option, execution_json
from intarsia.ground import InputError, refuse_unwritable, write_file
from intarsia.ground.units import count_text, percent_text, ratio_text, seconds_text

if TYPE_CHECKING:
    from intarsia.flow.runs import BenchAnswer, BenchRow

WRONG = 1


def _options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "suite", metavar="SUITE", choices=("deepbench", "x86"), help="deepbench, or x86 (shapes of that target)"
    )
    parser.add_argument("--target", metavar="NAME", help="vta or x86; the suite x86 has only the one")
    parser.add_argument(
        "--set", metavar="NAME", default="inference",
        help="inference (default), inference_server, inference_device, training, all",
    )  # fmt: skip
    parser.add_argument("--kind", metavar="NAME", default="all", help="conv, gemm, or all (default)")
    config_option(parser)
    parser.add_argument(
        "--json", metavar="FILE", type=Path, help="write the whole answer here (docs/json.md); - prints"
    )
    parser.add_argument(
        "--workers", metavar="N", type=int, default=0, help="of vta: processes (default: one for each core)"
    )
    parser.add_argument(
        "--store", metavar="FILE", type=Path, help="of deepbench: kept results (default: in the user's cache)"
    )
    parser.add_argument("--fresh", action="store_true", help="of deepbench: compute again what was kept")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of the inputs (default 0)")
    parser.add_argument(
        "--against", metavar="LIBRARY,...", help="of x86: torch, openvino, onnxruntime (the extra `libraries`)"
    )
    native_options(parser)


def _run(arguments: Namespace) -> int:
    if arguments.suite == "x86" or arguments.target == "x86":
        return run_native_bench(arguments)
    if arguments.target is None:
        raise InputError("the target is missing", where="--target", allowed="vta, x86")
    refuse_native(arguments)
    if arguments.against is not None:
        raise InputError("only x86 has it", where="--against", hint="--target x86")
    from intarsia import flow

    printed = arguments.json == Path("-")
    if arguments.json is not None and not printed:
        refuse_unwritable(arguments.json)
    with progress("layers") as told:
        answer = flow.bench_deepbench(
            arguments.target,
            which=arguments.set,
            kind=arguments.kind,
            config=arguments.config,
            seed=arguments.seed,
            workers=arguments.workers,
            store=arguments.store,
            fresh=arguments.fresh,
            told=told,
        )
    if printed:
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
    print()
    layers = f"{len(answer.rows)}, {sum(row.count for row in answer.rows)} with repetitions"
    print_fields(
        [
            ("target", answer.configuration),
            ("layers", layers),
            ("correct", "all, bit for bit" if answer.correct else "NOT ALL"),
            ("cycles", _summary(answer.speedups, answer.mean_speedup, "faster than the fixed embedding")),
            ("calls", _summary(answer.call_ratios, answer.mean_call_ratio, "fewer than the fixed embedding")),
            ("over bound", "" if answer.mean_gap is None else percent_text(answer.mean_gap, 1) + " geometric mean"),
            ("seconds", f"{seconds_text(answer.seconds)}, {answer.workers} workers, seed {answer.seed}"),
        ]
    )


def _summary(ratios: tuple[tuple[str, float], ...], mean: float | None, words: str) -> str:
    if mean is None:
        return ""
    (worst, low), (best, high) = ratios[0], ratios[-1]
    return (
        f"{ratio_text(mean)} {words} (geometric mean); worst {ratio_text(low)} {worst}; best {ratio_text(high)} {best}"
    )


def _row(row: BenchRow) -> tuple[str, ...]:
    if row.run is None:
        return (row.name, str(row.count), "", "", "", "", "", row.refused)
    chosen = row.run.chosen.device
    fixed = row.run.fixed.device if row.run.fixed else None
    return (
        row.name,
        str(row.count),
        count_text(row.run.chosen.calls),
        count_text(chosen.cycles) if chosen else "",
        count_text(fixed.cycles) if fixed else "",
        "" if row.run.speedup is None else ratio_text(row.run.speedup),
        percent_text(chosen.gap, 1) if chosen else "",
        "yes" if row.run.correct else "NO",
    )


def bench_json(answer: BenchAnswer) -> dict[str, Any]:
    """An answer as JSON."""
    return {
        "suite": answer.suite,
        "target": answer.target,
        "configuration": answer.configuration,
        "correct": answer.correct,
        "seed": answer.seed,
        "workers": answer.workers,
        "seconds": answer.seconds,
        "speedup": _summary_json(answer.speedups, answer.mean_speedup),
        "fewer_calls": _summary_json(answer.call_ratios, answer.mean_call_ratio),
        "over_bound": _summary_json(answer.gaps, answer.mean_gap),
        "layers": [_row_json(row) for row in answer.rows],
    }


def _summary_json(values: tuple[tuple[str, float], ...], mean: float | None) -> dict[str, Any] | None:
    """The geometric mean, the least and the greatest with their layers."""
    if mean is None:
        return None
    return {"mean": mean, "least": list(values[0]), "greatest": list(values[-1])}


def _row_json(row: BenchRow) -> dict[str, Any]:
    run = row.run
    return {
        "name": row.name,
        "count": row.count,
        "refused": row.refused or None,
        "correct": run.correct if run else False,
        "operator": run.operator if run else None,
        "speedup": run.speedup if run else None,
        "fewer_calls": run.fewer_calls if run else None,
        "chosen": execution_json(run.chosen) if run else None,
        "fixed": execution_json(run.fixed) if run and run.fixed else None,
    }


COMMAND = Command(
    "bench",
    "run a suite: on vta beside the fixed embedding, on x86 beside libraries",
    "intarsia bench deepbench --target vta --set inference --json out/deepbench.json",
    _options,
    _run,
    (
        "intarsia bench deepbench --target vta [--set NAME] [--kind NAME] [--config FILE] ...",
        "intarsia bench x86 [--against LIBRARY,...] [--threads N] [--measure K] [--json FILE]",
        "intarsia bench deepbench --target x86 [--set NAME] [--kind NAME] [--against LIBRARY,...] ...",
    ),
)
