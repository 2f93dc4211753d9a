"""How a search went, as the result keeps it: moments, and every chip that was looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf

from intarsia.flow.searching import SearchAnswer
from intarsia.flow.study.fields import NAMES, field_text
from intarsia.flow.study.result import LookedRecord, MomentRecord
from intarsia.machines.template import Point, TemplateSpace
from intarsia.place.plan import EQUAL
from intarsia.search import Moment

AXES = ("area", "watts", "dollars")
ALWAYS = ("hbm_gib", "clock")
"""Fields that are told of a chip, chosen or not."""
MOST_MOMENTS = 400
"""Of a search that are kept; a better chip is always one of them."""


def history_of(moments: Sequence[Moment]) -> tuple[MomentRecord, ...]:
    """Moments of a search, not too many."""
    return thinned(
        [MomentRecord(one.wall, finite(one.best), finite(one.bound), one.looked, one.left) for one in moments]
    )


def thinned(moments: Sequence[MomentRecord]) -> tuple[MomentRecord, ...]:
    """Some of many moments, evenly; those where the best changed stay, and the last."""
    stride = -(-len(moments) // MOST_MOMENTS)
    return tuple(
        moment
        for at, moment in enumerate(moments)
        if at % stride == 0 or at == len(moments) - 1 or moment.best != moments[at - 1].best
    )


def looked_at(answer: SearchAnswer) -> tuple[LookedRecord, ...]:
    """Every chip that a search looked at, in each cluster."""
    every, found = answer.searched.looked, answer.searched
    fronts = {
        axis: front_rows((one.row, one.devices * getattr(one.point, axis), one.score) for one in every) for axis in AXES
    }
    names = tuple(its.model.name for its in answer.question.trainings)
    return tuple(
        LookedRecord(
            name=str(one.point),
            devices=one.devices,
            fields=told_fields(answer.question.space, one.point),
            area=one.point.area,
            value=finite(one.score),
            bound=finite(one.floor),
            seconds=dict(zip(names, map(finite, one.seconds), strict=True)),
            front=tuple(axis for axis in AXES if one.row in fronts[axis]),
            chosen=one.row == found.row,
            watts=one.point.watts,
            dollars=finite(one.point.dollars),
        )
        for one in every
    )


def told_fields(space: TemplateSpace, point: Point) -> dict[str, str]:
    """What is told of a chip: what its space has several values of, and what is always told."""
    values = space.values
    told = [name for name in values if len(values[name]) > 1 or name in ALWAYS]
    return {NAMES[name]: field_text(point, name) for name in told}


def front_rows(entries: Iterable[tuple[int, float, float]]) -> set[int]:
    """Rows whose score, the less the better, no other one has that costs as little.

    Args:
        entries: row, cost and score of each.
    """
    rows: set[int] = set()
    least = inf
    for row, _, score in sorted(entries, key=lambda entry: entry[1:]):
        if score < least * (1 - EQUAL):
            rows.add(row)
            least = score
    return rows


def finite(value: float) -> float | None:
    """The value, None for infinity, which JSON does not have."""
    return value if value < inf else None
