"""Does the axis level say what the scalar level says, on small boxes, and nothing else?"""

from __future__ import annotations

import random
from itertools import pairwise, product

import pytest
from small import depthwise, gemm_unit, random_instruction, random_operator

from intarsia.embed import EmbeddingProblem, enumerate_embeddings
from intarsia.embed.check import check
from intarsia.embed.scalar import as_digits, assignments, enumerate_scalar, family, named
from intarsia.solvers import Found, Limits

FLATTENED = None


def directions(embedding):
    """The digits of each instruction axis as (direction, factor), FLATTENED if an axis is flattened with others."""
    rows = []
    for axis in embedding.instruction.semantics.axes:
        row = []
        for loop in embedding.lane_loops(axis.name):
            v = []
            for name in (a.name for a in embedding.operator.axes):
                flat = next(f for f in embedding.flats if name in f.axes)
                if len(flat.axes) > 1 and flat.value.coefficient(loop.name):
                    return FLATTENED
                own = flat.value.coefficient(loop.name) if len(flat.axes) == 1 else 0
                v.append(own + flat.shift(name).coefficient(loop.name))
            row.append((tuple(v), loop.extent))
        rows.append(tuple(row))
    return tuple(rows)


def fits(operator, digits):
    """Whether all lanes of the digits lie inside the box at some base."""
    reach = [sum(abs(v[x]) * (f - 1) for row in digits for v, f in row) for x in range(len(operator.axes))]
    return all(r < a.extent for r, a in zip(reach, operator.axes, strict=True))


def tiles(operator, digits):
    """Whether some choice of pivots without a cycle of compensations makes every axis a mixed radix.

    (All operators of these tests see every axis alone, so that every compensated axis is guarded.)
    """
    flat = [digit for row in digits for digit in row]
    role = [a.role for a in operator.axes]
    options = []
    for v, _ in flat:
        moves = any(c and role[x] == "parallel" for x, c in enumerate(v))
        options.append([x for x, c in enumerate(v) if c > 0 and (role[x] == "parallel" or not moves)])
    for pivots in product(*options):
        edges = {(p, y) for p, (v, _) in zip(pivots, flat, strict=True) for y, c in enumerate(v) if c and y != p}
        if not cyclic(edges) and all(radix(x, pivots, flat) for x in set(pivots)):
            return True
    return False


def cyclic(edges):
    left = set(edges)
    while left:
        keep = {(p, y) for p, y in left if any(q == y for q, _ in left)}
        if keep == left:
            return True
        left = keep
    return False


def radix(x, pivots, flat):
    own = sorted((v[x], f) for p, (v, f) in zip(pivots, flat, strict=True) if p == x)
    return all(s2 % (s * f) == 0 for (s, f), (s2, _) in pairwise(own))


def scalar_digits(operator, instruction, assignment, kinds):
    """The digits of all scalar calls of these families, None if there are too many calls."""
    found = enumerate_scalar(operator, instruction, assignment, limits=Limits(4, 40_000))
    if not isinstance(found, Found):
        return None
    extents = [a.extent for a in instruction.semantics.axes]
    maps = [phi for phi in found.value if family(phi, extents) in kinds]
    return {as_digits(phi, extents) for phi in maps}


def compare(operator, instruction, kind):
    """How many assignments were compared; fails where the two levels differ."""
    mine = {}
    for embedding in enumerate_embeddings(EmbeddingProblem(operator, instruction, kind)):
        mine.setdefault(embedding.operands, set()).add(directions(embedding))
    kinds = ("aligned",) if kind == "aligned" else ("aligned", "skewed")
    compared = 0
    for assignment in assignments(operator, instruction):
        theirs = scalar_digits(operator, instruction, assignment, kinds)
        if theirs is None:
            continue
        own = mine.get(named(operator, instruction, assignment), set()) - {FLATTENED}
        compared += 1
        assert {d for d in own if fits(operator, d)} == {d for d in theirs if tiles(operator, d)}
    return compared


@pytest.mark.parametrize("seed", range(8))
def test_aligned_shapes_are_the_scalar_calls_with_digits_along_axes(seed):
    rng = random.Random(seed)
    compared = 0
    while compared < 25:
        compared += compare(random_operator(rng, 14), random_instruction(rng, 5), "aligned")


@pytest.mark.parametrize("seed", range(4))
def test_skewed_shapes_are_the_scalar_calls_with_any_digits(seed):
    rng = random.Random(100 + seed)
    compared = 0
    while compared < 12:
        compared += compare(random_operator(rng, 14), random_instruction(rng, 4), "skewed")


def test_a_patch_of_outputs_is_among_the_skewed_ones():
    assert compare(depthwise(1, 2, 2, 2, 2), gemm_unit(1, 4, 1), "skewed")


@pytest.mark.parametrize("kind", ["fused", "skewed"])
def test_every_embedding_of_a_sample_is_right(kind):
    rng = random.Random(7)
    for _ in range(12):
        operator, instruction = random_operator(rng, 48), random_instruction(rng, 8)
        problem = EmbeddingProblem(operator, instruction, kind)
        listed = list(enumerate_embeddings(problem, 400, distinct=True))
        for embedding in rng.sample(listed, min(6, len(listed))):
            assert check(embedding).good, f"{embedding}\n{check(embedding)}"
