"""What is compiled: a sum of products of two factors, quantised or not."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.ground import InputError
from intarsia.operators import Operator, Quantised, quantised
from intarsia.operators.quantised import STORED
from intarsia.targets.x86.features import Features, flags
from intarsia.targets.x86.intrinsics import lacking, usable
from intarsia.targets.x86.levels import level_of

WIDENED = "x86.vpmaddwd.ymm"
"""Multiplies bytes where nothing else does: they are widened to 16 bits, and every product and sum is exact."""
INSTRUCTIONS = {
    ("uint8", "int8", "int32"): ("x86.vpdpbusd", "x86.vpdpbusd.ymm", WIDENED),
    ("int16", "int16", "int32"): ("x86.vpdpwssd", WIDENED),
    ("float32", "float32", "float32"): ("x86.vfmadd231ps", "x86.vfmadd231ps.ymm"),
    ("bfloat16", "bfloat16", "float32"): ("x86.vdpbf16ps",),
}
"""Element types of factors and result, and what multiplies them, the best first."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is compiled.

    Attributes:
        operator: the contraction, as it was given.
        q: the same as a quantised operator, None for other elements than bytes.
        pad: what reads outside a factor see, where it is no zero point.
    """

    operator: Operator
    q: Quantised | None
    pad: tuple[tuple[str, int], ...] = ()

    @property
    def given(self) -> Operator | Quantised:
        """What the reference computes of it: an operator on bytes is not a quantised one, its padding may be any."""
        return self.operator if self.q is None or self.pad else self.q


def instruction_of(operator: Operator, features: Features) -> str:
    """The best instruction for an operator's elements that code may use.

    Raises:
        InputError: there is none; the message names the features that are missing.
    """
    statement = operator.statements[0]
    first, second = sorted((operator.tensor(read.tensor).dtype for read in statement.reads), reverse=True)
    return _best((first, second, operator.tensor(statement.write.tensor).dtype), features, operator.name)


def instruction_of_bytes(features: Features) -> str:
    """The best instruction for bytes that code may use, perhaps one for wider elements.

    Raises:
        InputError: not even AVX2 may be used.
    """
    return _best(("uint8", "int8", "int32"), features, "")


def _best(dtypes: tuple[str, str, str], features: Features, where: str) -> str:
    names, has = INSTRUCTIONS[dtypes], usable(features)
    for name in names:
        if name in has:
            return name
    what = f"{flags(lacking(names[0], features))} missing, which {names[0]} needs"
    raise InputError(what, where=where, value=f"{features.cpu}, {level_of(features)}")


def source_of(given: Operator | Quantised) -> Source:
    """What is compiled of an operator.

    Raises:
        InputError: if it is no sum of products of two factors that the target has an instruction for.
    """
    if isinstance(given, Quantised):
        return Source(given.operator, given)
    statement = given.statements[0]
    dtypes = [given.tensor(read.tensor).dtype for read in statement.reads]
    names = {read.tensor for read in statement.reads}
    if len(given.statements) > 1 or statement.combine != "+=" or len(dtypes) != 2 or len(names) != 2:
        what = "x86 compiles one statement that adds products of two tensors"
        raise InputError(what, where=given.name, value=str(statement))
    written = given.tensor(statement.write.tensor).dtype
    if set(dtypes) <= set(STORED) and written == "int32":
        pad = tuple((t.name, int(t.pad)) for t in given.tensors if t.name in names)
        return Source(given, quantised(given), pad)
    if (*dtypes, written) not in INSTRUCTIONS:
        allowed = "int8 or uint8 in int32, int16 in int32, float32, bfloat16 in float32"
        what = f"{' times '.join(dtypes)} in {written}"
        raise InputError("x86 has no instruction for these elements", where=given.name, value=what, allowed=allowed)
    return Source(given, None)
