"""An operator over the same iterations with its tensors laid out otherwise.

In comes an operator with one constant factor; out goes one whose other tensors have the dimensions that the constant
factor moves (channels) behind all others (positions), axes of one iteration left out, and positions that lie behind
each other in all tensors joined into one axis. Every element has a place in both layouts, and every product and sum is
the same, so the two compute the same; arrays are copied between the layouts, or only seen in another shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod

from intarsia.operators import Access, Affine, Axis, Operator, Statement

NOTHING = Affine((), 0)


@dataclass(frozen=True, slots=True)
class Relaid:
    """An operator in another layout.

    Attributes:
        operator: what is embedded.
        dims: for each dimension of the written tensor the one that it became, None where it was joined.
        moved: tensor to the extents of what lies before its channels, its channels, and its positions behind them, as
            the tensor is given; those that need no copy are not there.
    """

    operator: Operator
    dims: tuple[int | None, ...]
    moved: Mapping[str, tuple[int, int, int]]


def channels_last(operator: Operator) -> Relaid | None:
    """The operator with channels behind positions.

    Returns:
        None where no array would be copied, or where channels do not lie behind each other.
    """
    statement = operator.statements[0]
    constant = [r for r in statement.reads if operator.tensor(r.tensor).constant]
    if len(constant) != 1:
        return None
    moving = _axes(constant[0])
    tensors = {t.name: t for t in operator.tensors}
    accesses: dict[str, Access] = {}
    moved: dict[str, tuple[int, int, int]] = {}
    dims: tuple[int, ...] = ()
    for access in (statement.write, *statement.reads):
        if access is constant[0]:
            continue
        tensor = operator.tensor(access.tensor)
        first, last = _parted(operator, access, moving)
        order, cut = [*first, *last], _cut(tensor.shape, last)
        if cut is None:
            return None
        if cut[1] > 1 and cut[2] > 1:
            moved[tensor.name] = cut
        tensors[tensor.name] = replace(tensor, shape=tuple(tensor.shape[i] for i in order))
        accesses[tensor.name] = Access(tensor.name, tuple(access.subscripts[i] for i in order))
        if access is statement.write:
            dims = tuple(order.index(i) for i in range(len(order)))
    if not moved:
        return None
    made = replace(
        operator,
        tensors=tuple(tensors[t.name] for t in operator.tensors),
        statements=(_with(statement, lambda access: accesses.get(access.tensor, access)),),
    )
    whole = joined(made)
    return Relaid(whole.operator, tuple(whole.dims[i] for i in dims), moved)


def joined(operator: Operator) -> Relaid:
    """The operator without axes of one iteration, neighbouring positions joined; no array is copied."""
    found = _shorter(operator)
    while (pair := _pair(found.operator)) is not None:
        found = _after(found, _join(found.operator, *pair))
    return found


def _after(first: Relaid, second: Relaid) -> Relaid:
    dims = tuple(None if i is None else second.dims[i] for i in first.dims)
    return Relaid(second.operator, dims, {})


def _axes(access: Access) -> set[str]:
    return {name for subscript in access.subscripts for name, _ in subscript.terms}


def _parted(operator: Operator, access: Access, moving: set[str]) -> tuple[list[int], list[int]]:
    """The dimensions of positions, which some parallel axis moves that does not move the constant, and of channels."""
    shape = operator.tensor(access.tensor).shape
    places = [
        any(operator.axis(name).role == "parallel" and name not in moving for name, _ in subscript.terms)
        for subscript in access.subscripts
    ]
    first = [i for i, place in enumerate(places) if place or shape[i] == 1]
    return first, [i for i in range(len(places)) if i not in first]


def _cut(shape: tuple[int, ...], channels: list[int]) -> tuple[int, int, int] | None:
    """Extents before, of and behind the channels, None where they are apart."""
    if not channels:
        return prod(shape), 1, 1
    first, behind = channels[0], channels[-1] + 1
    if any(shape[i] > 1 and i not in channels for i in range(first, behind)):
        return None
    return prod(shape[:first]), prod(shape[first:behind]), prod(shape[behind:])


def _with(statement: Statement, change: Callable[[Access], Access]) -> Statement:
    return Statement(change(statement.write), statement.combine, tuple(change(read) for read in statement.reads))


def _shorter(operator: Operator) -> Relaid:
    """Without axes of one iteration, and without dimensions of one position in tensors that are not constant."""
    kept = tuple(a for a in operator.axes if a.extent > 1)
    names = {a.name for a in kept}
    written = operator.statements[0].write
    if {a.role for a in kept} != {"parallel", "reduction"}:
        return Relaid(operator, tuple(range(len(written.subscripts))), {})
    dims: dict[str, list[int]] = {}

    def change(access: Access) -> Access:
        tensor = operator.tensor(access.tensor)
        subscripts = [Affine(tuple(t for t in s.terms if t[0] in names), s.constant) for s in access.subscripts]
        left = [i for i, s in enumerate(subscripts) if tensor.constant or tensor.shape[i] > 1 or s != NOTHING]
        dims[access.tensor] = left
        return Access(access.tensor, tuple(subscripts[i] for i in left))

    statement = _with(operator.statements[0], change)
    tensors = tuple(replace(t, shape=tuple(t.shape[i] for i in dims[t.name])) for t in operator.tensors)
    order = dims[written.tensor]
    places = tuple(order.index(i) if i in order else None for i in range(len(written.subscripts)))
    return Relaid(replace(operator, axes=kept, tensors=tensors, statements=(statement,)), places, {})


def _pair(operator: Operator) -> tuple[str, str] | None:
    """Two positions that lie behind each other wherever they appear."""
    statement = operator.statements[0]
    accesses = (statement.write, *statement.reads)
    constant = {name for access in accesses if operator.tensor(access.tensor).constant for name in _axes(access)}
    for first, second in zip(statement.write.subscripts, statement.write.subscripts[1:], strict=False):
        one, two = _alone(first), _alone(second)
        if one and two and not {one, two} & constant and all(_behind(operator, a, one, two) for a in accesses):
            return one, two
    return None


def _alone(subscript: Affine) -> str | None:
    """The axis that a subscript is."""
    whole = len(subscript.terms) == 1 and subscript.terms[0][1] == 1 and not subscript.constant
    return subscript.terms[0][0] if whole else None


def _behind(operator: Operator, access: Access, one: str, two: str) -> bool:
    """Whether an access has neither axis, or each once, as a subscript, the second one over its whole dimension."""
    if not {one, two} & _axes(access):
        return True
    names = [_alone(s) for s in access.subscripts]
    times = [name for s in access.subscripts for name, _ in s.terms if name in {one, two}]
    if times != [one, two] or one not in names or names[names.index(one) + 1 :][:1] != [two]:
        return False
    return operator.tensor(access.tensor).shape[names.index(two)] == operator.axis(two).extent


def _join(operator: Operator, one: str, two: str) -> Relaid:
    name = f"{one}_{two}"
    while name in {a.name for a in operator.axes}:
        name += "_"
    extent = operator.axis(one).extent * operator.axis(two).extent
    axes = tuple(Axis(name, extent, "parallel") if a.name == one else a for a in operator.axes if a.name != two)
    tensors = {t.name: t for t in operator.tensors}
    statement = operator.statements[0]
    for access in (statement.write, *statement.reads):
        if one in _axes(access):
            i, tensor = [_alone(s) for s in access.subscripts].index(one), tensors[access.tensor]
            shape = (*tensor.shape[:i], tensor.shape[i] * tensor.shape[i + 1], *tensor.shape[i + 2 :])
            tensors[access.tensor] = replace(tensor, shape=shape)

    def change(access: Access) -> Access:
        names = [_alone(s) for s in access.subscripts]
        if one not in names:
            return access
        i = names.index(one)
        new = Affine(((name, 1),))
        return Access(access.tensor, (*access.subscripts[:i], new, *access.subscripts[i + 2 :]))

    at = [_alone(s) for s in statement.write.subscripts].index(one)
    dims = tuple(None if i in {at, at + 1} else i - (i > at) for i in range(len(statement.write.subscripts)))
    made = replace(
        operator,
        axes=axes,
        tensors=tuple(tensors[t.name] for t in operator.tensors),
        statements=(_with(statement, change),),
    )
    return Relaid(made, dims, {})
