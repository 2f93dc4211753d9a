"""``intarsia calibrate``: a chip's efficiency from measured operators and iterations."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intarsia.cli.command import Command, json_option, output_path
from intarsia.cli.native_calibrate import calibrate_native
from intarsia.cli.printing import print_fields, print_json, print_table
from intarsia.cli.strategy_options import run_options
from intarsia.ground import refuse_unwritable
from intarsia.ground.units import seconds_text

if TYPE_CHECKING:
    from intarsia.flow.calibration import CalibrateAnswer
    from intarsia.flow.table import Quality


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("chip", metavar="CHIP", help="a name (`intarsia chips`), or a file; x86 for native code here")
    parser.add_argument("--cluster", metavar="NAME", help="of the iterations (default: the chip's name)")
    parser.add_argument("--operators", metavar="CSV", type=Path, nargs="+", default=[], help="measured operators")
    parser.add_argument("--iterations", metavar="CSV", type=Path, help="measured runs with iteration_ms")
    parser.add_argument("--test", metavar="CSV", type=Path, help="measured runs that are only compared with")
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=output_path("-o"), help="where the efficiencies are stored"
    )
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of draws (default 0)")
    run_options(parser)
    json_option(parser)


def _run(arguments: Namespace) -> int:
    if arguments.chip == "x86":
        return calibrate_native(arguments)
    from intarsia.flow.calibration import calibrate, shipped

    if arguments.output is not None:
        refuse_unwritable(arguments.output)
    operators, iterations, test = tuple(arguments.operators), arguments.iterations, arguments.test
    if not operators and iterations is None:
        operators, iterations, test = shipped(arguments.chip)
    words = {name: getattr(arguments, name) for name in ("recompute", "attention", "dtype", "grad_dtype", "schedule")}
    cluster = arguments.cluster or arguments.chip
    answer = calibrate(
        arguments.chip, cluster, operators, iterations, test, words, arguments.output, seed=arguments.seed
    )
    if arguments.json:
        print_json(_json(answer))
    else:
        _print(answer)
    return 0


def _print(answer: CalibrateAnswer) -> None:
    found = answer.efficiency
    seconds = ("kernel", "host", "collective", "straggle")
    values = [(name, value) for name, value in asdict(found).items() if isinstance(value, float)]
    print_fields([("chip", answer.chip.name), ("source", found.source)])
    print()
    print_table(
        ("efficiency", "value"),
        [(name, seconds_text(value) if name in seconds else f"{value:.3f}") for name, value in values],
        right=("value",),
    )
    rows = []
    if answer.operators:
        rows.append(("operators, 5 folds", f"{100 * answer.operators.error:.2f} %", "", ""))
    rows += [
        (
            f"left out by {v.name}, {v.folds} folds",
            f"{100 * v.mape:.2f} %",
            f"{100 * v.median:.2f} %",
            f"{100 * v.worst:.0f} %",
        )
        for v in answer.validations
    ]
    for name, quality in (("fitted on", answer.fitted), ("never fitted on", answer.tested)):
        if quality:
            rows.append(
                (f"{name}, {quality.rows} runs", f"{100 * quality.mape:.2f} %", f"{100 * quality.median:.2f} %", "")
            )
    print()
    print_table(("error", "mean", "median", "worst"), rows, right=("mean", "median", "worst"))


def _json(answer: CalibrateAnswer) -> dict[str, Any]:
    return {
        "chip": answer.chip.name,
        "efficiency": asdict(answer.efficiency),
        "operators": {"error": answer.operators.error, "overhead": answer.operators.overhead}
        if answer.operators
        else None,
        "validations": [asdict(validation) for validation in answer.validations],
        "fitted": _quality(answer.fitted),
        "tested": _quality(answer.tested),
    }


def _quality(found: Quality | None) -> dict[str, Any] | None:
    return asdict(found) if found else None


COMMAND = Command(
    "calibrate",
    "fit a chip's efficiency to measured operators and iterations",
    "intarsia calibrate a100 --recompute none --attention eager -o a100.json",
    _options,
    _run,
    usage=("intarsia calibrate CHIP [--operators CSV ...] [--iterations CSV] ...", "intarsia calibrate x86"),
)
