"""Directions that leave fixed what an instruction axis leaves fixed: kernels of accesses, and their smallest vectors.

The directions allowed on an instruction axis are the integer vectors v with A_t v = 0 for every tensor that the axis
leaves in its register, and for the output unless the axis moves it. They are a lattice. A vector is *primitive* if no
other one is, entry by entry, of the same sign and no larger: the primitive vectors are the lattice's Graver basis
(Graver 1975), computed by completion (Pottier 1991), and every vector is a sum of primitive ones of its own signs.
Unit vectors in it are aligned digits, the others skewed ones: (ow + 1, kw - 1) leaves the input of a convolution fixed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from intarsia.embed.constraints import Rules, moved

Vector: TypeAlias = tuple[int, ...]
LARGEST_BASIS = 400


def rows(rules: Rules, lane: str) -> list[Vector]:
    """The linear forms, over the live operator axes, that must vanish on an instruction axis."""
    found: list[Vector] = []
    for number, (meaning, access) in enumerate(rules.pairs):
        if access is None or moved(meaning, {lane: 1}):
            continue
        if ("result" if number == 0 else "operands") in rules.problem.dropped:
            continue
        found += [tuple(s.coefficient(name) for name in rules.live) for s in access.subscripts]
    return [row for row in found if any(row)]


def kernel(forms: list[Vector], size: int) -> list[Vector]:
    """A basis of the integer vectors on which all forms vanish, by integer column operations."""
    columns = [[1 if i == j else 0 for i in range(size)] for j in range(size)]
    for form in forms:
        values = [sum(a * b for a, b in zip(form, column, strict=True)) for column in columns]
        while sum(1 for v in values if v) > 1:
            pivot = min((i for i, v in enumerate(values) if v), key=lambda i: abs(values[i]))
            for i in range(len(columns)):
                if i != pivot and values[i]:
                    times = values[i] // values[pivot]
                    columns[i] = [a - times * b for a, b in zip(columns[i], columns[pivot], strict=True)]
                    values[i] -= times * values[pivot]
        columns = [column for column, v in zip(columns, values, strict=True) if not v]
    return [tuple(column) for column in columns]


def within(small: Vector, large: Vector) -> bool:
    """Whether one vector is of the same sign and no larger in every entry."""
    return all(a * b >= 0 and abs(a) <= abs(b) for a, b in zip(small, large, strict=True))


def primitive(basis: list[Vector]) -> list[Vector]:
    """The primitive vectors of a lattice, v and -v both."""
    found = [v for b in basis for v in (b, tuple(-x for x in b))]
    queue = [(f, g) for i, f in enumerate(found) for g in found[:i]]
    while queue and len(found) < LARGEST_BASIS:
        left, right = queue.pop()
        rest = _reduced(tuple(a + b for a, b in zip(left, right, strict=True)), found)
        if any(rest):
            both = (rest, tuple(-x for x in rest))
            queue += [(f, v) for f in found for v in both]
            found += both
    return [v for v in found if not any(w != v and within(w, v) for w in found)]


def _reduced(vector: Vector, by: list[Vector]) -> Vector:
    while any(vector):
        smaller = next((w for w in by if within(w, vector)), None)
        if smaller is None:
            return vector
        vector = tuple(a - b for a, b in zip(vector, smaller, strict=True))
    return vector


def skewed_directions(rules: Rules, lane: str) -> list[Vector]:
    """The primitive directions on an instruction axis that move several operator axes, one step staying in the box."""
    reach = [rules.problem.operator.axis(name).extent - 1 for name in rules.live]
    return [
        v
        for v in primitive(kernel(rows(rules, lane), len(rules.live)))
        if sum(1 for x in v if x) > 1
        and all(abs(x) <= r for x, r in zip(v, reach, strict=True))
        and rules.allows(lane, dict(zip(rules.live, v, strict=True)))
    ]


def all_directions(rules: Rules, lane: str) -> Iterator[Vector]:
    """Every direction on an instruction axis inside the box."""
    reach = [rules.problem.operator.axis(name).extent - 1 for name in rules.live]
    for vector in vanishing(rows(rules, lane), reach):
        if any(vector) and rules.allows(lane, dict(zip(rules.live, vector, strict=True))):
            yield vector


def vanishing(forms: list[Vector], reach: list[int]) -> Iterator[Vector]:
    """Every vector of entries up to the reach, of either sign, on which all forms vanish, in lexicographic order."""
    after = [[sum(abs(c) * r for c, r in zip(f[i:], reach[i:], strict=True)) for i in range(len(f) + 1)] for f in forms]

    def extend(chosen: Vector, sums: Vector) -> Iterator[Vector]:
        place = len(chosen)
        if place == len(reach):
            yield chosen
            return
        for x in range(-reach[place], reach[place] + 1):
            longer = tuple(total + form[place] * x for total, form in zip(sums, forms, strict=True))
            if all(abs(total) <= rest[place + 1] for total, rest in zip(longer, after, strict=True)):
                yield from extend((*chosen, x), longer)

    return extend((), (0,) * len(forms))


def pivots(rules: Rules, vector: Vector) -> list[int]:
    """The axes whose chain a digit of this direction may join.

    The direction must move the axis forward. A digit that moves the write joins a parallel axis with one home, for the
    output element must decide the digit; every other axis that it moves is compensated, leaves its range on the way,
    and must be guarded.
    """
    operator = rules.problem.operator
    found = []
    moves = any(c and operator.axis(n).role == "parallel" for n, c in zip(rules.live, vector, strict=True))
    for i, name in enumerate(rules.live):
        role = operator.axis(name).role
        if vector[i] <= 0 or (moves and (role != "parallel" or not rules.has_home(name))):
            continue
        others = [n for j, n in enumerate(rules.live) if j != i and vector[j]]
        if all(rules.guarded((n,)) for n in others):
            found.append(i)
    return found
