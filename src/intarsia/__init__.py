"""intarsia: fit deep-learning operators to accelerators by constraint solving with proofs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intarsia.operators import Operator, Quantised
    from intarsia.targets.x86.callable import Compiled

__version__ = "0.1.0"


def compile(  # noqa: A001 (what it does)
    operator: Operator | Quantised | str,
    target: str = "x86",
    *,
    constants: Mapping[str, NDArray[Any]] | None = None,
    threads: int = 1,
    measure: int = 0,
    features: str | None = None,
) -> Compiled:
    """An operator as a function on NumPy arrays: native code of this processor.

    Args:
        operator: an operator, its text or shorthand, or a quantised operator.
        target: x86.
        constants: weights, zero points, bias and scale by name, those that are known; the others come with each call
            and are packed when they change.
        threads: how many share the work of a call; the result has the same bits with any number.
        measure: how many plans are measured, of which the fastest is taken; 0 for the one that is predicted to be.
        features: how much of the processor code may use: avx2, avx-vnni, avx512, avx512-vnni, avx512-bf16; all that it
            has for None.

    Raises:
        InputError: anything of these that is wrong, or that the processor cannot do.
    """
    from intarsia.flow import compile_function

    return compile_function(operator, target, constants=constants, threads=threads, measure=measure, features=features)
