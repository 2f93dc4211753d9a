"""What runs: code with packed constants, and what is done before and after it; or the reference, where no code serves.

In comes an operator with arrays for all that changes rarely (weights, zero points, bias, scale); out goes a body, which
makes results of the arrays that change with every call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from intarsia.operators import Quantised, evaluate_quantised
from intarsia.operators.quantised_reference import finish
from intarsia.targets.x86.callable.arrays import readable
from intarsia.targets.x86.callable.translate import Translation, reductions, stored, sums_of
from intarsia.targets.x86.callable.turned import Runs
from intarsia.targets.x86.threads import Pool

Array = NDArray[Any]
Arrays = Mapping[str, Array]


class Body(Protocol):
    """Computes results; safe from several threads at once."""

    def run(self, factors: Arrays, out: Array, pool: Pool | None) -> None:
        """Compute ``out`` from the factors that are not constant."""


@dataclass(frozen=True, slots=True)
class Direct:
    """Code that reads and writes the caller's arrays; of some factors it reads a copy with the highest bit turned."""

    ready: Runs
    made: Translation | None = None

    @property
    def moves(self) -> bool:
        """Whether some factor is copied before it is read."""
        return self.made is not None and bool(self.made.flipped)

    def run(self, factors: Arrays, out: Array, pool: Pool | None) -> None:
        """Compute ``out``."""
        self.ready.run(_read(self.made, factors), out, pool)


@dataclass(frozen=True, slots=True)
class Sums:
    """Code that gives sums, and NumPy that makes results of them.

    Attributes:
        ready: the code.
        made: the translation.
        q: what is computed.
        parameters: arrays of the quantised operator's parameters.
        weights: constant factors as the instruction reads them.
    """

    ready: Runs
    made: Translation
    q: Quantised
    parameters: Arrays
    weights: Arrays

    def run(self, factors: Arrays, out: Array, pool: Pool | None) -> None:
        """Compute ``out``."""
        read = _read(self.made, factors)
        sums = np.empty(self.q.result.shape, np.int32)
        self.ready.run(read, sums, pool)
        out[...] = finish(self.q, self._exact(sums, {**self.weights, **read}), self.parameters)

    def _exact(self, sums: Array, read: Arrays) -> Array:
        """The sums of differences from zero points, modulo 2^32."""
        made, (u, s) = self.made, (self.made.unsigned_zero, self.made.signed_zero)
        total = sums.astype(np.int64) if u or s else sums
        if u:
            total = total - u * sums_of(made.operator, made.signed, read[made.signed]).astype(np.int64)
        if s:
            total = total - s * sums_of(made.operator, made.unsigned, read[made.unsigned]).astype(np.int64)
        return total if total is sums else (total + u * s * reductions(made.operator)).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference interpreter, slow and right."""

    q: Quantised
    settings: Arrays

    def run(self, factors: Arrays, out: Array, pool: Pool | None) -> None:  # noqa: ARG002 (as every body)
        """Compute ``out``."""
        out[...] = evaluate_quantised(self.q, {**self.settings, **factors})


Maker = Callable[[Arrays], Body]
"""Makes a body of the arrays that change rarely."""


def _read(made: Translation | None, factors: Arrays) -> dict[str, Array]:
    """Factors as code reads them."""
    plain = {name: readable(array) for name, array in factors.items()}
    if made is None:
        return plain
    nothing = np.zeros(1, np.int16)
    return {name: stored(made, name, array, nothing) for name, array in plain.items()}
