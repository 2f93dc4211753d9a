"""``intarsia serve … --space NAME|FILE``: the chip of a space that serves best, and its deployment."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from math import inf
from typing import TYPE_CHECKING, Any

from intarsia.cli.choices import end_of_progress, restrictions, told_on_terminal
from intarsia.cli.printing import print_fields, print_json
from intarsia.ground import InputError
from intarsia.ground.units import count_text, seconds_text

if TYPE_CHECKING:
    from intarsia.flow.serving_search import ServingSearchAnswer
    from intarsia.place.serving import ServingPlan

UNITS = {
    "chip": "tokens/s",
    "area": "tokens/s each mm²",
    "watt": "tokens/s each watt",
    "dollar": "tokens/s each dollar",
}
ALONE = {"objective": "throughput", "hbm": "", "audit": 0}
"""Options that a space needs, with what they are if nobody says anything."""


def space_options(parser: ArgumentParser) -> None:
    """The options of a search over chips."""
    of_chips = parser.add_argument_group("instead of the cluster's chip")
    add = of_chips.add_argument
    add("--space", metavar="NAME|FILE", default="", help="the best chip of phaze, wide or a TOML file")
    add(
        "--objective", metavar="WHAT", default=ALONE["objective"],
        help="throughput (default), throughput-per-area, throughput-per-watt, throughput-per-dollar",
    )  # fmt: skip
    add("--hbm", metavar="GIB,GIB", default=ALONE["hbm"], help="capacities of phaze (default 80)")
    add("--audit", metavar="N", type=int, default=ALONE["audit"], help="evaluate N removed chips in full as well")


def refuse_without_space(arguments: Namespace) -> None:
    """Refuses options that only a search over chips has a use for.

    Raises:
        InputError: one of them is there.
    """
    for name, nothing in ALONE.items():
        value = getattr(arguments, name)
        if value != nothing:
            raise InputError("there are no chips to choose from", where=f"--{name}", value=str(value), hint="--space")


def run_space(arguments: Namespace) -> int:
    """Search, and print the answer."""
    from intarsia.flow.serving_search import search_serving_chip

    answer = search_serving_chip(
        arguments.model,
        arguments.cluster,
        arguments.prompt,
        arguments.output,
        space=arguments.space,
        hbm_gib=_sizes(arguments.hbm),
        objective=arguments.objective,
        ttft=arguments.ttft,
        tpot=arguments.tpot,
        batch=arguments.batch,
        phase=arguments.phase,
        only=restrictions(arguments.only),
        dtype=arguments.dtype,
        cache=arguments.kv_dtype,
        calibration=arguments.calibration,
        audited=arguments.audit,
        told=told_on_terminal,
    )
    end_of_progress()
    if arguments.json:
        print_json(space_json(answer))
    else:
        _print(answer)
    return 0


def _sizes(text: str) -> tuple[int, ...]:
    parts = text.split(",") if text else []
    if not all(part.strip().isdecimal() for part in parts):
        raise InputError("this is no list of GiB", where="--hbm", value=text, hint="32,64,80")
    return tuple(int(part) for part in parts)


def _print(answer: ServingSearchAnswer) -> None:
    found, proof, task = answer.searched, answer.searched.certificate, answer.question.task
    limits = (("ttft", task.ttft), ("tpot", task.tpot))
    asked = "".join(f", {name} {seconds_text(limit)} at most" for name, limit in limits if limit < inf)
    fields = [
        ("model", f"{answer.model.name}, {count_text(answer.model.parameters)} parameters"),
        ("cluster", f"{task.cluster.name}, {task.cluster.devices} devices"),
        ("asked", f"{task.output} tokens to a prompt of {task.prompt}{asked}"),
        ("space", f"{answer.question.space.name}, {count_text(proof.points)} chips"),
    ]
    plan, point = answer.plan, found.point
    if plan is None or point is None:
        because = [("because", text) for text in getattr(answer.outcome, "because", ())]
        fields += [("outcome", "no chip serves so"), ("for example", str(found.nearest)), *because]
        fields.append(("try", getattr(answer.outcome, "relaxation", "")))
    else:
        used = f"{point.area:.1f} mm², {point.watts:.0f} W at most, ${point.dollars:,.0f}"
        fields += [("optimum", str(point)), ("it takes", used), *_pace(plan), *_score(answer)]
    fields += [
        ("removed", f"{count_text(proof.bounded)} by bounds from their rates, {count_text(proof.cut)} when looked at"),
        ("evaluated", f"{count_text(proof.evaluated)} in full"),
        ("search", f"{seconds_text(found.wall)}, {count_text(found.bounds)} bounds"),
    ]
    if answer.audit is not None:
        fields.append(("audit", f"{answer.audit.checked} removed chips evaluated, {len(answer.audit.beaten)} better"))
    print_fields([*fields, *(("note", note) for note in answer.notes)])


def _pace(plan: ServingPlan) -> list[tuple[str, str]]:
    pace, its = plan.pace, plan.deployment
    cut = f"tensor {its.tensor}, pipeline {its.pipeline}, expert {its.expert}, data {its.data}"
    many = "1 prompt" if its.prompts == 1 else f"{its.prompts} prompts"
    times = (("first token", pace.ttft), ("between tokens", pace.tpot))
    return [
        ("throughput", f"{pace.tokens_per_second:,.6g} tokens/s"),
        ("deployment", f"{cut}, batch {its.batch}, {many} at once"),
        *((name, seconds_text(seconds)) for name, seconds in times if seconds),
    ]


def _score(answer: ServingSearchAnswer) -> list[tuple[str, str]]:
    """The bound, and the objective where it is not simply tokens per second."""
    found, per = answer.searched, answer.question.per
    score = [] if per == "chip" else [("score", f"{found.score:.6g} {UNITS[per]}")]
    bound = f"{found.certificate.bound:.6g} {UNITS[per]}: gap {found.gap:.2%}, whatever the schedules"
    return [*score, ("bound", bound)]


def space_json(answer: ServingSearchAnswer) -> dict[str, Any]:
    """An answer as JSON; without a chip, what of it is missing is null."""
    found, proof, question = answer.searched, answer.searched.certificate, answer.question
    task, plan, point = question.task, answer.plan, found.point
    return {
        "outcome": "found" if plan else "infeasible",
        "because": list(getattr(answer.outcome, "because", ())),
        "relaxation": getattr(answer.outcome, "relaxation", "") or None,
        "nearest": asdict(found.nearest),
        "model": answer.model.name,
        "parameters": answer.model.parameters,
        "cluster": task.cluster.name,
        "devices": task.cluster.devices,
        "prompt": task.prompt,
        "output": task.output,
        "reads": task.reads,
        "limits": {name: limit if limit < inf else None for name, limit in (("ttft", task.ttft), ("tpot", task.tpot))},
        "dtype": task.dtype,
        "kv_dtype": task.cache,
        "space": question.space.name,
        "objective": question.per,
        "combinations": question.space.combinations,
        "points": proof.points,
        "optimum": None
        if point is None
        else {**asdict(point), "area_mm2": point.area, "watts": point.watts, "dollars": point.dollars},
        "score": found.score if plan else None,
        "tokens_per_second": plan.pace.tokens_per_second if plan else None,
        "ttft": plan.pace.ttft if plan else None,
        "tpot": plan.pace.tpot if plan else None,
        "deployment": asdict(plan.deployment) | {"batch": plan.deployment.batch} if plan else None,
        "bound": proof.bound if plan else None,
        "gap": found.gap if plan else None,
        "evaluated": proof.evaluated,
        "removed": {"bounds": proof.bounded, "cut": proof.cut},
        "bounds": found.bounds,
        "seconds": found.wall,
        "audit": None
        if answer.audit is None
        else {"checked": answer.audit.checked, "beaten": [str(one) for one in answer.audit.beaten]},
        "notes": list(answer.notes),
    }
