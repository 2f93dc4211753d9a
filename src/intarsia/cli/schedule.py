"""``intarsia schedule MODEL --chip NAME``: a layer's operators on the cores of a chip, proved."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from intarsia.cli.command import Command, json_option, output_path
from intarsia.cli.printing import print_fields, print_json, print_table
from intarsia.cli.strategy_options import calibration_option
from intarsia.ground import InputError, refuse_unwritable, write_file
from intarsia.ground.units import percent_text, seconds_text

if TYPE_CHECKING:
    from intarsia.flow.scheduling import ScheduleAnswer
    from intarsia.schedule import ScheduleProblem


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a name (`intarsia models`), a config.json, an .onnx file")
    parser.add_argument("--chip", metavar="NAME", required=True, help="a name (`intarsia chips`), or a file")
    parser.add_argument("--layer", metavar="NAME", default="", help="which layer (default: the most repeated one)")
    parser.add_argument("--microbatch", metavar="N", type=int, default=1, help="sequences or images (default 1)")
    parser.add_argument("--seq", metavar="S", type=int, default=0, help="tokens (default: the model's own)")
    parser.add_argument("--tensor", metavar="T", type=int, default=1, help="devices that share each matrix (default 1)")
    parser.add_argument("--recompute", metavar="WORD", default="none", help="none (default), selective or full")
    parser.add_argument("--attention", metavar="WORD", default="eager", help="eager (default) or flash")
    parser.add_argument("--tensor-cores", metavar="N", type=int, help="instead of the chip's")
    parser.add_argument("--vector-cores", metavar="N", type=int, help="instead of the chip's")
    calibration_option(parser)
    parser.add_argument("--limit", metavar="S", type=float, default=10.0, help="seconds of search (default 10)")
    parser.add_argument(
        "--trace", metavar="FILE", type=output_path("--trace"), help="write the timeline for ui.perfetto.dev"
    )
    parser.add_argument("--svg", metavar="FILE", type=output_path("--svg"), help="write the timeline as a picture")
    json_option(parser)


def _run(arguments: Namespace) -> int:
    from intarsia.flow.scheduling import schedule_layer
    from intarsia.schedule import svg, trace_json

    outputs = [path for path in (arguments.trace, arguments.svg) if path is not None]
    for path in outputs:
        refuse_unwritable(path)
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise InputError("the trace and the picture are one file", value=str(arguments.svg), allowed="two names")
    answer = schedule_layer(
        arguments.model,
        arguments.chip,
        layer=arguments.layer,
        microbatch=arguments.microbatch,
        sequence=arguments.seq,
        tensor=arguments.tensor,
        recompute=arguments.recompute,
        attention=arguments.attention,
        tensor_cores=arguments.tensor_cores,
        vector_cores=arguments.vector_cores,
        calibration=arguments.calibration,
        limit=arguments.limit,
    )
    title = f"{answer.layer.name} of {answer.model} on {answer.chip.name}"
    if arguments.trace is not None:
        write_file(arguments.trace, trace_json(answer.tasks.problem, answer.schedule, name=title))
    if arguments.svg is not None:
        write_file(arguments.svg, svg(answer.tasks.problem, answer.schedule, title=title))
    if arguments.json:
        print_json(_json(answer))
    else:
        _print(answer)
    return 0


def _print(answer: ScheduleAnswer) -> None:
    found, problem = answer.schedule, answer.tasks.problem
    proof = (
        "proved optimal" if answer.proved else f"bound {seconds_text(found.bound)}, gap {percent_text(found.gap, 1)}"
    )
    print_fields(
        [
            ("layer", f"{answer.layer.name} of {answer.model}, {answer.layer.repeat} times"),
            ("chip", f"{answer.chip.name}, {_chip_cores(problem)} cores"),
            ("makespan", f"{seconds_text(found.makespan)}, {proof}"),
            ("HBM alone", seconds_text(answer.tasks.hbm)),
            ("operators", str(len(problem.tasks))),
            ("seconds", f"{answer.seconds:.2f} of search"),
            *(("note", note) for note in answer.notes),
        ]
    )
    print()
    rows = []
    for slot, task in zip(found.slots, problem.tasks, strict=True):
        cores = _cores(slot.cores, spread=slot.spread)
        rows.append(
            (slot.task, task.kind_on(second=slot.second), cores, seconds_text(slot.start), seconds_text(slot.finish))
        )
    print_table(("operator", "kind", "cores", "start", "finish"), rows, right=("start", "finish"))


def _chip_cores(problem: ScheduleProblem) -> str:
    second = f", {problem.second_cores} second tensor" if problem.second_cores else ""
    return f"{problem.tensor_cores} tensor{second} and {problem.vector_cores} vector"


def _cores(cores: tuple[int, ...], *, spread: bool) -> str:
    return f"all {len(cores)}" if spread and len(cores) > 1 else ", ".join(str(core) for core in cores)


def _json(answer: ScheduleAnswer) -> dict[str, Any]:
    found = answer.schedule
    return {
        "model": answer.model,
        "layer": answer.layer.name,
        "repeat": answer.layer.repeat,
        "chip": answer.chip.name,
        "tensor_cores": answer.tasks.problem.tensor_cores,
        "second_tensor_cores": answer.tasks.problem.second_cores,
        "vector_cores": answer.tasks.problem.vector_cores,
        "makespan": found.makespan,
        "bound": found.bound,
        "gap": found.gap,
        "proved": answer.proved,
        "hbm_seconds": answer.tasks.hbm,
        "seconds": answer.seconds,
        "notes": list(answer.notes),
        "slots": [
            {
                "operator": slot.task,
                "kind": str(task.kind_on(second=slot.second)),
                "cores": list(slot.cores),
                "spread": slot.spread,
                "start": slot.start,
                "finish": slot.finish,
            }
            for slot, task in zip(found.slots, answer.tasks.problem.tasks, strict=True)
        ],
    }


COMMAND = Command(
    "schedule",
    "schedule a layer's operators on the cores of a chip, with proof",
    "intarsia schedule llama2-7b --chip tpuv4-like --trace layer.json",
    _options,
    _run,
    usage=("intarsia schedule MODEL --chip NAME ...",),
)
