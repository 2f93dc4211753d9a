"""How a search went, as the result keeps it: moments, and every chip that was looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf

from intarsia.flow.searching import SearchAnswer
from intarsia.flow.study.fields import NAMES, field_text
from intarsia.flow.study.result import LookedRecord, MomentRecord
from intarsia.machines.template import Point
from intarsia.search import Looked, Moment

AXES = ("area", "watts", "dollars")
ALWAYS = ("hbm_gib", "clock")
"""Fields that are told of a chip, chosen or not."""
MOST_MOMENTS = 400
"""Of a search that are kept; a better chip is always one of them."""


def history_of(moments: Sequence[Moment]) -> tuple[MomentRecord, ...]:
    """Moments, thinned out evenly; those where the best changed stay, and the last."""
    stride = -(-len(moments) // MOST_MOMENTS)
    kept = [
        moment
        for at, moment in enumerate(moments)
        if at % stride == 0 or at == len(moments) - 1 or moment.best != moments[at - 1].best
    ]
    return tuple(MomentRecord(one.wall, finite(one.best), finite(one.bound), one.looked, one.left) for one in kept)


def looked_at(answer: SearchAnswer, others: Sequence[SearchAnswer]) -> tuple[LookedRecord, ...]:
    """Every chip that a search looked at, and that others of the same question did; each once, as it is known best."""
    every: dict[Point, Looked] = {}
    for one in (one for of in (answer, *others) for one in of.searched.looked):
        known = every.get(one.point)
        if known is None or (one.score, -one.floor) < (known.score, -known.floor):
            every[one.point] = one
    fronts = {axis: _front(every.values(), axis) for axis in AXES}
    names = tuple(its.model.name for its in answer.question.trainings)
    values = answer.question.space.values
    told = [name for name in values if len(values[name]) > 1 or name in ALWAYS]
    return tuple(
        LookedRecord(
            name=str(point),
            fields={NAMES[name]: field_text(point, name) for name in told},
            area=point.area,
            value=finite(one.score),
            bound=finite(one.floor),
            seconds=dict(zip(names, map(finite, one.seconds), strict=True)),
            front=tuple(axis for axis in AXES if point in fronts[axis]),
            chosen=point == answer.searched.point,
            watts=point.watts,
            dollars=finite(point.dollars),
        )
        for point, one in every.items()
    )


def _front(every: Iterable[Looked], axis: str) -> set[Point]:
    """Chips whose value no other one has that needs as little."""
    points: set[Point] = set()
    least = inf
    for one in sorted(every, key=lambda one: (getattr(one.point, axis), one.score)):
        if one.score < least:
            points.add(one.point)
            least = one.score
    return points


def finite(value: float) -> float | None:
    """The value, None for infinity, which JSON does not have."""
    return value if value < inf else None
