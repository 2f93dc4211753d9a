"""``intarsia predict``: seconds and bytes of a training run that is given, or of a table of them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intarsia.cli.command import Command, json_option, output_path, path_of
from intarsia.cli.energy import energy_fields, energy_json
from intarsia.cli.printing import print_fields, print_json, progress, ranks_text
from intarsia.cli.strategy_options import cluster_options, degree_options, model_options, run_options
from intarsia.ground import InputError, refuse_unwritable, write_file
from intarsia.ground.units import bytes_text, count_text, percent_text, seconds_text

if TYPE_CHECKING:
    from intarsia.flow.predictions import PredictAnswer
    from intarsia.flow.table import TableAnswer

WORDS = ("recompute", "attention", "dtype", "grad_dtype", "schedule")


def _options(parser: ArgumentParser) -> None:
    cluster_options(parser, required=False)
    parser.add_argument("--plan", metavar="FILE", help="plan.json that `intarsia plan` wrote")
    parser.add_argument("--table", metavar="CSV", help="a run in each row; needs -o")
    parser.add_argument("-o", "--output", metavar="CSV", type=output_path("-o"), help="the predicted table")
    model_options(parser)
    degree_options(parser)
    run_options(parser)
    json_option(parser)


def _run(arguments: Namespace) -> int:
    if arguments.table is not None:
        return _table(arguments)
    if arguments.output is not None:
        raise InputError("only a table is written", where="-o", value=str(arguments.output), hint="--table runs.csv")
    from intarsia import flow

    if arguments.plan is not None:
        _refuse_beside(arguments, "plan", ("json",))
        from intarsia.flow.planning import predict_plan

        answer = predict_plan(path_of("--plan", arguments.plan))
    else:
        if not arguments.cluster:
            raise InputError("no cluster is given", allowed="--cluster NAMExN", hint="--cluster a100x64")
        answer = flow.predict_flags(vars(arguments))
    if arguments.json:
        print_json(predict_json(answer))
    else:
        _print(answer)
    return 0


def _refuse_beside(arguments: Namespace, alone: str, known: tuple[str, ...]) -> None:
    """Refuse flags that would be ignored.

    Args:
        arguments: as parsed.
        alone: what says everything by itself.
        known: what may stand beside it.

    Raises:
        InputError: if others were given.
    """
    plain = ArgumentParser()
    _options(plain)
    usual = vars(plain.parse_args([]))
    ignored = [name for name in usual if name not in {alone, *known} and getattr(arguments, name) != usual[name]]
    if ignored:
        flags = ", ".join("-o" if name == "output" else f"--{name.replace('_', '-')}" for name in ignored)
        raise InputError(f"--{alone} says this already", value=flags, hint=f"--{alone} without them")


def _table(arguments: Namespace) -> int:
    from intarsia import flow

    path = path_of("--table", arguments.table)
    _refuse_beside(arguments, "table", ("cluster", "calibration", "output", "json", *WORDS))
    if not arguments.cluster:
        raise InputError("no cluster is given", allowed="--cluster NAME", hint="--cluster a100")
    if not arguments.output:
        raise InputError("a table needs a file for its answer", hint="-o out.csv")
    refuse_unwritable(arguments.output)
    words = {name: getattr(arguments, name) for name in WORDS}
    with progress("rows") as told:
        answer = flow.predict_table(path, arguments.cluster, words, calibration=arguments.calibration, told=told)
    write_file(arguments.output, answer.text.encode())
    if arguments.json:
        print_json(table_json(answer))
    else:
        _print_table(answer, arguments.output)
    return 0


def _print(answer: PredictAnswer) -> None:
    found = answer.prediction
    memory = found.memory[found.fullest]
    low, high = found.interval
    print_fields(
        [
            ("model", f"{answer.model}, {count_text(answer.parameters)} parameters"),
            ("cluster", f"{answer.cluster.name}, {found.strategy.devices} of {answer.cluster.devices} devices"),
            ("ranks", ranks_text(answer.ranks)),
            ("iteration", f"{seconds_text(found.seconds)} ({seconds_text(low)} to {seconds_text(high)}, nine in ten)"),
            *(
                (name, f"{seconds_text(part)}  {percent_text(part, found.seconds)}")
                for name, part in answer.parts.items()
            ),
            ("tokens", f"{answer.tokens_per_second:,.0f} a second" if answer.tokens_per_second else ""),
            ("samples", "" if answer.tokens_per_second else f"{answer.samples_per_second:,.1f} a second"),
            ("utilisation", f"{percent_text(found.mfu, 1)} of the peak, by the model's own operations (MFU)"),
            ("GPU-hours", f"{answer.device_hours:.3g} an iteration"),
            *energy_fields(answer.energy, answer.cluster.chip.name),
            (
                "memory",
                f"{bytes_text(memory.total)} of {bytes_text(found.capacity)} on a device of stage {found.fullest}"
                + ("" if found.fits else ": DOES NOT FIT"),
            ),
            *((f"  {name}", bytes_text(size)) for name, size in memory.kinds().items() if size),
            *(("note", note) for note in answer.notes),
        ]
    )


def predict_json(answer: PredictAnswer) -> dict[str, Any]:
    """An answer as JSON."""
    from dataclasses import asdict

    found = answer.prediction
    memory = found.memory[found.fullest]
    return {
        "model": answer.model,
        "parameters": answer.parameters,
        "cluster": answer.cluster.name,
        "devices": found.strategy.devices,
        "ranks": {name: asdict(of) for name, of in answer.ranks.items()},
        "seconds": found.seconds,
        "interval": list(found.interval),
        "parts": answer.parts,
        "tokens_per_second": answer.tokens_per_second,
        "samples_per_second": answer.samples_per_second,
        "mfu": found.mfu,
        "device_hours": answer.device_hours,
        "energy": energy_json(answer.energy),
        "bytes_per_device": memory.kinds() | {"total": memory.total},
        "stage": found.fullest,
        "capacity": found.capacity,
        "fits": found.fits,
        "notes": list(answer.notes),
    }


def _print_table(answer: TableAnswer, output: Path) -> None:
    rows = [("rows", str(answer.rows)), ("written", str(output))]
    if answer.quality:
        found = answer.quality
        rows += [
            ("compared", str(found.rows)),
            ("MAPE", f"{100 * found.mape:.2f} %"),
            ("median error", f"{100 * found.median:.2f} %"),
            ("Kendall's tau", "–" if found.tau is None else f"{found.tau:.3f} over {found.groups} groups"),
            ("regret", "–" if found.regret is None else f"{100 * found.regret:.2f} %"),
        ]
    print_fields(rows)
    if answer.quality:
        print("\ntau and regret: within equal model, devices and global batch; regret: how much slower the run that")
        print("prediction chooses was measured than the best one")


def table_json(answer: TableAnswer) -> dict[str, Any]:
    """An answer as JSON."""
    found = answer.quality
    return {
        "rows": answer.rows,
        "compared": found.rows if found else 0,
        "mape": found.mape if found else None,
        "median": found.median if found else None,
        "tau": found.tau if found else None,
        "regret": found.regret if found else None,
        "groups": found.groups if found else 0,
    }


COMMAND = Command(
    "predict",
    "predict a training run: seconds and memory of a given strategy",
    "intarsia predict --model gpt3-175b --cluster a100x1024 --tp 8 --pp 16 --global-batch 1536",
    _options,
    _run,
    usage=(
        "intarsia predict --model NAME --cluster NAMExN --global-batch N ...",
        "intarsia predict --plan FILE",
        "intarsia predict --table CSV --cluster NAME -o CSV ...",
    ),
)
