"""``intarsia calibrate x86``: the constants by which plans of native code are chosen, fitted to this machine."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from intarsia.cli.printing import print_fields, print_json, print_table, progress
from intarsia.ground import InputError
from intarsia.ground.units import percent_text, seconds_text

if TYPE_CHECKING:
    from intarsia.flow.native.calibrate import NativeCalibration
    from intarsia.targets.x86.calibration import Quality

OTHERS = ("cluster", "operators", "iterations", "test", "output")
"""Options that only chips have."""


def calibrate_native(arguments: Namespace) -> int:
    """Measure, fit, keep, print."""
    for name in OTHERS:
        if getattr(arguments, name):
            raise InputError("x86 measures itself", where=f"--{name}", value=str(getattr(arguments, name)))
    from intarsia.flow.native.calibrate import calibrate_native as calibrate

    with progress("operators") as told:
        answer = calibrate(told)
    if arguments.json:
        print_json(calibration_json(answer))
    else:
        _print(answer)
    return 0


def calibration_json(answer: NativeCalibration) -> dict[str, Any]:
    """The answer as JSON."""
    return {
        "target": "x86",
        "processor": answer.processor,
        "instruction": answer.instruction,
        "operators": answer.samples,
        "plans": answer.plans,
        "seconds": answer.seconds,
        "constants": {name: {"shipped": old, "fitted": new} for name, (old, new) in answer.constants().items()},
        "ranking": {"shipped": _ranking(answer.before), "fitted, left out": _ranking(answer.after)},
        "file": answer.file or None,
        "notes": list(answer.notes),
    }


def _ranking(found: Quality) -> dict[str, Any]:
    return {
        "tau": found.tau,
        "regret": {str(looks): value for looks, value in found.regret.items()},
        "worst_regret": {str(looks): value for looks, value in found.worst.items()},
    }


def _print(answer: NativeCalibration) -> None:
    print_fields(
        [
            ("processor", answer.processor),
            ("instruction", answer.instruction),
            ("measured", f"{answer.plans} plans of {answer.samples} operators"),
            ("took", seconds_text(answer.seconds)),
            ("kept in", answer.file),
            *(("note", note) for note in answer.notes),
        ]
    )
    print()
    constants = [(name, f"{old:.3g}", f"{new:.3g}") for name, (old, new) in answer.constants().items()]
    print_table(("constant", "shipped", "fitted"), constants, right=("shipped", "fitted"))
    print()
    looks = tuple(answer.before.regret)
    heads = [f"best of {n}: regret, worst" for n in looks]
    rows = [
        (name, f"{of.tau:.2f}", *(f"{percent_text(of.regret[n], 1)}, {percent_text(of.worst[n], 1)}" for n in looks))
        for name, of in (("shipped", answer.before), ("fitted to other operators", answer.after))
    ]
    print_table(("plans ranked by constants", "tau", *heads), rows, right=("tau", *heads))
