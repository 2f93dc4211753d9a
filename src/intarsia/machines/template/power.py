"""The energy of work that is really done, from the same constants as the peak power."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intarsia.machines.template import energy, parts
from intarsia.machines.template.energy import Technology
from intarsia.machines.template.point import Point, Points, single

Floats = NDArray[np.float64]


def joules(
    point: Point,
    flops: float,
    vector_ops: float,
    sram_bytes: float,
    hbm_bytes: float,
    link_bytes: float,
    seconds: float,
    technology: Technology = parts.TEMPLATE,
) -> float:
    """What a chip takes for some work.

    Args:
        point: the chip; its first kind of tensor cores does all products.
        flops: operations of its tensor cores, two for each multiplication; each bears its share of what a full core
            reads and writes in its own memory.
        vector_ops: lanes × cycles of its vector cores, with what they move in their own memory.
        sram_bytes: that the shared buffer gives and takes.
        hbm_bytes: read and written.
        link_bytes: sent to other chips, both ends of a link; what comes back is at the others' expense.
        seconds: that it lasts, in which the whole die is at rest at least.
        technology: the energies.
    """
    work = (np.float64(amount) for amount in (flops, vector_ops, sram_bytes, hbm_bytes, link_bytes, seconds))
    return float(joules_column(single(point), *work, technology=technology)[0])


def joules_column(
    points: Points,
    flops: Floats | np.float64,
    vector_ops: Floats | np.float64,
    sram_bytes: Floats | np.float64,
    hbm_bytes: Floats | np.float64,
    link_bytes: Floats | np.float64,
    seconds: Floats | np.float64,
    *,
    technology: Technology = parts.TEMPLATE,
) -> Floats:
    """The same of many chips, [points], each amount [points] or one for all."""
    supply = technology.voltage(points.clock)
    product = parts.core_joules(points.width, points.depth, technology) / (points.width * points.depth)
    lane = parts.lane_joules(points.vector_width, technology)
    shared = technology.sram(points.buffer_mib * 1024.0)
    logic = flops / 2 * product + vector_ops * lane + sram_bytes * shared
    outside = hbm_bytes * energy.HBM + link_bytes * energy.LINK
    return np.asarray(supply**2 * logic + outside + energy.STATIC * supply * points.area * seconds, dtype=np.float64)
