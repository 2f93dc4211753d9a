"""Elementwise sums, maxima, minima and products of two tensors that broadcast as NumPy has it.

A sum is two statements, ``O[i] += A[i]`` and ``O[i] += B[i]``; so are a maximum and a minimum. A product is one.
Axes are named i, j, k, ... by the dimension of the output.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

from intarsia.ground.errors import InputError
from intarsia.operators.library.parameters import extents, positive
from intarsia.operators.operator import Operator
from intarsia.operators.shorthand import Dtypes, Key, Shorthand
from intarsia.operators.text import parse_operator

Kind = Literal["add", "max", "min", "mul"]
EXTREME: Dtypes = ("int8", "int8", "int8")
SUM: Dtypes = ("int8", "int8", "int32")
LETTERS = "ijklmnop"


def elementwise(
    kind: Kind, *, shape: tuple[int, ...], shape_b: tuple[int, ...] | None = None, dtypes: Dtypes = SUM
) -> Operator:
    """Two tensors combined element by element.

    Args:
        kind: how.
        shape: of A.
        shape_b: of B, as A's if not given.
        dtypes: of A, B and O.

    Returns:
        Tensors O (the broadcast shape), A and B.

    Raises:
        InputError: for extents that are not positive, shapes that do not broadcast, more than 8 dimensions.
    """
    second = shape if shape_b is None else shape_b
    out = _broadcast(kind, shape, second)
    axes = list(zip(LETTERS, out, strict=False))
    write = ", ".join(a for a, _ in axes)
    a, b = (f"{name}[{_subscripts(axes, s)}]" for name, s in (("A", shape), ("B", second)))
    combine = {"add": "+=", "mul": "+=", "max": "max=", "min": "min="}[kind]
    statements = f"  O[{write}] {combine} {a}\n  O[{write}] {combine} {b}"
    if kind == "mul":
        statements = f"  O[{write}] += {a} * {b}"
    return parse_operator(f"""{kind}: {extents(axes)}
  O:{dtypes[2]}{[*out]} A:{dtypes[0]}{[*shape]} B:{dtypes[1]}{[*second]}
{statements}""")


def _broadcast(kind: str, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    positive(kind, **{f"shape[{i}]": e for i, e in enumerate(a)}, **{f"shape_b[{i}]": e for i, e in enumerate(b)})
    rank = max(len(a), len(b))
    if rank > len(LETTERS):
        raise InputError("too many dimensions", where=kind, value=str(rank), allowed=f"at most {len(LETTERS)}")
    pairs = list(zip((1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b, strict=True))
    if any(x != y and 1 not in {x, y} for x, y in pairs):
        shown = f"{'x'.join(map(str, a))} and {'x'.join(map(str, b))}"
        raise InputError("the shapes do not broadcast", where=kind, value=shown, allowed="equal extents, or 1")
    return tuple(max(pair) for pair in pairs)


def _subscripts(axes: list[tuple[str, int]], shape: tuple[int, ...]) -> str:
    own = axes[len(axes) - len(shape) :]
    return ", ".join(axis if extent == e else "0" for (axis, extent), e in zip(own, shape, strict=True))


_KEYS = (Key("shape", "integers", required=True), Key("shape_b", "integers"))
SHORTHANDS = (
    Shorthand("add", _KEYS, partial(elementwise, "add"), SUM),
    Shorthand("mul", _KEYS, partial(elementwise, "mul"), SUM),
    Shorthand("max", _KEYS, partial(elementwise, "max"), EXTREME),
    Shorthand("min", _KEYS, partial(elementwise, "min"), EXTREME),
)
