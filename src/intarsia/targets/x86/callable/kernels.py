"""Code of a plan that several threads may run at once: constants packed once, scratch memory for each run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from numpy.typing import NDArray

from intarsia.targets.x86.callable.arrays import address
from intarsia.targets.x86.lowering import Kernel
from intarsia.targets.x86.lowering.emit import FINISH, PREPARE, RUN
from intarsia.targets.x86.lowering.kernel import NOTHING
from intarsia.targets.x86.lowering.sharing import shared, stages_before, units_of
from intarsia.targets.x86.lowering.stages import Interleave
from intarsia.targets.x86.threads import ENDLESS, Phase, Pool, Work

Array = NDArray[Any]
GRAIN = 1 << 13
"""Cycles that are worth a thread: handing them over takes a thousand, and moves what is read to other caches."""
COPIED = 1 << 13
"""Bytes of a copy that are."""
WORD = 4
"""Bytes of an accumulator's lane."""
WRITTEN = 2
"""Which argument of the code the written tensor is."""


class Ready:
    """A kernel with its constants; holds scratch memory that runs borrow.

    Attributes:
        kernel: the code.
        constant: where the two factors are, 0 for those that are not constant.
        after: where tables, and bias and scale are.
        own: whether threads pack in memory of their own.
        cycles: how many a run is predicted to take.
    """

    def __init__(
        self,
        kernel: Kernel,
        constants: Mapping[str, Array],
        finish: tuple[Array, Array] | None = None,
        cycles: float = ENDLESS,
    ) -> None:
        """Pack constants.

        Args:
            kernel: the code.
            constants: tensor to array, as the instruction reads it.
            finish: bias and scale along the epilogue's dimension, where there is an epilogue.
            cycles: how many a run is predicted to take; few are not shared.
        """
        self.kernel = kernel
        plan = kernel.plan
        packed = kernel.pack(constants)
        self._held = (packed, kernel.parameters(*finish) if finish else NOTHING, kernel.tables())
        self.constant = [address(packed[f.operand]) if f.source == "constant" else 0 for f in plan.factors]
        self._names = tuple(f.tensor for f in plan.factors if f.source != "constant")
        self._places = tuple(i for i, f in enumerate(plan.factors) if f.source != "constant")
        self.after = tuple(address(x) for x in (*self._held[2], self._held[1]))
        self._count = shared(plan).units
        self.own = any(isinstance(stage, Interleave) and stage.level for stage in plan.stages)
        self._shared = plan.store.address is None
        self.cycles = cycles
        self._free: list[tuple[int, Array]] = []
        self._works: defaultdict[int, list[Work]] = defaultdict(list)

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
        if pool is not None and (parts := self.parts(pool)) > 1:
            work = self.work(parts)
            for place, factor in zip(self._places, factors, strict=True):
                work.put(place, factor)
            work.put(WRITTEN, out)
            pool.share(work)
            self.give_back(work)
            return
        before = self.constant.copy()
        for i, place in zip(self._places, factors, strict=True):
            before[i] = place
        memory = self._borrow()
        self.kernel.whole(*before, out, memory[0], *self.after, 0, 0)
        self._free.append(memory)

    def parts(self, pool: Pool) -> int:
        """How many threads of a pool share the work; what packs inside of loops does so in memory of its thread."""
        if self.own and self._shared:
            return 1
        return max(1, min(pool.threads, self._count, int(self.cycles / GRAIN)))

    def work(self, parts: int) -> Work:
        """A run shared by some threads, with memory of its own, that nobody uses; give it back."""
        with suppress(IndexError):
            return self._works[parts].pop()
        memories = [self.kernel.scratch() for _ in range(parts if self.own else 1)]
        plan, at = self.kernel.plan, self.kernel.native.address
        phases = [Phase(at(RUN), self._count, parts, at(PREPARE) if self.own else 0)]
        if not self.own:
            before = enumerate(stages_before(plan))
            phases[:0] = [_copying(at(f"{PREPARE}{i}"), units_of(plan, s), s.bytes, parts) for i, s in before]
        if self._shared:
            phases.append(_copying(at(FINISH), plan.store.count, WORD * plan.store.count, parts))
        arguments = [(*self.constant, 0, address(memory), *self.after) for memory in memories]
        return Work(phases, arguments, memories, cycles=self.cycles)

    def give_back(self, work: Work) -> None:
        """Somebody else may have it."""
        self._works[work.parts].append(work)

    def _borrow(self) -> tuple[int, Array]:
        """Scratch memory that nobody uses, and where it begins."""
        try:
            return self._free.pop()
        except IndexError:
            memory = self.kernel.scratch()
            return address(memory), memory


def _copying(code: int, units: int, size: int, parts: int) -> Phase:
    """A copy of some bytes, shared by fewer threads where they are few."""
    return Phase(code, units, max(1, min(parts, units, size // COPIED)))
