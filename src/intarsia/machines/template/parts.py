"""A chip's parts: how many, and the area, peak power and cost of one of each, as columns over points.

Peak power is what the chip takes when all of it is busy at once: every multiplier and lane each cycle, tensor cores
reading width + depth elements and writing width from and to their own memory, the shared buffer feeding each of them
with width + depth, a vector core's lanes with two operands and taking one result, all HBM and all links at their full
rate. A real program never gets there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from intarsia.machines.template import area, energy, money
from intarsia.machines.template.energy import Technology

if TYPE_CHECKING:
    from intarsia.machines.template.point import Points

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Columns = Mapping[str, Floats]
TENSOR, MORE, VECTOR, BUFFER = "tensor core", "second tensor core", "vector core", "shared buffer"
PHY, LINKS, HBM, PACKAGE = "HBM PHY", "links", "HBM", "package"
ELEMENT_BYTES = 2
"""Published."""
OPERANDS = 3
"""Elements that a lane moves each cycle: two in, one out."""
STACK_GIB = 16
"""Of an HBM2E stack."""
TEMPLATE = Technology()
"""Of the chips that are searched."""


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of part of a chip.

    Attributes:
        name: ``tensor core``, ``second tensor core``, ``vector core``, ``shared buffer``, ``HBM PHY``, ``links``,
            ``HBM`` or ``package``.
        count: how many there are.
        area: of one, mm² of the die; HBM and package lie beside and below it.
        watts: peak of one.
        dollars: of one; for parts of the die, their share of it.
    """

    name: str
    count: int
    area: float
    watts: float
    dollars: float


def counts(points: Points) -> Mapping[str, Ints]:
    """How many of each part, [points]."""
    one = np.broadcast_to(np.int64(1), len(points))
    return {
        TENSOR: points.tensor_cores,
        MORE: points.more_cores,
        VECTOR: points.vector_cores,
        BUFFER: one,
        PHY: points.stacks,
        LINKS: one,
        HBM: np.maximum(points.stacks, 1),
        PACKAGE: one,
    }


def areas(points: Points) -> Columns:
    """Of one of each part that is on the die, mm², [points]; infinite where a memory is too large."""
    more = area.tensor_core_areas(points.more_width * points.more_depth) if points.more_cores.any() else 0.0
    return {
        TENSOR: area.tensor_core_areas(points.width * points.depth),
        MORE: np.broadcast_to(more, len(points)),
        VECTOR: area.vector_core_areas(points.vector_width),
        BUFFER: area.buffer_areas(points.buffer_mib),
        PHY: np.broadcast_to(area.PHY, len(points)),
        LINKS: np.where(points.stacks > 0, area.LINK * points.link_bandwidth, 0.0),
    }


def powers(points: Points, technology: Technology = TEMPLATE) -> Columns:
    """The peak of one of each part that takes power, watts, [points]."""
    supply = technology.voltage(points.clock)
    each = areas(points)
    rate, rest = np.asarray(points.clock * supply**2, dtype=np.float64), energy.STATIC * supply
    busy = {
        TENSOR: core_joules(points.width, points.depth, technology) * rate,
        MORE: core_joules(points.more_width, points.more_depth, technology) * rate,
        VECTOR: points.vector_width * lane_joules(points.vector_width, technology) * rate,
        BUFFER: rate * buffer_bytes(points) * technology.sram(points.buffer_mib * 1024.0),
        LINKS: points.link_bandwidth * energy.LINK,
    }
    on_die = {name: busy.get(name, 0.0) + rest * of_one for name, of_one in each.items()}
    return {**on_die, HBM: points.hbm_bandwidth * energy.HBM / np.maximum(points.stacks, 1)}


def prices(points: Points) -> Columns:
    """Of one of each part, dollars, [points]; of a die beyond the reticle as of the largest that there can be."""
    die, gib = np.minimum(points.area, area.RETICLE), points.hbm_gib
    share = money.die_dollars(die) / die
    return {
        **{name: share * of_one for name, of_one in areas(points).items()},
        HBM: money.HBM_GIB * gib / np.maximum(points.stacks, 1),
        PACKAGE: money.package_dollars(die, gib / STACK_GIB),
    }


def total(of_one: Columns, count: Mapping[str, Ints]) -> Floats:
    """All parts together, [points]."""
    found = np.zeros(len(count[TENSOR]))
    for name, column in of_one.items():
        found += column * count[name]
    return found


def core_joules(width: Ints, depth: Ints, technology: Technology = TEMPLATE) -> Floats:
    """Of a full tensor core for a cycle: it multiplies, and moves 2 width + depth elements of its own memory."""
    elements = width * depth
    memory = technology.sram(np.maximum(elements, 1) * (area.BYTES_PER_ELEMENT / 1024))
    found = elements * technology.multiply + memory * ELEMENT_BYTES * (2 * width + depth)
    return np.asarray(found, dtype=np.float64)


def lane_joules(lanes: Ints, technology: Technology = TEMPLATE) -> Floats:
    """Of one lane for a cycle with what it moves from and to its core's own memory."""
    memory = technology.sram(lanes * (area.BYTES_PER_ELEMENT / 1024))
    return technology.lane + memory * ELEMENT_BYTES * OPERANDS


def buffer_bytes(points: Points) -> Floats:
    """That the shared buffer gives and takes each cycle when every core is busy, [points]."""
    tensor = points.tensor_cores * (points.width + points.depth)
    more = points.more_cores * (points.more_width + points.more_depth)
    vector = OPERANDS * points.vector_cores * points.vector_width
    return np.asarray(ELEMENT_BYTES * (tensor + more + vector), dtype=np.float64)
