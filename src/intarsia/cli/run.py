"""``intarsia run SPEC --target NAME``: the operator's program, run, checked against the reference, and its cycles."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intarsia.cli.command import Command, instruction_option, json_option, spec_argument, trace_of, trace_options
from intarsia.cli.printing import print_fields, print_json, print_table
from intarsia.ground.units import bytes_text, count_text, percent_text, ratio_text, seconds_text

if TYPE_CHECKING:
    from intarsia.flow.answers import Execution, RunAnswer

WRONG = 1


def target_options(parser: ArgumentParser) -> None:
    """``--target``, ``--config``, ``--shift``."""
    parser.add_argument("--target", metavar="NAME", required=True, help="vta, or generic (any instruction)")
    parser.add_argument("--config", metavar="FILE", type=Path, help="VTA's configuration, in VTA's own JSON keys")
    parser.add_argument("--shift", metavar="BITS", type=int, default=8, help="of the epilogue (default 8)")


def _options(parser: ArgumentParser) -> None:
    spec_argument(parser)
    target_options(parser)
    instruction_option(parser, required=False)
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of the inputs (default 0)")
    json_option(parser)
    trace_options(parser)


def _run(arguments: Namespace) -> int:
    from intarsia import flow

    answer = flow.run_operator(
        arguments.spec,
        arguments.target,
        config=arguments.config,
        instruction=arguments.instr,
        shift=arguments.shift,
        seed=arguments.seed,
        trace=trace_of(arguments),
    )
    if arguments.json:
        print_json(run_json(answer))
    else:
        print_run(answer)
    return 0 if answer.correct else WRONG


def print_run(answer: RunAnswer) -> None:
    """An answer as tables: the chosen embedding beside the fixed one, and where the time goes."""
    print_fields(
        [
            ("operator", str(answer.operator).partition("\n")[0]),
            ("target", answer.configuration or answer.target),
            ("correct", "yes, bit for bit" if answer.correct else "NO"),
            ("faster", ratio_text(answer.speedup) + " than the fixed embedding" if answer.speedup else ""),
        ]
    )
    executions = [("chosen", answer.chosen)] + ([("fixed", answer.fixed)] if answer.fixed else [])
    rows = list(zip(*(_column(e) for _, e in executions), strict=True))
    shown = [(name, *row) for name, row in zip(_NAMES, rows, strict=True) if any(row)]
    names = [name for name, _ in executions]
    print()
    print_table(("", *names), shown, right=names)
    if answer.chosen.units:
        print()
        causes = [cause for cause, _ in answer.chosen.units[0].cycles]
        units = [(u.unit, *(count_text(c) for _, c in u.cycles)) for u in answer.chosen.units]
        print_table(("cycles of", *causes), units, right=causes)
    print(f"\n{answer.chosen.embedding}")


_NAMES = ("calls", "cycles", "lower bound", "lanes used", "bytes read", "bytes written", "host bytes", "host time")


def _column(execution: Execution) -> tuple[str, ...]:
    """The texts of ``_NAMES``; empty where a target does not say."""
    e = execution
    return (
        count_text(e.calls),
        "" if e.cycles is None else count_text(e.cycles),
        "" if e.bound is None else count_text(e.bound),
        percent_text(e.utilisation, 1),
        bytes_text(e.read) if e.read else "",
        bytes_text(e.written) if e.written else "",
        bytes_text(e.host_bytes) if e.host_bytes else "",
        seconds_text(e.host_seconds) if e.host_bytes else "",
    )


def run_json(answer: RunAnswer) -> dict[str, Any]:
    """An answer as JSON."""
    return {
        "operator": str(answer.operator),
        "target": answer.target,
        "configuration": answer.configuration,
        "seed": answer.seed,
        "correct": answer.correct,
        "speedup": answer.speedup,
        "chosen": execution_json(answer.chosen),
        "fixed": execution_json(answer.fixed) if answer.fixed else None,
    }


def execution_json(execution: Execution) -> dict[str, Any]:
    """One execution as JSON."""
    return {
        "correct": execution.correct,
        "calls": execution.calls,
        "cycles": execution.cycles,
        "lower_bound": execution.bound,
        "utilisation": execution.utilisation,
        "bytes_read": execution.read,
        "bytes_written": execution.written,
        "units": {unit.unit: dict(unit.cycles) for unit in execution.units},
        "host_bytes": execution.host_bytes,
        "host_seconds": execution.host_seconds,
        "embedding": str(execution.embedding),
    }


COMMAND = Command(
    "run",
    "compile an operator, run it, check it against the reference, and show its cycles",
    "intarsia run deepbench:conv/inference_device/3 --target vta",
    _options,
    _run,
)
