"""What threads share: a parallel loop, each iteration of which writes results of its own, and the stages before it.

The outermost loop with enough iterations is shared, or the longest: what is done outside of it, each thread does for
itself. A stage that packs before all loops is shared by its outermost dim.
"""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.targets.x86.lowering.plan import Plan
from intarsia.targets.x86.lowering.stages import Interleave, PadCopy, Stage, TableCopy

ENOUGH = 32
"""Units of a loop that is not left for a longer one inside of it."""
BLOCKS = -1
"""The level of the loop over blocks."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What threads share.

    Attributes:
        level: how many parallel loops are outside; BLOCKS for the loop over blocks.
        units: iterations of it, or tiles where it is in the tile.
    """

    level: int
    units: int


def shared(plan: Plan) -> Shared:
    """The loop of a plan that threads share; one unit where there is none."""
    tile, extents = dict(plan.tile), plan.extents
    found = []
    if plan.block is not None:
        found.append(Shared(BLOCKS, -(-extents[plan.block[0]] // plan.block[1])))
    for level, name in enumerate(plan.parallel[: _inside(plan)]):
        if plan.block is None or name != plan.block[0]:
            found.append(Shared(level, -(-extents[name] // tile.get(name, 1))))
    enough = (one for one in found if one.units >= ENOUGH)
    return next(enough, max(found, key=lambda one: one.units, default=Shared(0, 1)))


def _inside(plan: Plan) -> int:
    """How many of the parallel loops may be shared: not those inside of what is packed once for all their iterations.

    Nor the two of a row whose columns pass from one tile to the next.
    """
    packed = [stage.level for stage in plan.stages if isinstance(stage, Interleave) and stage.level]
    woven = any(feed.weave for feed in plan.factors)
    return min([len(plan.parallel) - (2 if woven else 0), *packed])


def stages_before(plan: Plan) -> tuple[Stage, ...]:
    """What packs before the loops."""
    return tuple(s for s in plan.stages if not (isinstance(s, Interleave) and s.level))


def units_of(plan: Plan, stage: Stage) -> int:
    """How many units the work of a stage before the loops has: each writes only bytes of its own."""
    match stage:
        case PadCopy():
            return next((count for count, _, _ in stage.copied(plan.embedding.operator.tensor(stage.tensor))[0]), 1)
        case TableCopy():
            return stage.count
        case Interleave():
            beside = stage.borders is not None and stage.borders.column == 0
            pieces = stage.quarters and not stage.given
            over = not pieces and stage.run < stage.at_once(plan.registers)
            return stage.dims[0][0] if stage.dims and not beside and not over else 1
