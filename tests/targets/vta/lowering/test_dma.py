"""Do transfers move exactly the tensors of a box, in the order in which they lie on chip?"""

import random
from itertools import product

import numpy as np
import pytest
from fuzz_embeddings import random_embedding
from fuzz_operators import random_contraction

from intarsia.machines import find_instruction
from intarsia.program import call_space
from intarsia.targets.vta.lowering.dma import Transfer, cut, strides, tensors, transfers
from intarsia.targets.vta.lowering.plan import blocked
from intarsia.targets.vta.lowering.tiling import Place, Region, box_positions, region


def moved(found):
    """Chip offset -> address, each offset once."""
    places = {}
    for t in found:
        for y, x in product(range(t.y), range(t.x)):
            assert t.offset + y * t.x + x not in places
            places[t.offset + y * t.x + x] = t.base + y * t.stride + x
    return places


def wanted(place, box):
    """Chip offset -> address, from what a place says: the region's first dim is the slowest."""
    ranges = [range(first, last + 1) for first, last in box]
    ordered = product(*(ranges[d] for d in place.order))
    found = {}
    for offset, positions in enumerate(ordered):
        address = 0
        for d, position in zip(place.order, positions, strict=True):
            p = place.places[d]
            address += (position - p.first) // p.tile * p.outer + (position - p.first) % p.tile * p.inner
        found[offset] = address
    return found


def boxes_within_tiles(place):
    """Every box that no tile boundary cuts."""
    spans = []
    for p in place.places:
        ends = [(a, b) for a in range(p.extent) for b in range(a, p.extent) if a // p.tile == b // p.tile]
        spans.append([(a + p.first, b + p.first) for a, b in ends])
    return product(*spans)


@pytest.mark.parametrize("dims", [[(5, 2)], [(4, 4), (3, 2)], [(3, 1), (5, 2), (2, 2)], [(4, 3), (1, 1), (5, 5)]])
def test_every_box_of_a_blocked_region(dims):
    place = blocked(dims)
    for box in boxes_within_tiles(place):
        assert moved(transfers(place, box)) == wanted(place, box)


@pytest.mark.parametrize("first", [0, 3])
def test_every_box_of_a_region_with_a_halo(first):
    """One dim slides (whole, trimmed), one is blocked, and lies inside and outside of it."""
    sliding = Place(extent=5, first=first, tile=5, outer=0, inner=2)
    block = Place(extent=4, first=0, tile=2, outer=10, inner=1)
    place = Region((0, 1), (sliding, block), 20)
    for box in boxes_within_tiles(place):
        assert moved(transfers(place, box)) == wanted(place, box)


@pytest.mark.parametrize("seed", range(25))
def test_every_tile_of_a_random_embedding_lies_in_its_region(seed):
    chance = random.Random(seed)
    instruction = find_instruction("vta.gemm:1x4x4")
    embedding = None
    while embedding is None or embedding.calls > 3000:
        embedding = random_embedding(chance, random_contraction(chance), instruction)
    space = call_space(embedding)
    loops = (*space.parallel, *space.reduction)
    sizes = {loop.name: chance.randint(1, loop.extent) for loop in loops}
    for factor in space.factors:
        place = region(factor, sizes)
        for low in product(*(range(0, loop.extent, sizes[loop.name]) for loop in loops)):
            lows = dict(zip(sizes, low, strict=True))
            size = {loop.name: min(sizes[loop.name], loop.extent - lows[loop.name]) for loop in loops}
            box = box_positions(factor, lows, size)
            if tensors(box) == 0:
                continue
            found = moved(transfers(place, box))
            assert found == wanted(place, box)
            assert 0 <= min(found.values()) <= max(found.values()) < place.tensors


def test_rows_that_follow_each_other_are_one_row():
    assert cut(7, [(3, 8), (4, 2), (2, 1)]) == [Transfer(0, 7, 1, 24, 24)]


def test_a_box_of_two_dims_is_one_transfer():
    assert cut(7, [(3, 10), (4, 1)]) == [Transfer(0, 7, 3, 4, 10)]


def test_a_column_is_rows_of_one_tensor():
    assert cut(0, [(5, 3)]) == [Transfer(0, 0, 5, 1, 3)]


def test_a_single_tensor():
    assert cut(9, []) == [Transfer(0, 9, 1, 1, 1)]
    assert cut(9, [(1, 77)]) == [Transfer(0, 9, 1, 1, 1)]


def test_a_box_of_three_dims_is_a_transfer_for_each_of_the_slowest():
    assert cut(0, [(2, 100), (3, 10), (4, 1)]) == [Transfer(0, 0, 3, 4, 10), Transfer(12, 100, 3, 4, 10)]


def test_a_stride_beyond_16_bits_is_a_transfer_for_each_row():
    assert cut(1, [(3, 65535), (2, 1)]) == [Transfer(0, 1, 3, 2, 65535)]
    assert cut(1, [(3, 65536), (2, 1)]) == [Transfer(2 * i, 1 + 65536 * i, 1, 2, 2) for i in range(3)]


@pytest.mark.parametrize("dims", [[(65536, 1)], [(65536, 3), (2, 1)]])
def test_a_size_beyond_16_bits_fits_no_buffer(dims):
    with pytest.raises(AssertionError, match="is larger than any buffer"):
        cut(0, dims)


def test_strides_are_those_of_the_compact_box():
    place = Region((2, 0, 1), (Place(9, 0, 3, 3, 1),) * 3, 27)
    box = ((0, 1), (2, 4), (5, 5))
    assert strides(place, box) == (3, 1, 6)
    offsets = np.arange(6).reshape(1, 2, 3)
    for i, j in product(range(2), range(3)):
        assert offsets[0, i, j] == i * 3 + j


@pytest.mark.parametrize(("box", "count"), [(((0, 2), (4, 4)), 3), (((0, 2), (4, 3)), 0), ((), 1)])
def test_tensors_of_a_box(box, count):
    assert tensors(box) == count
