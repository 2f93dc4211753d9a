"""A sum that scatters (an input gradient, a transposed convolution) as sums that gather, which an array can hold.

``I[…, s*a + d*b + c, …] += O[…, a, …] * W[…, b, …]`` adds to one element from many (a, b). With b = s'*t + r for a
fixed residue r, where s' = s / gcd(s, d), and elements i = i0 + s*q of the residue that belongs to it, it is
``I_r[…, q, …] += O[…, q - c'*t + c0, …] * W[…, s'*t + r, …]`` with c' = d*s'/s: a sum of its own for each residue.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import gcd

from intarsia.operators import Access, Affine, Axis, Operator, Statement


def gathered(operator: Operator) -> tuple[Operator, ...]:
    """The sums that gather, one for each residue, which together do what the operator does; itself if none scatters.

    Each writes a tensor of its own: the elements of one residue, dense. Sums of more than one statement are left alone.
    """
    found: tuple[Operator, ...] = (operator,)
    if len(operator.statements) > 1:
        return found
    for place in range(len(operator.statements[0].write.subscripts)):
        found = tuple(part for one in found for part in _along(one, place))
    return found


def _along(operator: Operator, place: int) -> tuple[Operator, ...]:
    """The residues of one subscript of the written tensor."""
    write = operator.statements[0].write
    subscript = write.subscripts[place]
    elsewhere = {name for at, other in enumerate(write.subscripts) if at != place for name, _ in other.terms}
    names = [name for name, c in subscript.terms if c > 0 and name not in elsewhere]
    if len(subscript.terms) != 2 or len(names) != 2:
        return (operator,)
    for outer, inner in (tuple(names), tuple(reversed(names))):
        if _alone(operator, outer) and _meet(operator, subscript, outer, inner):
            return tuple(_residues(operator, place, outer, inner))
    return (operator,)


def _meet(operator: Operator, subscript: Affine, outer: str, inner: str) -> bool:
    """Whether two different pairs of values add to one element; not so for a group and a channel of it."""
    step, dilation = subscript.coefficient(outer), subscript.coefficient(inner)
    common = gcd(step, dilation)
    return dilation // common < operator.axis(outer).extent and step // common < operator.axis(inner).extent


def _alone(operator: Operator, outer: str) -> bool:
    """Whether reads of this axis are of a whole dimension, so that what lies beyond its range reads as zero."""
    uses = [
        (read, at)
        for read in operator.statements[0].reads
        for at, subscript in enumerate(read.subscripts)
        if subscript.coefficient(outer)
    ]
    if len(uses) != 1:
        return False
    read, at = uses[0]
    tensor = operator.tensor(read.tensor)
    whole = tensor.shape[at] == operator.axis(outer).extent and tensor.pad == 0
    return whole and read.subscripts[at] == Affine(((outer, 1),))


def _residues(operator: Operator, place: int, outer: str, inner: str) -> Iterator[Operator]:
    body = operator.statements[0]
    subscript = body.write.subscripts[place]
    size = operator.tensor(body.write.tensor).shape[place]
    step, dilation = subscript.coefficient(outer), subscript.coefficient(inner)
    period = step // gcd(step, dilation)
    for residue in range(min(period, operator.axis(inner).extent)):
        taps = -(-(operator.axis(inner).extent - residue) // period)
        first = (dilation * residue + subscript.constant) % step
        elements = -(-(size - first) // step)
        if elements < 1:
            continue
        start = (first - dilation * residue - subscript.constant) // step
        values = {
            outer: Affine(((outer, 1), (inner, -(dilation * period // step))), start),
            inner: Affine(((inner, period),), residue),
        }
        axes = {outer: elements, inner: taps}
        write = replace(body.write, subscripts=_with(body.write.subscripts, place, Affine(((outer, 1),))))
        reads = tuple(_substituted(read, values) for read in body.reads)
        shape = operator.tensor(body.write.tensor).shape
        yield Operator(
            operator.name,
            tuple(_axis(axis, axes, inner) for axis in operator.axes),
            tuple(
                replace(t, shape=(*shape[:place], elements, *shape[place + 1 :])) if t.name == write.tensor else t
                for t in operator.tensors
            ),
            (Statement(write, body.combine, reads),),
        )


def _axis(axis: Axis, extents: dict[str, int], inner: str) -> Axis:
    role = "reduction" if axis.name == inner else axis.role
    return Axis(axis.name, extents.get(axis.name, axis.extent), role)


def _with(subscripts: tuple[Affine, ...], place: int, value: Affine) -> tuple[Affine, ...]:
    return (*subscripts[:place], value, *subscripts[place + 1 :])


def _substituted(access: Access, values: dict[str, Affine]) -> Access:
    """The access with an affine value in the place of some axes."""
    found = []
    for subscript in access.subscripts:
        terms: dict[str, int] = {}
        constant = subscript.constant
        for name, c in subscript.terms:
            value = values.get(name, Affine(((name, 1),)))
            constant += c * value.constant
            for other, d in value.terms:
                terms[other] = terms.get(other, 0) + c * d
        found.append(Affine(tuple((name, c) for name, c in terms.items() if c), constant))
    return replace(access, subscripts=tuple(found))
