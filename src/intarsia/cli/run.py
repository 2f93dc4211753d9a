"""``intarsia run SPEC --target NAME``: the operator's program, run, checked against the reference, and its cycles."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intarsia.cli.command import Command, instruction_option, json_option, spec_argument, trace_of, trace_options
from intarsia.cli.native import native_options, refuse_native, run_native
from intarsia.cli.printing import print_fields, print_json, print_table
from intarsia.ground.units import bytes_text, count_text, percent_text, ratio_text, seconds_text

if TYPE_CHECKING:
    from intarsia.flow.runs import Device, Execution, RunAnswer

WRONG = 1


def config_option(parser: ArgumentParser) -> None:
    """``--config``."""
    parser.add_argument(
        "--config", metavar="FILE", help="a file in VTA's own JSON keys, or default, or batch16 (a 16x16x16 core)"
    )


def target_options(parser: ArgumentParser, targets: str) -> None:
    """``--target``, ``--config``, ``--shift``."""
    parser.add_argument("--target", metavar="NAME", required=True, help=targets)
    config_option(parser)
    parser.add_argument("--shift", metavar="BITS", type=int, default=8, help="of the epilogue (default 8)")


def _options(parser: ArgumentParser) -> None:
    spec_argument(parser)
    target_options(parser, "vta, x86 (this processor), or generic (any instruction)")
    instruction_option(parser, required=False)
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of the inputs (default 0)")
    parser.add_argument("--fixed", action="store_true", help="the reference's own embedding only")
    parser.add_argument("--timeline", metavar="FILE", type=Path, help="write a Perfetto trace of the program")
    native_options(parser)
    json_option(parser)
    trace_options(parser)


def _run(arguments: Namespace) -> int:
    if arguments.target == "x86":
        return run_native(arguments)
    refuse_native(arguments)
    from intarsia import flow

    answer = flow.run_operator(
        arguments.spec,
        arguments.target,
        config=arguments.config,
        instruction=arguments.instr,
        fixed=arguments.fixed,
        shift=arguments.shift,
        seed=arguments.seed,
        timeline=arguments.timeline,
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
            ("operator", answer.operator.partition("\n")[0]),
            ("target", answer.configuration or answer.target),
            ("correct", "yes, bit for bit" if answer.correct else "NO"),
            ("faster", f"{ratio_text(answer.speedup)} the fixed embedding" if answer.speedup else ""),
        ]
    )
    executions = [("chosen", answer.chosen)] + ([("fixed", answer.fixed)] if answer.fixed else [])
    names = [name for name, _ in executions]
    columns = [_column(execution) for _, execution in executions]
    rows = [(name, *(column.get(name, "") for column in columns)) for name in columns[0]]
    print()
    print_table(("", *names), rows, right=names)
    if answer.chosen.device is not None:
        units = answer.chosen.device.units
        causes = [cause for cause, _ in units[0].cycles]
        print()
        print_table(
            ("cycles of", *causes), [(u.unit, *(count_text(c) for _, c in u.cycles)) for u in units], right=causes
        )
        print(f"\ntiles {answer.chosen.device.tiling}")
    print(f"\n{answer.chosen.nest}")


def _column(execution: Execution) -> dict[str, str]:
    """What is told of one execution, by name."""
    device = execution.device
    told = {"calls": count_text(execution.calls), "  with padding": count_text(execution.all_calls)}
    if device is None:
        return told
    bound, host = device.bound, device.host
    return told | {
        "cycles": count_text(device.cycles),
        "  on the device": seconds_text(device.seconds),
        "lower bound": count_text(bound.cycles),
        "  core, read, write": f"{count_text(bound.compute)}, {count_text(bound.read)}, {count_text(bound.write)}",
        "over the bound": percent_text(device.gap, 1),
        "lanes used": percent_text(device.utilisation, 1),
        "instructions": count_text(device.instructions),
        "bytes read": bytes_text(device.read),
        "bytes written": bytes_text(device.written),
        "host, every run": f"{bytes_text(host.run_bytes)}, {seconds_text(host.run_seconds)}",
        "host, once": f"{bytes_text(host.once_bytes)}, {seconds_text(host.once_seconds)}",
        "  seconds": host.source,
    }


def run_json(answer: RunAnswer) -> dict[str, Any]:
    """An answer as JSON."""
    return {
        "operator": answer.operator,
        "target": answer.target,
        "configuration": answer.configuration,
        "seed": answer.seed,
        "correct": answer.correct,
        "speedup": answer.speedup,
        "fewer_calls": answer.fewer_calls,
        "seconds": answer.seconds,
        "chosen": execution_json(answer.chosen),
        "fixed": execution_json(answer.fixed) if answer.fixed else None,
    }


def execution_json(execution: Execution) -> dict[str, Any]:
    """One execution as JSON; ``device`` is null where the target has no timing model."""
    return {
        "correct": execution.correct,
        "calls": execution.calls,
        "all_calls": execution.all_calls,
        "embedding": execution.nest,
        "device": _device_json(execution.device) if execution.device else None,
    }


def _device_json(device: Device) -> dict[str, Any]:
    bound, host = device.bound, device.host
    return {
        "cycles": device.cycles,
        "seconds": device.seconds,
        "instructions": device.instructions,
        "lower_bound": bound.cycles,
        "lower_bounds": {"compute": bound.compute, "read": bound.read, "write": bound.write},
        "over_bound": device.gap,
        "utilisation": device.utilisation,
        "bytes_read": device.read,
        "bytes_written": device.written,
        "units": {unit.unit: dict(unit.cycles) for unit in device.units},
        "host": {
            "run_bytes": host.run_bytes,
            "run_seconds": host.run_seconds,
            "once_bytes": host.once_bytes,
            "once_seconds": host.once_seconds,
            "source": host.source,
        },
        "tiling": device.tiling,
    }


COMMAND = Command(
    "run",
    "compile an operator, run it, check it against the reference, and show its cycles",
    "intarsia run deepbench:conv/inference_device/3 --target vta",
    _options,
    _run,
)
