"""Code that reads and writes another layout than the caller's: copies before and after it, in memory of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from intarsia.targets.x86.callable.arrays import address
from intarsia.targets.x86.callable.kernels import Ready
from intarsia.targets.x86.lowering import Kernel, Plan
from intarsia.targets.x86.lowering.packed import aligned_copy
from intarsia.targets.x86.lowering.registers import PIECE
from intarsia.targets.x86.lowering.stages import Interleave, PadCopy, TableCopy
from intarsia.targets.x86.lowering.subject import rounded
from intarsia.targets.x86.threads import Pool
from intarsia.targets.x86.transposing import TransposingKernel

Array = NDArray[Any]


class Runs(Protocol):
    """What computes a written tensor from factors, by address or by array."""

    kernel: Kernel

    def order(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """For each address that ``at`` takes the place of its factor among these names."""

    def run(self, arrays: Mapping[str, Array], out: Array, pool: Pool | None = None) -> None:
        """Compute ``out`` from arrays by name."""

    def at(self, factors: Sequence[int], out: int, pool: Pool | None) -> None:
        """Compute what lies at an address from what lies at others."""


class Turned:
    """Code between transposed copies; holds memory for them that runs borrow.

    Attributes:
        kernel: the code.
    """

    def __init__(
        self,
        ready: Ready,
        names: tuple[str, ...],
        before: Mapping[str, TransposingKernel],
        after: TransposingKernel | None,
    ) -> None:
        """Code with its copies.

        Args:
            ready: the code, which reads copies of some factors and writes one of the result.
            names: the factors that are not constant.
            before: factor to how it is copied.
            after: how the result is copied, None if the code writes it where it belongs.
        """
        self.kernel = ready.kernel
        self._ready, self._names, self._after = ready, names, after
        self._before = [before.get(names[i]) for i in ready.order(names)]
        self._order = ready.order(names)
        self._places, self._size = _memory(ready.kernel.plan, [names[i] for i in self._order], self._before, after)
        self._free: list[tuple[int, Array]] = []

    def order(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """For each address that ``at`` takes the place of its factor among these names."""
        return self._ready.order(names)

    def run(self, arrays: Mapping[str, Array], out: Array, pool: Pool | None = None) -> None:
        """Compute the written tensor, as ``Ready`` does; arrays are of the shapes before they are moved."""
        self.at([address(arrays[self._names[i]]) for i in self._order], address(out), pool)

    def at(self, factors: Sequence[int], out: int, pool: Pool | None) -> None:
        """Compute the written tensor from and to addresses."""
        memory = self._borrow()
        read = list(factors)
        for i, copy in enumerate(self._before):
            if copy is not None:
                read[i] = memory[0] + self._places[i]
                copy.at(factors[i], read[i], pool)
        if self._after is None:
            self._ready.at(read, out, pool)
        else:
            written = memory[0] + self._places[-1]
            self._ready.at(read, written, pool)
            self._after.at(written, out, pool)
        self._free.append(memory)

    def _borrow(self) -> tuple[int, Array]:
        """Memory for copies that nobody uses, and where it begins."""
        try:
            return self._free.pop()
        except IndexError:
            memory = aligned_copy(np.zeros(self._size, np.uint8))
            return address(memory), memory


def _memory(
    plan: Plan, names: list[str], before: Sequence[TransposingKernel | None], after: TransposingKernel | None
) -> tuple[list[int], int]:
    """Where the copies lie, that of the result last, and how many bytes they take.

    The result's may lie where a factor's was that the code has copied on before any thread writes.
    """
    sizes = [0 if copy is None else rounded(copy.what.bytes + PIECE) for copy in (*before, after)]
    places, kept, passed = [0] * len(sizes), 0, 0
    for i, name in enumerate(names):
        if not _passed_on(plan, name):
            places[i], kept = kept, kept + sizes[i]
    for i, name in enumerate(names):
        if _passed_on(plan, name):
            places[i], passed = kept + passed, passed + sizes[i]
    places[-1] = kept
    return places, kept + max(passed, sizes[-1])


def _passed_on(plan: Plan, name: str) -> bool:
    """Whether code reads a tensor only to copy all of it before any thread writes results.

    Where rows are woven inside of loops, each thread makes copies of its own, some while others write already.
    """
    operands = {feed.operand for feed in plan.factors if feed.tensor == name}
    copied = {s.operand for s in plan.stages if isinstance(s, PadCopy | TableCopy)}
    woven = [s for s in plan.stages if isinstance(s, Interleave)]
    return operands <= copied and not any(s.level or (s.operand in operands and s.source == "given") for s in woven)
