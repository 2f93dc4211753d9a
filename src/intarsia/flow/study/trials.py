"""Best plans on chips that nobody searched for: neighbours and baselines, each kept, so that a study continues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields as dataclass_fields
from math import inf
from typing import Any, cast

import msgspec

from intarsia.ground import InputError
from intarsia.ground.resume import answer_all
from intarsia.ground.store import Json, Store
from intarsia.machines.chips import Efficiency, Mapping
from intarsia.machines.clusters import Cluster
from intarsia.machines.template import Point, TemplateSpace
from intarsia.models import read_model
from intarsia.place.choices import Choices
from intarsia.place.search import best_plan
from intarsia.place.strategy import Split, Strategy
from intarsia.search import Question, Training, search
from intarsia.solvers import Found, Infeasible, Limits, OutOfTime

LIMIT = 120.0
"""Seconds for one of them; a plan that took longer is the best so far, and says so."""
ANY = 1e9
"""A budget that no die is over, mm²."""
Told = Callable[[int, int], None]


class Trial(msgspec.Struct, frozen=True):
    """One question: the best plan of a model on a cluster.

    Attributes:
        model: what the user typed.
        cluster: chips and network; with a point, its chip does not count.
        point: of the chip, where it is of a template: the search's bounds then spare most schedules.
        efficiency: of the chips.
        mapping: how products are laid on tensor cores.
        global_batch, sequence: of an iteration.
        choose: choices of plans that are restricted.
    """

    model: str
    cluster: Cluster
    point: Point | None
    efficiency: Efficiency
    mapping: Mapping
    global_batch: int
    sequence: int
    choose: dict[str, tuple[bool | int | str, ...]]


class Tried(msgspec.Struct, frozen=True):
    """Its answer.

    Attributes:
        seconds: of an iteration; None where nothing fits.
        interval: of the prediction; None for the chip of a point.
        plan: the degrees; empty for the chip of a point, and where nothing fits.
        because: what is over where nothing fits, or what was not proved.
    """

    seconds: float | None
    interval: tuple[float, float] | None
    plan: str
    because: str


def tried(
    trials: Sequence[Trial], *, store: Store, workers: int, fresh: bool = False, told: Told = lambda _done, _of: None
) -> list[Tried]:
    """The answers to all trials; those that are kept are not asked again."""
    questions = [cast("Json", msgspec.to_builtins(one)) for one in trials]
    names = [f"{one.model} on {one.cluster.name}" for one in trials]
    found = answer_all(questions, _answer, store=store, workers=workers, fresh=fresh, told=told, names=names)
    return [msgspec.convert(one, Tried) for one in found]


def alone(point: Point) -> TemplateSpace:
    """The space of this chip only.

    Raises:
        InputError: there can be no such chip.
    """
    fields: dict[str, Any] = {field.name: (getattr(point, field.name),) for field in dataclass_fields(point)}
    fields |= {"hbm_gib": ()} if point.stacks else {}
    space = TemplateSpace(name="one chip", budget=ANY, least=0.0, **fields)
    if not len(space.points):
        raise InputError("no die can be so large", value=f"{point.area:.0f} mm²")
    return space


def _answer(question: Json) -> Json:
    trial = msgspec.convert(question, Trial)
    said = _planned(trial) if trial.point is None else _searched(trial, trial.point)
    return cast("Json", msgspec.to_builtins(said))


def _searched(trial: Trial, point: Point) -> Tried:
    """By the search of chips, whose space is this one."""
    training = Training(read_model(trial.model), trial.global_batch, trial.sequence, Choices().only(trial.choose))
    found = search(Question((training,), alone(point), trial.cluster, trial.efficiency, mapping=trial.mapping))
    if found.seconds[0] == inf:
        return Tried(None, None, "", "nothing fits")
    return Tried(found.seconds[0], None, "", "")


def _planned(trial: Trial) -> Tried:
    outcome = best_plan(
        read_model(trial.model),
        trial.cluster,
        trial.efficiency,
        trial.global_batch,
        trial.sequence,
        Choices().only(trial.choose),
        Limits(seconds=LIMIT),
        compare=False,
    )
    match outcome:
        case Found(plan):
            return Tried(plan.seconds, plan.prediction.interval, degrees_text(plan.strategy, plan.split), "")
        case OutOfTime(plan) if plan is not None:
            degrees = degrees_text(plan.strategy, plan.split)
            return Tried(plan.seconds, plan.prediction.interval, degrees, f"not proved within {LIMIT:g} s")
        case OutOfTime():
            return Tried(None, None, "", f"no plan was found within {LIMIT:g} s")
        case Infeasible(because):
            return Tried(None, None, "", f"nothing fits: {'; '.join(because)}")


def degrees_text(strategy: Strategy, split: Split) -> str:
    """The degrees of a plan that are not one, and its switches, in a line."""
    degrees = [
        (name, getattr(strategy, name)) for name in ("tensor", "pipeline", "data", "context", "expert", "interleave")
    ]
    shown = [f"{name} {value}" for name, value in degrees if value > 1]
    modes = sorted({str(mode) for mode in split.recompute})
    shown += [f"microbatch {strategy.microbatch}", f"ZeRO {strategy.zero}", f"recompute {'/'.join(modes)}"]
    return ", ".join(shown)
