"""``intarsia serve … --space NAME|FILE``: the chip of a space that serves best, and its deployment."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from intarsia.cli.chip_search import (
    OBJECTIVE,
    audit_options,
    chip_json,
    chip_options,
    ending,
    proof_json,
    taken_text,
)
from intarsia.cli.choices import end_of_progress, told_on_terminal
from intarsia.cli.printing import print_fields, print_json
from intarsia.cli.serving import head_fields, head_json, wanted
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
ALONE = {"objective": OBJECTIVE, "hbm": (), "audit": 0, "seed": 0, "fresh": False}
"""Options that a space needs, with what they are if nobody says anything."""


def space_options(parser: ArgumentParser) -> None:
    """The options of a search over chips."""
    add = parser.add_argument_group("instead of the cluster's chip").add_argument
    add("--space", metavar="NAME|FILE", default="", help="the best chip of phaze, wide or a TOML file")
    chip_options(add)
    audit_options(add)
    add("--fresh", action="store_true", help="find again what an earlier run has stored")


def refuse_without_space(arguments: Namespace) -> None:
    """Refuses options that only a search over chips has a use for.

    Raises:
        InputError: one of them is there.
    """
    for name, nothing in ALONE.items():
        value = getattr(arguments, name)
        if value != nothing:
            text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            raise InputError("there are no chips to choose from", where=f"--{name}", value=text, hint="--space")


def run_space(arguments: Namespace) -> int:
    """Search, and print the answer."""
    from intarsia.flow.serving_search import search_serving_chip

    answer = search_serving_chip(
        arguments.model,
        arguments.cluster,
        wanted(arguments),
        space=arguments.space,
        hbm_gib=arguments.hbm,
        objective=arguments.objective,
        audited=arguments.audit,
        seed=arguments.seed,
        fresh=arguments.fresh,
        told=told_on_terminal,
    )
    end_of_progress()
    if arguments.json:
        print_json(space_json(answer))
    else:
        _print(answer)
    return 0


def _print(answer: ServingSearchAnswer) -> None:
    found, proof, task = answer.searched, answer.searched.certificate, answer.question.task
    fields = head_fields(answer.model, task)
    fields.append(("space", f"{answer.question.space.name}, {count_text(proof.points)} chips"))
    plan, point = answer.plan, found.point
    if plan is None or point is None:
        because = [("because", text) for text in getattr(answer.outcome, "because", ())]
        fields += [("outcome", "no chip serves so"), ("for example", str(found.nearest)), *because]
        fields.append(("try", getattr(answer.outcome, "relaxation", "")))
    else:
        fields += [("optimum", str(point)), ("it takes", taken_text(point)), *_pace(plan), *_score(answer)]
    took = f"{seconds_text(found.wall)}, {count_text(found.bounds)} bounds"
    fields += ending(proof, "bounds from their rates", took, answer.audit)
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
        **head_json(answer.model, task),
        "space": question.space.name,
        "objective": question.per,
        "combinations": question.space.combinations,
        **proof_json(proof, answer.audit),
        "optimum": None if point is None else chip_json(point),
        "score": found.score if plan else None,
        "tokens_per_second": plan.pace.tokens_per_second if plan else None,
        "ttft": plan.pace.ttft if plan else None,
        "tpot": plan.pace.tpot if plan else None,
        "deployment": asdict(plan.deployment) | {"batch": plan.deployment.batch} if plan else None,
        "bound": proof.bound if plan else None,
        "gap": found.gap if plan else None,
        "bounds": found.bounds,
        "seconds": found.wall,
        "notes": list(answer.notes),
    }
