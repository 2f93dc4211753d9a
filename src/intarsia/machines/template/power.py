"""The energy of work that is really done, from the same constants as the peak power.

A busy cycle takes what it takes in the peak (``template/parts.py``): a tensor core that a row has entered multiplies on
all its lanes, moves 2 width + depth elements of its own memory, and is fed width + depth by the shared buffer, whether
or not each lane works on the operator. So no work takes more than the peak for as long as it lasts, part by part, if it
asks no unit for more cycles, and no memory or link for more bytes, than there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass

import numpy as np

from intarsia.machines.template import energy, parts
from intarsia.machines.template.energy import Technology
from intarsia.machines.template.point import Point, single

PRODUCTS, PADDING, VECTOR, BUFFER = "products", "padding", "vector", "buffer"
HBM, LINKS, REST = "HBM", "links", "rest"


@dataclass(frozen=True, slots=True)
class Amounts:
    """What chips do, all of them together.

    Attributes:
        products: multiplications that operators ask of the first kind of tensor cores.
        lanes: multipliers × cycles of its cores that rows enter: these products, and lanes that multiply zeros.
        more_products, more_lanes: the same of the second kind.
        vector_ops: lanes × cycles of vector cores.
        vector_bytes: that vector cores take from the shared buffer and give it.
        hbm_bytes: read and written.
        link_bytes: sent to other chips; what comes back is at the others' expense.
        seconds: that a chip is at rest at least, of all chips.
    """

    products: float = 0.0
    lanes: float = 0.0
    more_products: float = 0.0
    more_lanes: float = 0.0
    vector_ops: float = 0.0
    vector_bytes: float = 0.0
    hbm_bytes: float = 0.0
    link_bytes: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(*(own + more for own, more in zip(astuple(self), astuple(other), strict=True)))

    def times(self, count: float) -> Amounts:
        """So many times as much."""
        return Amounts(*(count * own for own in astuple(self)))


def joules(point: Point, amounts: Amounts, technology: Technology = parts.TEMPLATE) -> Mapping[str, float]:
    """What chips of a point take for some work, joules by part.

    Args:
        point: the chip.
        amounts: of all chips together.
        technology: the energies.

    Returns:
        ``products``: the arrays, for multiplications that operators ask for, with what a core's own memory moves for
        them; ``padding``: the same of lanes that multiply zeros; ``vector``: lanes with their own memory; ``buffer``;
        ``HBM``; ``links``; ``rest`` of the die.

    Raises:
        InputError: a memory is larger than any that is known, or the clock too fast.
    """
    chips = single(point)
    supply = float(technology.voltage(chips.clock)[0])
    logic = supply**2
    asked = idle = fed = 0.0
    kinds = (
        (point.width, point.depth, amounts.products, amounts.lanes),
        (point.more_width, point.more_depth, amounts.more_products, amounts.more_lanes),
    )
    for width, depth, products, lanes in kinds:
        if not lanes:
            continue
        one = float(parts.core_joules(np.array(width), np.array(depth), technology)) / (width * depth)
        asked += products * one
        idle += (lanes - products) * one
        fed += lanes / (width * depth) * (width + depth) * parts.ELEMENT_BYTES
    lane = float(parts.lane_joules(chips.vector_width, technology)[0])
    shared = float(technology.sram(chips.buffer_mib * 1024.0)[0])
    return {
        PRODUCTS: logic * asked,
        PADDING: logic * idle,
        VECTOR: logic * lane * amounts.vector_ops,
        BUFFER: logic * shared * (fed + amounts.vector_bytes),
        HBM: energy.HBM * amounts.hbm_bytes,
        LINKS: energy.LINK * amounts.link_bytes,
        REST: energy.STATIC * supply * point.area * amounts.seconds,
    }


def peak_amounts(point: Point) -> Amounts:
    """What a chip does in a second in which every part of it is busy."""
    first = float(point.tensor_cores * point.width * point.depth * point.clock)
    more = float(point.more_cores * point.more_width * point.more_depth * point.clock)
    vector = float(point.vector_cores * point.vector_width * point.clock)
    return Amounts(
        products=first,
        lanes=first,
        more_products=more,
        more_lanes=more,
        vector_ops=vector,
        vector_bytes=parts.ELEMENT_BYTES * parts.OPERANDS * vector,
        hbm_bytes=point.hbm_bandwidth,
        link_bytes=point.link_bandwidth,
        seconds=1.0,
    )
