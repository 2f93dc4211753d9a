"""Seconds of one kernel on a whole chip, from its demand and the chip's efficiency."""

from __future__ import annotations

from intarsia.cost.demand import Demand
from intarsia.machines.chips import Chip
from intarsia.machines.chips.efficiency import Efficiency


def kernel_seconds(asked: Demand, chip: Chip, efficiency: Efficiency) -> float:
    """The highest of the roofs (tensor cores, vector cores, HBM), and what a kernel takes beyond its work."""
    reached = efficiency.matmul * (efficiency.misaligned if asked.misaligned else 1.0)
    return efficiency.kernel + max(
        asked.contraction / reached,
        asked.flash / efficiency.flash,
        asked.vector,
        asked.hbm_bytes / (chip.hbm_bandwidth * efficiency.memory),
    )
