"""Which operand of a product stays in a systolic array, and what its axes then are: the facts that cycles follow from.

A call of the array is one cycle: a vector x of the *streamed* operand meets the matrix w of the *stationary* one,
``o[n] += x[k] * w[k, n]``. By the constraints of an embedding an axis of the operator may lie on n if it leaves x where
it is, and on k if it leaves o where it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd, prod

from intarsia.ground import InputError
from intarsia.operators import Access, Operator


@dataclass(frozen=True, slots=True)
class Slide:
    """Two axes that slide along each other in the streamed operand, ``x[…, a*outer + b*inner, …]``.

    A patch of values of the outer axis may lie on n, for a step of ``outer_step`` of the outer axis and back by
    ``inner_step`` of the inner one leaves x where it is; the inner axis then counts further, on k.

    Attributes:
        outer, inner: names; the outer axis moves x and o only, the inner one x and w only.
        outer_extent, inner_extent: of the operator.
        outer_step, inner_step: of the primitive direction, both positive.
        sign: of the inner axis's step.
    """

    outer: str
    inner: str
    outer_extent: int
    inner_extent: int
    outer_step: int
    inner_step: int
    sign: int

    def rows(self, patch: int) -> int:
        """How many patches there are."""
        if patch == 1:
            return self.outer_extent
        return self.outer_step * -(-self.outer_extent // (self.outer_step * patch))

    def reach(self, patch: int) -> int:
        """What the inner axis counts to."""
        return self.inner_extent + self.inner_step * (patch - 1)


@dataclass(frozen=True, slots=True)
class Role:
    """One assignment of a product's factors, as products of extents of the axes that do not slide.

    Attributes:
        streamed, stationary: tensors.
        batch: axes that move all three tensors.
        rows: axes that move x and o only.
        columns: axes that leave x where it is, and may lie on n.
        depth: axes that leave o where it is, and may lie on k.
        slides: pairs of axes that slide along each other.
    """

    streamed: str
    stationary: str
    batch: int
    rows: int
    columns: int
    depth: int
    slides: tuple[Slide, ...] = ()


def product_roles(batch: int, m: int, n: int, k: int) -> tuple[Role, Role]:
    """The roles of ``batch`` products of m×k by k×n."""
    return Role("a", "b", batch, m, n, k), Role("b", "a", batch, n, m, k)


def roles_of(operator: Operator) -> tuple[Role, Role]:
    """The roles of a sum of products of two tensors.

    Raises:
        InputError: it is anything else.
    """
    body = operator.statements[0]
    if len(operator.statements) > 1 or body.combine != "+=" or len(body.reads) != 2:
        raise InputError("a tensor core multiplies two tensors and adds", value=operator.name)
    left, right = body.reads
    return _role(operator, body.write, left, right), _role(operator, body.write, right, left)


def _role(operator: Operator, o: Access, x: Access, w: Access) -> Role:
    extents = {axis.name: axis.extent for axis in operator.axes}
    moves = [{name for subscript in access.subscripts for name, _ in subscript.terms} for access in (o, x, w)]
    in_o, in_x, in_w = moves
    slides = _slides(extents, x, outer=in_x & in_o - in_w, inner=in_x & in_w - in_o)
    sliding = {name for slide in slides for name in (slide.outer, slide.inner)}

    def extent(names: set[str]) -> int:
        return prod(extents[name] for name in names - sliding)

    every = set(extents)
    return Role(
        streamed=x.tensor,
        stationary=w.tensor,
        batch=extent(in_o & in_x & in_w),
        rows=extent(in_o & in_x - in_w),
        columns=extent(in_o - in_x),
        depth=extent(every - in_o),
        slides=slides,
    )


def _slides(extents: dict[str, int], x: Access, *, outer: set[str], inner: set[str]) -> tuple[Slide, ...]:
    """Pairs that share a subscript of x and are in no other."""
    found: list[Slide] = []
    uses = [name for subscript in x.subscripts for name, _ in subscript.terms]
    for subscript in x.subscripts:
        names = [name for name, _ in subscript.terms if uses.count(name) == 1 and extents[name] > 1]
        firsts, seconds = [n for n in names if n in outer], [n for n in names if n in inner]
        for first, second in zip(firsts[:1], seconds[:1], strict=False):
            a, b = subscript.coefficient(first), subscript.coefficient(second)
            common = gcd(a, b)
            found.append(
                Slide(
                    outer=first,
                    inner=second,
                    outer_extent=extents[first],
                    inner_extent=extents[second],
                    outer_step=abs(b) // common,
                    inner_step=abs(a) // common,
                    sign=-1 if a * b > 0 else 1,
                )
            )
    return tuple(found)
