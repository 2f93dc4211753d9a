"""Code of a plan that several threads may run at once: constants packed once, scratch memory for each run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from numpy.typing import NDArray

from intarsia.targets.x86.callable.arrays import address
from intarsia.targets.x86.callable.pool import Pool
from intarsia.targets.x86.lowering import Kernel
from intarsia.targets.x86.lowering.emit import outermost
from intarsia.targets.x86.lowering.kernel import NOTHING
from intarsia.targets.x86.lowering.stages import Interleave

Array = NDArray[Any]
SMALL = 1 << 22
"""Iterations below which one thread does all: handing work to others takes longer."""
LARGE = 1 << 24
"""Iterations above which the work is cut finer than by threads: one that is held up leaves its share to others."""
RANGES = 4
"""Ranges for each thread then."""


class Ready:
    """A kernel with its constants; holds scratch memory that runs borrow.

    Attributes:
        kernel: the code.
        constant: where the two factors are, 0 for those that are not constant.
        after: where tables, and bias and scale are.
    """

    def __init__(
        self, kernel: Kernel, constants: Mapping[str, Array], finish: tuple[Array, Array] | None = None
    ) -> None:
        """Pack constants.

        Args:
            kernel: the code.
            constants: tensor to array, as the instruction reads it.
            finish: bias and scale along the epilogue's dimension, where there is an epilogue.
        """
        self.kernel = kernel
        plan = kernel.plan
        packed = kernel.pack(constants)
        self._held = (packed, kernel.parameters(*finish) if finish else NOTHING, kernel.tables())
        self.constant = [address(packed[f.operand]) if f.source == "constant" else 0 for f in plan.factors]
        self._names = tuple(f.tensor for f in plan.factors if f.source != "constant")
        self._places = tuple(i for i, f in enumerate(plan.factors) if f.source != "constant")
        self.after = tuple(address(x) for x in (*self._held[2], self._held[1]))
        self._count = outermost(plan)
        self._own = any(isinstance(stage, Interleave) and stage.level for stage in plan.stages)
        self._shared = plan.store.address is None
        iterations = plan.embedding.operator.iterations
        self._small, self._large = iterations < SMALL, iterations > LARGE
        self._free: list[tuple[int, Array]] = []

    @property
    def place(self) -> int:
        """Which factor is not constant, the only one."""
        (place,) = self._places
        return place

    def order(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """For each address that ``at`` takes the place of its factor among these names."""
        return tuple(names.index(name) for name in self._names)

    def run(self, arrays: Mapping[str, Array], out: Array, pool: Pool | None = None) -> None:
        """Compute the written tensor.

        Args:
            arrays: factor to array, contiguous and of the embedded operator's shapes and dtypes.
            out: where results go, likewise; shares no memory with anything that is read.
            pool: threads that share the work; None for none.
        """
        self.at([address(arrays[name]) for name in self._names], address(out), pool)

    def at(self, factors: Sequence[int], out: int, pool: Pool | None) -> None:
        """Compute the written tensor from and to addresses; factors that are not constant in the kernel's order."""
        before = self.constant.copy()
        for i, place in zip(self._places, factors, strict=True):
            before[i] = place
        alone = pool is None or self._small or (self._own and self._shared)
        parts = 1 if pool is None or alone else min(pool.threads, self._count)
        if pool is not None and parts > 1:
            self._split(pool, parts, before, out)
            return
        memory = self._borrow()
        self.kernel.whole(*before, out, memory[0], *self.after, 0, 0)
        self._free.append(memory)

    def _split(self, pool: Pool, parts: int, before: Sequence[int], out: int) -> None:
        """Threads take ranges of the outermost loop in turn; what packs inside of it does so in memory of their own."""
        ranges = min(self._count, parts * (RANGES if self._large else 1))
        ends = [self._count * i // ranges for i in range(ranges + 1)]
        following = count()  # taking the next number is atomic
        memories = [self._borrow() for _ in range(parts if self._own else 1)]
        calls = [(*before, out, place, *self.after) for place, _ in memories]

        def part(i: int) -> None:
            if self._own:
                self.kernel.prepare(*calls[i], 0, 0)
            while (k := next(following)) < ranges:
                self.kernel.run(*calls[i if self._own else 0], ends[k], ends[k + 1])

        if not self._own:
            self.kernel.prepare(*calls[0], 0, 0)
        pool.each(part, parts)
        if self._shared:
            self.kernel.finish(*calls[0], 0, 0)
        self._free.extend(memories)

    def _borrow(self) -> tuple[int, Array]:
        """Scratch memory that nobody uses, and where it begins."""
        try:
            return self._free.pop()
        except IndexError:
            memory = self.kernel.scratch()
            return address(memory), memory
