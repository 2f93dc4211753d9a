"""The check of a plan: what was asked and a plan come in, what is wrong goes out; nothing is taken from the search.

Seconds and bytes are worked out again from the model; the bound is checked for what can be seen without a proof.
"""

from __future__ import annotations

from math import isclose

from intarsia.graph import Model
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.clusters import Cluster
from intarsia.place.check_others import check_others
from intarsia.place.check_strategy import TOLERANCE, Asked, check_strategy
from intarsia.place.plan import Plan
from intarsia.place.predict import Prediction, predict_split


def check_plan(
    model: Model, cluster: Cluster, efficiency: Efficiency, global_batch: int, sequence: int, plan: Plan
) -> tuple[str, ...]:
    """One text for each violation, none if the plan is right.

    Args:
        model: what is trained.
        cluster: where.
        efficiency: what seconds are priced with.
        global_batch: sequences of an iteration.
        sequence: tokens of a sequence.
        plan: the answer.
    """
    asked = Asked(model, cluster, efficiency, global_batch, sequence)
    found = [*_named(asked, plan), *check_strategy(asked, plan.strategy, plan.split, plan.idle)]
    if found:
        return tuple(found)
    again = predict_split(model, asked.profile(plan.strategy.variant), plan.strategy, plan.split)
    return (*_memory(again, plan), *_seconds(again, plan), *_prediction(again, plan), *check_others(asked, plan))


def _named(asked: Asked, plan: Plan) -> list[str]:
    found = []
    if (plan.model, plan.cluster) != (asked.model.name, asked.cluster.name):
        found.append(f"the plan is for {plan.model} on {plan.cluster}, not {asked.model.name} on {asked.cluster.name}")
    if plan.devices != asked.cluster.devices:
        found.append(f"the plan is for {plan.devices} devices, not {asked.cluster.devices}")
    return found


def _memory(again: Prediction, plan: Plan) -> list[str]:
    found = []
    for stage, memory in enumerate(again.memory):
        if memory.total > again.capacity:
            found.append(f"stage {stage} needs {memory.total} bytes of {again.capacity}")
    for stage, (memory, said) in enumerate(zip(again.memory, plan.prediction.memory, strict=False)):
        if memory != said:
            found.append(f"stage {stage} needs {memory}, not {said}")
    if len(again.memory) != len(plan.prediction.memory):
        found.append(f"bytes are said of {len(plan.prediction.memory)} stages, there are {len(again.memory)}")
    return found


def _seconds(again: Prediction, plan: Plan) -> list[str]:
    found = []
    seconds = again.seconds
    if not abs(seconds - plan.seconds) <= TOLERANCE * seconds:
        found.append(f"the plan takes {seconds} s, not {plan.seconds} s")
    if not 0 < plan.bound <= seconds * (1 + TOLERANCE):
        found.append(f"the bound {plan.bound} s is not between 0 and the plan's {seconds} s")
    return found


def _prediction(again: Prediction, plan: Plan) -> list[str]:
    """What the prediction says beside seconds and bytes."""
    said = plan.prediction
    found = [
        f"the prediction's {name} is not the plan's"
        for name in ("strategy", "split")
        if getattr(said, name) != getattr(plan, name)
    ]
    found += [
        f"the {name} is {getattr(again, name)}, not {getattr(said, name)}"
        for name in ("capacity", "efficiency")
        if getattr(again, name) != getattr(said, name)
    ]
    pairs = {name: (getattr(again.time, name), getattr(said.time, name)) for name in _PARTS}
    pairs |= {"utilisation": (again.mfu, said.mfu)}
    pairs |= {
        f"interval's {name}": pair
        for name, pair in zip(("start", "end"), zip(again.interval, said.interval, strict=True), strict=True)
    }
    found += [
        f"the {name} is {right}, not {told}"
        for name, (right, told) in pairs.items()
        if not isclose(right, told, rel_tol=TOLERANCE, abs_tol=TOLERANCE * again.seconds)
    ]
    loads = [stage.load for stage in again.time.stages], [stage.load for stage in said.time.stages]
    if len(loads[0]) != len(loads[1]) or not all(
        isclose(right, told, rel_tol=TOLERANCE) for right, told in zip(*loads, strict=True)
    ):
        found.append(f"the stages take {loads[0]} s, not {loads[1]} s")
    return found


_PARTS = ("compute", "communication", "bubble", "optimizer")
