"""Bytes that come into a cache, beside what a cache that forgets the least recent line really fetches."""

from collections import OrderedDict
from itertools import product

import pytest

from intarsia.machines import find_instruction
from intarsia.operators import parse_operator
from intarsia.targets.x86.lowering import Nest, Subject, plan_of
from intarsia.targets.x86.lowering.candidates import candidates
from intarsia.targets.x86.lowering.traffic import traffic

OPERATOR = parse_operator(
    "product: m<48 n<128 ; k<128\n  O:int32[48, 128] A:uint8[48, 128] B:int8[128, 128] const\n"
    "  O[m, n] += A[m, k] * B[k, n]"
)
EMBEDDING = next(
    embedding
    for embedding in candidates(OPERATOR, find_instruction("x86.vpdpbusd"), 40)
    if "16*n.0+n.1" in [str(flat.value) for flat in embedding.flats]
)
NESTS = {
    "columns outside": Nest(("n.0", "m.0"), (("n.0", 2), ("m.0", 6)), ("k.0",), 2),
    "rows outside": Nest(("m.0", "n.0"), (("n.0", 2), ("m.0", 6)), ("k.0",), 2),
    "columns outside, in blocks": Nest(("n.0", "m.0"), (("n.0", 2), ("m.0", 6)), ("k.0",), 2, ("m.0", 12)),
    "small tiles": Nest(("n.0", "m.0"), (("m.0", 4),), ("k.0",), 2),
}


def plan_with(nest):
    plan = plan_of(Subject(EMBEDDING), nest, {"a": ("direct", 0)})
    assert plan is not None
    return plan


def points(plan):
    """The counters of the parallel loops at each corner of a tile, in order."""
    tile = dict(plan.tile)
    ranges = [range(0, plan.extents[n], tile.get(n, 1)) for n in plan.parallel]
    if plan.block is None:
        yield from (dict(zip(plan.parallel, p, strict=True)) for p in product(*ranges))
        return
    name, size = plan.block
    at = plan.parallel.index(name)
    for low in range(0, plan.extents[name], size):
        ranges[at] = range(low, min(low + size, plan.extents[name]), tile.get(name, 1))
        yield from (dict(zip(plan.parallel, p, strict=True)) for p in product(*ranges))


def touched(plan):
    """(memory, line) of everything that is read or written, in order."""
    inner = list(product(*(range(f) for _, f in plan.tile)))
    for corner in points(plan):
        within = [dict(zip(dict(plan.tile), p, strict=True)) for p in inner]
        for k in range(plan.extents["k.0"]):
            for feed in plan.factors:
                base = feed.constant + feed.step("k.0") * k + sum(feed.step(n) * c for n, c in corner.items())
                for p in within:
                    place = base + sum(feed.within(n) * c for n, c in p.items())
                    yield feed.operand, place // 64
        for p in within:
            place = sum(c * (corner[n] + p.get(n, 0)) for n, c in plan.store.address.terms)
            yield "out", place // 64


def fetched(plan, size):
    """Bytes that a cache of some size fetches in the second of two runs."""
    kept, missed = OrderedDict(), 0
    for run in range(2):
        for line in touched(plan):
            missed += run and line not in kept
            kept[line] = None
            kept.move_to_end(line)
            if len(kept) > size // 64:
                kept.popitem(last=False)
    return 64 * missed


@pytest.mark.parametrize("name", NESTS)
@pytest.mark.parametrize("size", [4096, 12288, 65536])
def test_the_count_is_close_to_a_cache(name, size):
    plan = plan_with(NESTS[name])
    (told,) = traffic(plan, (0.95 * size,))  # what passes through needs some room
    real = fetched(plan, size)
    assert told == real == 0 or 0.5 <= told / real <= 2.0


def test_what_fits_is_not_fetched_again():
    assert traffic(plan_with(NESTS["columns outside"]), (1 << 20, 1 << 25)) == (0.0, 0.0)


def test_a_larger_cache_fetches_less():
    told = traffic(plan_with(NESTS["rows outside"]), tuple(1 << n for n in range(10, 20)))
    assert list(told) == sorted(told, reverse=True)
