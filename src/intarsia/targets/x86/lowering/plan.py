"""A kernel plan: everything that decides what a kernel does, as data that can be printed, before it is code.

A plan is an embedding, the order of its outer loops, the register tile, how each factor's registers are fed, what is
packed at run time, and how results are stored.

Attributes of a nest: parallel loops run outermost first; those in the tile run in steps of their factor, and a step's
iterations are unrolled into accumulators that stay in registers over the whole reduction.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from intarsia.embed import Embedding
from intarsia.targets.x86.lowering.feed import Feed, Terms
from intarsia.targets.x86.lowering.registers import Registers, registers_of
from intarsia.targets.x86.lowering.stages import Interleave, Stage
from intarsia.targets.x86.lowering.store import Store


@dataclass(frozen=True, slots=True)
class Skip:
    """Iterations of a reduction loop that read only zeros beside the tensor are left out.

    ``average`` of them are left, over all iterations of other loops. Those are needed with
    ``0 <= constant + sum(coefficient * loop) + step * iteration < size``; some always is. A loop without a name stands
    for the whole reduction: it is needed, or one iteration of it runs over zeros.
    """

    loop: str
    terms: Terms
    constant: int
    step: int
    size: int
    average: float = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A kernel.

    Attributes:
        embedding: what each call computes.
        parallel: outer loops that choose the result, of more than one iteration, outermost first.
        tile: loops of them that are unrolled into registers, with the factor of each.
        reduction: outer loops that accumulate, outermost first.
        unroll: iterations of the innermost of them in one piece of straight code; 0 for all iterations of all.
        factors: the feeds, in the instruction's order.
        stages: what is packed at run time, in order.
        store: where results go.
        scratch: bytes of the kernel's own memory.
        skips: reduction loops that do not run over all of their iterations.
        block: a parallel loop that runs in blocks of some iterations, a multiple of its factor in the tile; the loop
            over blocks is outside of all. None for no blocks.
    """

    embedding: Embedding
    parallel: tuple[str, ...]
    tile: tuple[tuple[str, int], ...]
    reduction: tuple[str, ...]
    unroll: int
    factors: tuple[Feed, ...]
    stages: tuple[Stage, ...]
    store: Store
    scratch: int
    skips: tuple[Skip, ...] = ()
    block: tuple[str, int] | None = None

    @property
    def extents(self) -> dict[str, int]:
        """Iterations of every outer loop."""
        return {loop.name: loop.extent for loop in self.embedding.outer}

    @property
    def registers(self) -> Registers:
        """What it works on."""
        return registers_of(self.embedding)

    @property
    def accumulators(self) -> int:
        """Registers that hold results."""
        return prod(f for _, f in self.tile)

    def __str__(self) -> str:
        tile = dict(self.tile)
        extents = self.extents
        lines = [str(self.embedding), "plan"]
        depth = 1
        if self.block is not None:
            name, size = self.block
            lines.append(f"  for blocks of {size} of {name}:")
            depth += 1
        for level in range(len(self.parallel) + 1):
            for stage in self.stages:
                if isinstance(stage, Interleave) and stage.level == level:
                    lines.append("  " * depth + f"interleave {stage.operand}: {stage.bytes} bytes")
                elif not isinstance(stage, Interleave) and level == 0:
                    widened = f" from {stage.given}" if stage.given else ""
                    lines.append("  " * depth + f"{type(stage).__name__} {stage.operand}{widened}")
            if level < len(self.parallel):
                name = self.parallel[level]
                by = f" by {tile[name]}" if name in tile else ""
                lines.append("  " * depth + f"for {name} < {extents[name]}{by}:")
                depth += 1
        for name in self.reduction:
            by = " unrolled" if not self.unroll else f" by {self.unroll}" if name == self.reduction[-1] else ""
            lines.append("  " * depth + f"for {name} < {extents[name]}{by}:")
            depth += 1
        lines.append("  " * depth + f"{self.accumulators} accumulators")
        for f in self.factors:
            form = f"{len(f.weave.rows) - f.weave.rows.count(None)} rows, woven" if f.weave else str(f.form)
            lines.append("  " * depth + f"{f.operand} = {f.tensor} ({f.source}): {form}")
        lines.append(f"  store {'by address' if self.store.address else 'by table'}")
        return "\n".join(lines)
