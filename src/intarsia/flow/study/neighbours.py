"""Sensitivity: what one step of each resource buys. Every row is a plan searched anew on a changed chip or network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from intarsia.flow.study.chosen import Chosen, Hunt
from intarsia.flow.study.fields import NAMES, field_text
from intarsia.flow.study.model_records import Neighbour
from intarsia.flow.study.trials import Tried, alone
from intarsia.ground import InputError
from intarsia.ground.units import bytes_text, count_text, hertz_text, rate_text
from intarsia.machines.chips import Chip
from intarsia.machines.clusters import Cluster
from intarsia.machines.template import Point

HALVES = (("less", 0.5), ("more", 2.0))
SIXTHS = (("less", 5 / 6), ("more", 7 / 6))
"""What resources are multiplied by; a clock cannot be doubled."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A chip or a network with one resource changed.

    Attributes:
        resource, change, before, after: what, and how.
        cluster: with the chip; of a template's, as the search has it.
        point: of the chip, if it is of a template and nothing else of it was changed.
        area: of the chip; None where no area is known.
        refused: why there can be no such chip, or empty.
    """

    resource: str
    change: str
    before: str
    after: str
    cluster: Cluster
    point: Point | None
    area: float | None
    refused: str = ""

    def within(self, budgets: Mapping[str, float]) -> bool | None:
        """Whether the chip is within its space's budgets; None where there are none, or no area is known."""
        if self.area is None or not budgets:
            return None
        takes = {"area": self.area} if self.point is None else {name: getattr(self.point, name) for name in budgets}
        return all(value <= budgets.get(name, inf) * (1 + 1e-12) for name, value in takes.items())


def changes(chosen: Chosen) -> Iterator[Changed]:
    """One step less and more of everything: fields of a template, the chip's figures, each level of the network."""
    hunt, cluster, point = chosen.hunt, chosen.cluster, chosen.point
    if hunt is None or point is None:
        yield from _figures(cluster, (*_CORES, _CAPACITY, _BANDWIDTH, _CLOCK), None)
        yield from _networks(cluster, cluster, None)
        return
    stepped = {name for name, values in hunt.space.values.items() if len(values) > 1}
    yield from _fields(hunt, point)
    if not stepped & {"hbm_gib", "stacks"}:
        for change, factor in HALVES:
            yield _stepped(hunt, point, "hbm_gib", change, int(point.hbm_gib * factor))
    yield from _figures(cluster, (_BANDWIDTH,), point.area)
    if "clock" not in stepped:
        for change, factor in SIXTHS:
            yield _stepped(hunt, point, "clock", change, point.clock * factor)
    yield from _networks(cluster, hunt.base, point)


def neighbour(changed: Changed, tried: Tried | None, seconds: float, budgets: Mapping[str, float]) -> Neighbour:
    """A change with its plan.

    Args:
        changed: the change.
        tried: the best plan then; None where there can be no such chip.
        seconds: without the change.
        budgets: of a chip's area, watts and dollars, those that there are.
    """
    area, after = changed.area, None if tried is None else tried.seconds
    return Neighbour(
        resource=changed.resource,
        change=changed.change,
        before=changed.before,
        after=changed.after,
        seconds=after,
        times=None if after is None else after / seconds,
        area=area,
        within=changed.within(budgets),
        because=changed.refused if tried is None else tried.because,
    )


def _fields(hunt: Hunt, point: Point) -> Iterator[Changed]:
    """One step of each field of a point, in the values that its space has."""
    for field, unsorted in hunt.space.values.items():
        values = sorted(unsorted)
        place = values.index(getattr(point, field))
        for change, at in (("less", place - 1), ("more", place + 1)):
            if 0 <= at < len(values) and _possible(point, field, values[at]):
                yield _stepped(hunt, point, field, change, values[at])


def _possible(point: Point, field: str, value: float) -> bool:
    """Whether a step alone makes a chip: a second kind of tensor cores comes and goes with all that it has."""
    return not field.startswith("more_") or (point.more_cores > 0 and value > 0)


def _stepped(hunt: Hunt, point: Point, field: str, change: str, value: float) -> Changed:
    tied: dict[str, Any] = (
        {} if "vector_width" in hunt.space.values else {"vector_width": 0}
    )  # as wide as a tensor core
    there = replace(point, **tied | {field: value})
    before, after = (field_text(one, field) for one in (point, there))
    try:
        alone(there)
    except InputError as error:
        return Changed(NAMES[field], change, before, after, hunt.base, None, None, str(error))
    return Changed(NAMES[field], change, before, after, hunt.base, there, there.area)


@dataclass(frozen=True, slots=True)
class _Resource:
    """A figure of a chip: its name, its value as text, its steps, the chip with that many times as much of it."""

    name: str
    text: Callable[[Chip], str]
    steps: tuple[tuple[str, float], ...]
    times: Callable[[Chip, float], Chip]


def _figures(cluster: Cluster, resources: tuple[_Resource, ...], area: float | None) -> Iterator[Changed]:
    """Steps of figures of a chip, on which the area of a template's die does not hang."""
    for resource in resources:
        for change, factor in resource.steps:
            chip = resource.times(cluster.chip, factor)
            before, after = resource.text(cluster.chip), resource.text(chip)
            if before != after:
                yield Changed(resource.name, change, before, after, replace(cluster, chip=chip), None, area)


def _networks(cluster: Cluster, base: Cluster, point: Point | None) -> Iterator[Changed]:
    """Half and double of each level's bandwidth.

    Args:
        cluster: whose figures are told.
        base: whose are changed: the same, or as the search has it before the chip's own links count.
        point: of the chip, if it is of a template.
    """
    area = None if point is None else point.area
    for index, level in enumerate(base.levels):
        for change, factor in HALVES:
            levels = (
                *base.levels[:index],
                replace(level, bandwidth=level.bandwidth * factor),
                *base.levels[index + 1 :],
            )
            now = cluster.levels[index].bandwidth
            before, after = (rate_text(rate) for rate in (now, now * factor))
            name = f"network within the {level.name}"
            yield Changed(name, change, before, after, replace(base, levels=levels), point, area)


def _tensor(chip: Chip, factor: float) -> Chip:
    return replace(chip, tensor=replace(chip.tensor, count=max(int(chip.tensor.count * factor), 1)))


def _second(chip: Chip, factor: float) -> Chip:
    own = chip.second
    return chip if own is None else replace(chip, second=replace(own, count=max(int(own.count * factor), 1)))


def _vector(chip: Chip, factor: float) -> Chip:
    return replace(chip, vector=replace(chip.vector, count=max(int(chip.vector.count * factor), 1)))


_CORES = (
    _Resource("tensor cores", lambda chip: count_text(chip.tensor.count), HALVES, _tensor),
    _Resource(
        "second tensor cores", lambda chip: count_text(0 if chip.second is None else chip.second.count), HALVES, _second
    ),
    _Resource("vector cores", lambda chip: count_text(chip.vector.count), HALVES, _vector),
    _Resource(
        "shared memory on the chip",
        lambda chip: bytes_text(chip.onchip_bytes),
        HALVES,
        lambda chip, factor: replace(chip, onchip_bytes=int(chip.onchip_bytes * factor)),
    ),
)
_CAPACITY = _Resource(
    "HBM",
    lambda chip: f"{chip.hbm_bytes / 2**30:g} GiB",
    HALVES,
    lambda chip, factor: replace(chip, hbm_bytes=int(chip.hbm_bytes * factor)),
)
_BANDWIDTH = _Resource(
    "HBM bandwidth",
    lambda chip: rate_text(chip.hbm_bandwidth),
    HALVES,
    lambda chip, factor: replace(chip, hbm_bandwidth=chip.hbm_bandwidth * factor),
)
_CLOCK = _Resource(
    "clock",
    lambda chip: hertz_text(chip.clock),
    SIXTHS,
    lambda chip, factor: replace(chip, clock=chip.clock * factor),
)
