"""What a plan is compared with: runners-up, the price of each choice, and the count of what the search removed.

Each of these plans is worked out again, and what is said of them must not contradict any plan that is known: no bound
lies above a plan that it is a bound of.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import isclose

from intarsia.place.check_strategy import TOLERANCE, Asked, check_strategy
from intarsia.place.memory import stage_memory
from intarsia.place.plan import Candidate, Plan, Price
from intarsia.place.step import step_time


def check_others(asked: Asked, plan: Plan) -> tuple[str, ...]:
    """One text for each violation; the plan itself is expected to be right."""
    known = [Candidate(plan.strategy, plan.split, plan.seconds, plan.bound, plan.idle), *plan.runners_up]
    known += [price.best for price in plan.prices if price.best]
    names = ["the plan", *(f"runner-up {number}" for number in range(1, len(plan.runners_up) + 1))]
    names += [f"the best plan with {_said(price)}" for price in plan.prices if price.best]
    wrong = [
        f"{name}: {text}"
        for name, one in list(zip(names, known, strict=True))[1:]
        for text in _candidate(asked, plan, one)
    ]
    if wrong:
        return tuple(wrong)
    return (
        *_runners(plan, known),
        *(text for price in plan.prices for text in _price(plan, price, known)),
        *_removed(plan),
    )


def _candidate(asked: Asked, plan: Plan, one: Candidate) -> Iterator[str]:
    wrong = check_strategy(asked, one.strategy, one.split, one.idle)
    yield from wrong
    if wrong:
        return
    profile = asked.profile(one.strategy.variant)
    seconds = step_time(profile, one.strategy, one.split).seconds
    if not isclose(seconds, one.seconds, rel_tol=TOLERANCE):
        yield f"it takes {seconds} s, not {one.seconds} s"
    if not 0 < one.bound <= seconds * (1 + TOLERANCE):
        yield f"the bound {one.bound} s is not between 0 and its {seconds} s"
    if seconds < plan.seconds * (1 - TOLERANCE):
        yield f"it takes {seconds} s, less than the plan"
    for stage in range(one.strategy.pipeline):
        total = stage_memory(profile, one.strategy, one.split, stage).total
        if total > asked.cluster.chip.hbm_bytes:
            yield f"stage {stage} needs {total} bytes of {asked.cluster.chip.hbm_bytes}"


def _runners(plan: Plan, known: list[Candidate]) -> Iterator[str]:
    """Runners-up differ in their degrees, come in order, and leave out nothing that is known."""
    listed = [_degrees(plan), *(_degrees(one) for one in plan.runners_up)]
    if len(set(listed)) < len(listed):
        yield "two of the plan and its runners-up have the same degrees"
    seconds = [one.seconds for one in plan.runners_up]
    if any(before > after * (1 + TOLERANCE) for before, after in pairwise(seconds)):
        yield "the runners-up are not in the order of their seconds"
    if not plan.runners_proved:
        return
    missing = [one.seconds for one in known if _degrees(one) not in listed]
    if seconds and missing and min(missing) < seconds[-1] * (1 - TOLERANCE):
        yield f"a plan of {min(missing)} s is no runner-up, one of {seconds[-1]} s is"


def _degrees(one: Candidate | Plan) -> tuple[int, ...]:
    its = one.strategy
    return its.tensor, its.pipeline, its.data, its.context, its.expert


def _price(plan: Plan, price: Price, known: list[Candidate]) -> Iterator[str]:
    if price.best and not _has(price.best, price):
        yield f"the best plan with {_said(price)} has another {price.choice}"
    for one in known:
        if _has(one, price) and price.bound > one.seconds * (1 + TOLERANCE):
            yield f"a plan with {_said(price)} takes {one.seconds} s, less than its bound {price.bound} s"
            break
    seconds = price.best.seconds if price.best else price.bound
    if not isclose(price.times, seconds / plan.seconds, rel_tol=TOLERANCE):
        yield f"{_said(price)} costs {seconds / plan.seconds} of the plan, not {price.times}"


def _has(one: Candidate, price: Price) -> bool:
    """Whether a plan has the value that a price is of."""
    if price.choice == "recompute":
        return all(mode.value == price.value for mode in one.split.recompute)
    value = getattr(one.strategy, price.choice)
    if price.choice == "sequence_parallel":
        return price.value == ("on" if value else "off")
    return price.value == str(value)


def _said(price: Price) -> str:
    return f"{price.choice} {price.value}"


def _removed(plan: Plan) -> Iterator[str]:
    """All strategies are accounted for."""
    counts = plan.removed
    parts = (counts.states, counts.room, counts.unsplit, counts.slower, counts.solved)
    if min(parts) < 0 or sum(parts) != counts.strategies:
        yield f"{sum(parts)} strategies are accounted for, there are {counts.strategies}"
