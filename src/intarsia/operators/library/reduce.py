"""Reductions of a tensor over some of its dimensions: sum, maximum, minimum.

``O[i, k] += I[i, j, k]``: axes are named i, j, k, ... by the dimension of the input.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

from intarsia.ground.errors import InputError
from intarsia.operators.library.parameters import extents, positive
from intarsia.operators.operator import Operator
from intarsia.operators.shorthand import Dtypes, Key, Shorthand
from intarsia.operators.text import parse_operator

Kind = Literal["sum", "max", "min"]
EXTREME: Dtypes = ("int8", "int8", "int8")
SUM: Dtypes = ("int8", "int8", "int32")
LETTERS = "ijklmnop"


def reduce(
    kind: Kind, *, shape: tuple[int, ...], axes: tuple[int, ...], keep: bool = False, dtypes: Dtypes = SUM
) -> Operator:
    """A tensor combined over some dimensions.

    Args:
        kind: how.
        shape: of the input.
        axes: the dimensions that go, counted from 0, or from -1 at the end.
        keep: whether they stay with extent 1.
        dtypes: of I and O (first and last).

    Returns:
        Tensors O and I.

    Raises:
        InputError: for extents that are not positive, axes out of range or repeated, more than 8 dimensions.
    """
    name = f"reduce.{kind}"
    positive(name, **{f"shape[{i}]": e for i, e in enumerate(shape)})
    if len(shape) > len(LETTERS):
        raise InputError("too many dimensions", where=name, value=str(len(shape)), allowed=f"at most {len(LETTERS)}")
    gone = {a % len(shape) for a in axes if -len(shape) <= a < len(shape)}
    if len(gone) != len(axes):
        allowed = f"different integers from {-len(shape)} to {len(shape) - 1}"
        raise InputError("axes out of range or repeated", where=name, value="x".join(map(str, axes)), allowed=allowed)
    named = list(zip(LETTERS, shape, strict=False))
    parallel = [axis for i, axis in enumerate(named) if i not in gone]
    reduction = [axis for i, axis in enumerate(named) if i in gone]
    kept = [("0", 1) if i in gone else axis for i, axis in enumerate(named)] if keep else parallel
    combine = {"sum": "+=", "max": "max=", "min": "min="}[kind]
    return parse_operator(f"""{name}: {extents(parallel)} ; {extents(reduction)}
  O:{dtypes[2]}{[e for _, e in kept]} I:{dtypes[0]}{[*shape]}
  O[{", ".join(a for a, _ in kept)}] {combine} I[{", ".join(a for a, _ in named)}]""")


_KEYS = (Key("shape", "integers", required=True), Key("axes", "integers", required=True), Key("keep", "switch"))
SHORTHANDS = (
    Shorthand("reduce.sum", _KEYS, partial(reduce, "sum"), SUM),
    Shorthand("reduce.max", _KEYS, partial(reduce, "max"), EXTREME),
    Shorthand("reduce.min", _KEYS, partial(reduce, "min"), EXTREME),
)
