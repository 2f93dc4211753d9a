"""``intarsia serve MODEL --cluster NAMExN --prompt S --output T``: the deployment with the most tokens per second.

With ``--space``, the chip as well (``serve_space.py``).
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from math import inf
from typing import TYPE_CHECKING, Any

from intarsia.cli.command import Command, json_option
from intarsia.cli.printing import print_fields, print_json, print_table
from intarsia.cli.serve_space import refuse_without_space, run_space, space_options
from intarsia.cli.serving import head_fields, head_json, wanted
from intarsia.cli.strategy_options import cluster_options
from intarsia.ground.units import bytes_text, percent_text, seconds_text, tokens_text

if TYPE_CHECKING:
    from intarsia.flow.serving import ServingAnswer
    from intarsia.place.serving import Deployment, Parts, Served, ServingPlan

COLUMNS = ("tensor", "pipeline", "expert", "data", "batch", "prompts")


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a name (`intarsia models`) or a config.json")
    cluster_options(parser)
    parser.add_argument("--prompt", metavar="S", type=int, required=True, help="tokens of a prompt")
    parser.add_argument("--output", metavar="T", type=int, required=True, help="tokens of an answer")
    parser.add_argument("--ttft", metavar="SECONDS", type=float, default=inf, help="to the first token, at most")
    parser.add_argument("--tpot", metavar="SECONDS", type=float, default=inf, help="between tokens, at most")
    parser.add_argument("--batch", metavar="B", type=int, default=0, help="sequences of one replica (default: any)")
    parser.add_argument(
        "--phase", metavar="WORD", default="both", help="both (default), or prefill or decode on devices of its own"
    )
    parser.add_argument(
        "--only", metavar="CHOICE=V,V", action="append", default=[],
        help="restrict a choice: tensor, pipeline, expert, data, prompts (read at once), batch",
    )  # fmt: skip
    parser.add_argument("--dtype", metavar="WORD", default="bf16", help="of weights and products: bf16 (default), fp8")
    parser.add_argument("--kv-dtype", metavar="WORD", default="bf16", help="of keys and values: bf16 (default), fp8")
    space_options(parser)
    json_option(parser)


def _run(arguments: Namespace) -> int:
    if arguments.space:
        return run_space(arguments)
    refuse_without_space(arguments)
    from intarsia.flow.serving import serve_model

    answer = serve_model(arguments.model, arguments.cluster, wanted(arguments))
    if arguments.json:
        print_json(serving_json(answer))
    else:
        _print(answer)
    return 0


def _print(answer: ServingAnswer) -> None:
    head = head_fields(answer.model, answer.task)
    plan = answer.plan
    if plan is None:
        because = [("because", text) for text in answer.because]
        print_fields([*head, ("outcome", "nothing can be served so"), *because, ("try", answer.relaxation)])
        return
    print_fields([*head, *_pace(plan), *_memory(answer, plan), *(("note", note) for note in answer.notes)])
    print()
    served = (plan.best, *plan.runners_up)
    rows = [_row("best" if at == 1 else f"{at}.", one) for at, one in enumerate(served, 1)]
    print_table(("plan", "tokens/s", "ttft", "tpot", *COLUMNS), rows, right=("tokens/s", "ttft", "tpot", *COLUMNS))
    if plan.tie:
        print("\nthe runner-up lies within the prediction's interval: measure both")


def _pace(plan: ServingPlan) -> list[tuple[str, str]]:
    pace, deployment = plan.pace, plan.deployment
    low, high = plan.interval
    read = f"{deployment.prompts} prompts at once" if deployment.prompts > 1 else "one prompt at a time"
    reading = [
        ("first token", f"{seconds_text(pace.ttft)}, {read}"),
        ("  a prompt", f"{seconds_text(pace.prefill)} of the slowest stage: {_parts(plan.prefill)}"),
    ]
    between = f"{tokens_text(low)} to {tokens_text(high)}"
    rate = f"{tokens_text(pace.tokens_per_second)} tokens/s ({between}); no deployment makes more"
    fields = [
        ("throughput", rate),
        *(reading if pace.ttft else ()),
    ]
    if pace.step:
        floor = f"the HBM alone {seconds_text(plan.hbm_step)}, {percent_text(plan.hbm_step, pace.step)}"
        fields += [
            ("between tokens", f"{seconds_text(pace.tpot)}, a step and its share of other prompts"),
            ("  a step", f"{seconds_text(pace.step)}: {_parts(plan.decode)}"),
            ("  roofline", f"{floor} of it: weights that are read, and the cache"),
        ]
    return fields


def _parts(parts: Parts) -> str:
    kinds = {name: seconds for name, seconds in parts.kinds().items() if seconds > 0}
    whole = sum(kinds.values())
    return ", ".join(f"{name} {percent_text(seconds, whole)}" for name, seconds in kinds.items())


def _memory(answer: ServingAnswer, plan: ServingPlan) -> list[tuple[str, str]]:
    memory = plan.memory[plan.fullest]
    layers = [sum(names.values()) for names in answer.stages]
    runs: list[list[int]] = []
    for size in layers:
        if runs and runs[-1][0] == size:
            runs[-1][1] += 1
        else:
            runs.append([size, 1])
    return [
        ("memory", f"{bytes_text(memory.total)} of {bytes_text(plan.capacity)}, stage {plan.fullest}"),
        ("  kinds", ", ".join(f"{name} {bytes_text(size)}" for name, size in memory.kinds().items() if size)),
        ("stages", ", ".join(f"{many} × {size} layers" if many > 1 else f"{size} layers" for size, many in runs)),
        ("search", _search(plan, answer.outcome.effort.seconds)),
    ]


def _search(plan: ServingPlan, seconds: float) -> str:
    considered = plan.considered
    parts = (
        f"{considered.degrees} ways to cut a replica",
        f"{considered.full} do not fit",
        f"{considered.late} too late",
        f"{considered.slower} bounded away",
        f"{considered.solved} solved",
        f"{seconds:.2f} s",
    )
    return ", ".join(parts)


def _row(name: str, served: Served) -> tuple[str, ...]:
    pace, degrees = served.pace, _degrees(served.deployment)
    times = (tokens_text(pace.tokens_per_second), seconds_text(pace.ttft), seconds_text(pace.tpot))
    return (name, *times, *(str(degrees[column]) for column in COLUMNS))


def _degrees(deployment: Deployment) -> dict[str, int]:
    names = ("tensor", "pipeline", "expert", "data", "batch", "sequences", "prompts")
    return {name: getattr(deployment, name) for name in names}


def serving_json(answer: ServingAnswer) -> dict[str, Any]:
    """An answer as JSON; without a plan its fields are null or empty."""
    plan = answer.plan
    memory = plan.memory[plan.fullest] if plan else None
    return {
        "outcome": "found" if plan else "infeasible",
        "because": list(answer.because),
        "relaxation": answer.relaxation or None,
        **head_json(answer.model, answer.task),
        "tokens_per_second": plan.pace.tokens_per_second if plan else None,
        "interval": list(plan.interval) if plan else None,
        "ttft": plan.pace.ttft if plan else None,
        "tpot": plan.pace.tpot if plan else None,
        "step": plan.pace.step if plan else None,
        "prompt_seconds": plan.pace.prefill if plan else None,
        "parts": {"step": plan.decode.kinds(), "prompt": plan.prefill.kinds()} if plan else None,
        "hbm_step": plan.hbm_step if plan else None,
        "deployment": _degrees(plan.deployment) if plan else None,
        "idle": plan.idle if plan else None,
        "bytes_per_device": memory.kinds() | {"total": memory.total} if memory else None,
        "stage": plan.fullest if plan else None,
        "capacity": plan.capacity if plan else None,
        "stages": [
            {"layers": names, "bytes_per_device": stage.total}
            for names, stage in zip(answer.stages, plan.memory if plan else (), strict=True)
        ],
        "considered": _considered(plan) if plan else None,
        "runners_up": [_served(one) for one in plan.runners_up] if plan else [],
        "tie": plan.tie if plan else None,
        "search_seconds": answer.outcome.effort.seconds,
        "notes": list(answer.notes),
    }


def _served(served: Served) -> dict[str, Any]:
    pace = served.pace
    paces = {"tokens_per_second": pace.tokens_per_second, "ttft": pace.ttft, "tpot": pace.tpot}
    return paces | {"deployment": _degrees(served.deployment)}


def _considered(plan: ServingPlan) -> dict[str, int]:
    names = ("degrees", "full", "late", "slower", "solved")
    return {name: getattr(plan.considered, name) for name in names}


COMMAND = Command(
    "serve",
    "find the deployment of a model that answers the most tokens a second, with proof",
    "intarsia serve llama3-70b --cluster h100x8 --prompt 2048 --output 256 --ttft 1 --tpot 0.05",
    _options,
    _run,
    usage=(
        "intarsia serve MODEL --cluster NAMExN --prompt S --output T ...",
        "intarsia serve MODEL --cluster NAMExN --prompt S --output T --space NAME|FILE ...",
    ),
)
