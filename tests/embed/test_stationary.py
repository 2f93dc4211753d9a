"""Are the closed forms of embeddings in a systolic array right, and is nothing in the families better?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intarsia.embed import Embedding, EmbeddingProblem, enumerate_embeddings
from intarsia.embed.check import check
from intarsia.embed.embedding import batches, iterations, lane_positions
from intarsia.embed.stationary import Fit, best_fit, cycles, embedding_of, front, least_cycles, product_roles, roles_of
from intarsia.ground import InputError
from intarsia.machines import find_instruction
from intarsia.operators import Operator, read_operator

SPECS = (
    "gemm:m=7,n=9,k=5",
    "conv2d:n=2,c=3,h=9,w=9,k=5,r=3,s=3,pad=1",
    "conv2d:n=1,c=2,h=11,w=11,k=3,r=3,s=3,stride=2,pad=1",
    "conv2d:n=1,c=4,h=8,w=8,k=4,r=3,s=3,dilation=2,pad=2,groups=2",
    "depthwise:n=1,c=4,h=8,w=8,r=3,s=3,pad=1",
    "conv1d:n=2,c=1,w=20,k=3,s=5,stride=3,pad=2",
    "conv1d:n=1,c=2,w=24,k=2,s=3,stride=2,dilation=3,pad=3",
)
ARRAYS = ((4, 4), (8, 8), (6, 16), (16, 6))


def operator_of(spec: str) -> Operator:
    """With the array's element types."""
    return read_operator(str(read_operator(spec)).replace("int8", "bfloat16").replace("int32", "float32"))


def contents(embedding: Embedding) -> tuple[set[tuple[int, ...]], int, int]:
    """What the array holds, by replay of every lane: the different contents, and the columns and rows that are used.

    A cell holds an element, or zero (-1) where a read is outside its tensor or a lane without work shares its column
    and its row with one that works. What else it holds (-2) does not matter: its column is not read, or x is zero.
    """
    stationary = dict(embedding.operands)["w"]
    access = next(read for read in embedding.body.reads if read.tensor == stationary)
    shape = embedding.operator.tensor(stationary).shape
    found: set[tuple[int, ...]] = set()
    positions, _, _ = lane_positions(embedding)
    box = [axis.extent for axis in embedding.instruction.semantics.axes]
    columns = rows = 0
    for outer in batches(embedding, 1 << 12):
        values, defined = iterations(embedding, outer)
        element = np.zeros(defined.shape, dtype=np.int64)
        inside = defined.copy()
        for subscript, extent in zip(access.subscripts, shape, strict=True):
            index = sum((c * values[name] for name, c in subscript.terms), np.array(subscript.constant))
            inside &= (index >= 0) & (index < extent)
            element = element * extent + index
        cells = defined.reshape(-1, *box)
        asked = (cells.any(axis=2, keepdims=True) & cells.any(axis=3, keepdims=True)).reshape(defined.shape)
        found |= set(map(tuple, np.where(inside, element, np.where(asked, -1, -2)).tolist()))
        used = defined.any(axis=0)
        columns = max(columns, int(positions["n"][used].max(initial=0)) + 1)
        rows = max(rows, int(positions["k"][used].max(initial=0)) + 1)
    return _merged(found), columns, rows


def _merged(found: set[tuple[int, ...]]) -> set[tuple[int, ...]]:
    """Without contents that another one serves."""
    table = np.array(sorted(found))
    kept: list[int] = []
    for at in np.argsort((table == -2).sum(axis=1), kind="stable").tolist():
        matters = table[at] != -2
        if not any((table[at][matters] == table[other][matters]).all() for other in kept):
            kept.append(at)
    return {tuple(table[at].tolist()) for at in kept}


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize(("width", "depth"), ARRAYS)
def test_every_fit_is_an_embedding_with_its_calls_and_no_more_contents(spec: str, width: int, depth: int) -> None:
    operator, instruction = operator_of(spec), find_instruction(f"systolic:{width}x{depth}")
    for fit in front(roles_of(operator), width, depth):
        embedding = embedding_of(operator, instruction, fit)
        assert check(embedding).good
        assert embedding.calls == fit.calls
        found, columns, rows = contents(embedding)
        assert len(found) <= fit.tiles
        assert fit.together <= (width // columns) * (depth // rows)


SMALL = (
    "gemm:m=3,n=2,k=3",
    "conv1d:n=1,c=1,w=6,k=1,s=3,pad=1",
    "conv1d:n=1,c=2,w=5,k=1,s=2",
    "conv1d:n=1,c=1,w=7,k=2,s=3,stride=2,pad=1",
    "conv1d:n=1,c=2,w=4,k=2,s=3,pad=1,groups=2",
)


@pytest.mark.parametrize("spec", SMALL)
@pytest.mark.parametrize(("width", "depth"), [(2, 2), (2, 4), (4, 3)])
def test_no_embedding_of_any_family_takes_fewer_cycles(spec: str, width: int, depth: int) -> None:
    operator, instruction = operator_of(spec), find_instruction(f"systolic:{width}x{depth}")
    best = best_fit(roles_of(operator), 1, width, depth).cycles(1, width, depth)
    problem = EmbeddingProblem(operator, instruction, "skewed")
    looked = 0
    for embedding in enumerate_embeddings(problem, distinct=True):
        found, columns, rows = contents(embedding)
        most = (width // columns) * (depth // rows)
        for together in range(1, min(most, len(found)) + 1):
            loads = -(-len(found) // together)
            assert max(embedding.calls, loads * depth) + width + depth >= best, embedding
        looked += 1
    assert looked > 1


sizes = st.integers(1, 40)
arrays = st.lists(st.tuples(st.integers(1, 64), st.integers(2, 32), st.integers(2, 32)), min_size=1, max_size=6)


def best_in_turn(every: tuple[Fit, ...], cores: int, width: int, depth: int) -> int:
    """The rule that loads are dealt out and streams are cut, one part after the other."""
    found = []
    for fit in every:
        cut = 1
        while cut <= cores:
            loads = -(-fit.loads * cut // cores)
            found.append(loads * max(-(-fit.stream // cut), depth) + width + depth)
            cut *= 2
    return min(found)


@given(st.tuples(sizes, sizes, sizes, sizes), arrays)
def test_products_at_once_are_those_one_by_one(product, chips) -> None:
    roles = product_roles(*product)
    columns = np.array(chips).T
    single = [best_in_turn(front(roles, w, d), c, w, d) for c, w, d in chips]
    assert cycles(roles, *columns).tolist() == single == [best_fit(roles, *chip).cycles(*chip) for chip in chips]


@settings(max_examples=30)
@given(st.sampled_from(SPECS), arrays)
def test_convolutions_at_once_are_those_one_by_one(spec, chips) -> None:
    roles = roles_of(read_operator(spec))
    single = [best_in_turn(front(roles, w, d), c, w, d) for c, w, d in chips]
    assert cycles(roles, *np.array(chips).T).tolist() == single


@given(st.tuples(sizes, sizes, sizes, sizes), st.tuples(*[st.integers(0, 3)] * 4), arrays)
def test_cycles_that_no_larger_product_takes_less_than(product, more, chips) -> None:
    larger = tuple(size + plus for size, plus in zip(product, more, strict=True))
    columns = np.array(chips).T
    least = least_cycles(product_roles(*product), *columns)
    assert (least <= least_cycles(product_roles(*larger), *columns)).all()
    assert (least <= cycles(product_roles(*larger), *columns)).all()
    wide = columns.copy()
    wide[1:] = 2  # no room for a second tile, so that nothing is rounded away
    two = product_roles(*(size + 1 for size in product))
    assert least_cycles(two, *wide).tolist() == cycles(two, *wide).tolist()


def test_a_depthwise_convolution_fills_an_array_as_a_banded_matrix() -> None:
    """128 columns hold a patch of outputs, where padding each dimension of a product leaves 9 of 16,384 cells."""
    roles = roles_of(read_operator("depthwise:n=8,c=96,h=56,w=56,r=3,s=3,pad=1"))
    fit = best_fit(roles, 1, 128, 128)
    assert fit.role.stationary == "W"
    assert 64 <= np.prod(fit.patch) <= 128
    padded = 96 * -(-8 * 56 * 56 // 128) * 128  # every channel a product of its own, its windows on the columns
    assert padded > 50 * fit.cycles(1, 128, 128)


def test_what_is_no_product_of_two_tensors_is_refused() -> None:
    with pytest.raises(InputError, match="multiplies two tensors"):
        roles_of(read_operator("maxpool2d:n=1,c=4,h=8,w=8,r=2,s=2,stride=2"))
