"""Why no strategy of a space fits: what is over on which stage in the plan that is least over, and what helps."""

from __future__ import annotations

from intarsia.ground.units import bytes_text
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.place.branches import Space
from intarsia.place.leanest import leanest
from intarsia.place.memory import stage_memory
from intarsia.place.relax import relaxation
from intarsia.place.strategy import Split, Strategy


def unfit(space: Space, efficiency: Efficiency) -> tuple[tuple[str, ...], str]:
    """What is over in the leanest plan, and the smallest change that gives a plan that fits.

    Args:
        space: strategies of which none fits.
        efficiency: only handed on; seconds do not matter here.
    """
    lean = leanest(space)
    assert lean is not None, "every strategy has some split"
    profile, strategy, split = lean
    capacity = space.task.cluster.chip.hbm_bytes
    memories = [stage_memory(profile, strategy, split, stage) for stage in range(strategy.pipeline)]
    stage = max(range(strategy.pipeline), key=lambda at: memories[at].total)
    total = memories[stage].total
    name, most = max(memories[stage].kinds().items(), key=lambda pair: pair[1])
    where = f"stage {stage} of {strategy.pipeline}"
    over = f"{bytes_text(total - capacity)} more than a device's {bytes_text(capacity)}"
    first = f"{where} needs {bytes_text(total)}, {over}, in the leanest plan: {_degrees(strategy, split, stage)}"
    return (first, f"most of it is {name}: {bytes_text(most)}"), relaxation(space.task, efficiency)


def _degrees(strategy: Strategy, split: Split, stage: int) -> str:
    return (
        f"tensor {strategy.tensor}, pipeline {strategy.pipeline}, data {strategy.data}, context {strategy.context},"
        f" expert {strategy.expert}, microbatch {strategy.microbatch}, zero {strategy.zero},"
        f" recompute {split.recompute[stage].value}"
    )
