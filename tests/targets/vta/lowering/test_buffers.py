"""Do slots and the micro-operation buffer keep what is still needed, and say what has to be loaded?"""

import random

import pytest

from intarsia.targets.vta.lowering.slots import Ring
from intarsia.targets.vta.lowering.uops import UopStore


def test_slots_are_filled_in_turn_and_reused_in_turn():
    ring = Ring(100, 8, 3)
    for slot, key in enumerate("abc"):
        assert ring.find(key) is None
        assert ring.fill(key) == (slot, -1)
        assert ring.use(slot, slot) == 100 + 8 * slot
    assert ring.find("b") == 1
    assert ring.fill("d") == (0, 0)
    assert (ring.find("a"), ring.find("d")) == (None, 0)
    assert ring.fill("e") == (1, 1)


def test_a_slot_is_freed_by_the_last_step_that_read_it():
    ring = Ring(0, 1, 2)
    ring.fill("a")
    ring.fill("b")
    ring.use(0, 4)
    ring.use(1, 5)
    ring.use(0, 9)
    assert ring.fill("c") == (0, 9)
    assert ring.fill("d") == (1, 5)


@pytest.mark.parametrize("seed", range(40))
def test_a_ring_holds_what_it_says(seed):
    """Against a memory of slots: what is found was put there and not overwritten since."""
    chance = random.Random(seed)
    ring = Ring(10, 3, chance.randint(1, 5))
    held, last = {}, {}
    for step in range(80):
        key = chance.randint(0, 7)
        slot = ring.find(key)
        assert slot == next((s for s, k in held.items() if k == key), None)
        if slot is None:
            slot, freed = ring.fill(key)
            assert 0 <= slot < ring.count
            assert freed == last.get(slot, -1)
            held[slot] = key
        assert ring.use(slot, step) == 10 + 3 * slot
        last[slot] = step


def sequence(number, length):
    return tuple((number, i, 0) for i in range(length))


def test_what_is_on_chip_is_not_loaded_again():
    store = UopStore(16)
    a, b = sequence(1, 4), sequence(2, 4)
    assert store.place([a, b]) == (0, 0, 8)
    assert store.place([b, a]) is None
    assert (store.at(a), store.at(b)) == (0, 4)
    assert store.missing([a, sequence(3, 1), a]) == [sequence(3, 1)]
    assert (store.find(b), store.find(sequence(3, 1))) == (4, None)


def test_a_block_that_does_not_fit_at_the_end_wraps_round_and_drops_what_it_covers():
    store = UopStore(16)
    a, b, c = sequence(1, 6), sequence(2, 6), sequence(3, 6)
    store.place([a])
    store.place([b])
    assert store.place([c]) == (0, 12, 6)
    assert (store.find(a), store.find(b), store.find(c)) == (None, 6, 0)


def test_what_the_step_needs_is_not_dropped_by_its_own_load():
    store = UopStore(8)
    a, b, c = sequence(1, 2), sequence(2, 4), sequence(3, 4)
    store.place([a])
    store.place([b])
    assert store.place([a, c]) is not None
    assert None not in (store.find(a), store.find(c))


def test_a_block_seen_before_is_loaded_from_where_it_lies():
    store = UopStore(4)
    a, b = sequence(1, 4), sequence(2, 4)
    first = store.place([a])
    store.place([b])
    assert store.place([a]) == first
    assert len(store.table) == 8


def test_more_than_the_buffer_holds():
    with pytest.raises(AssertionError, match="9 micro-operations in one step, the buffer holds 8"):
        UopStore(8).place([sequence(1, 9)])


@pytest.mark.parametrize("seed", range(60))
def test_the_buffer_holds_what_it_says(seed):
    """Against a buffer of micro-operations: after each load, all that is wanted is on chip, where the store says."""
    chance = random.Random(seed)
    depth = chance.choice((8, 16, 32))
    store = UopStore(depth)
    pool = [sequence(i, chance.randint(1, depth // 3)) for i in range(12)]
    chip = [None] * depth
    for _ in range(60):
        wanted = chance.sample(pool, chance.randint(1, 3))
        block = store.place(wanted)
        if block is not None:
            sram, dram, count = block
            assert sram + count <= depth
            chip[sram : sram + count] = store.table[dram : dram + count]
        for s in wanted:
            assert tuple(chip[store.at(s) : store.at(s) + len(s)]) == s
        for s in pool:
            at = store.find(s)
            assert at is None or tuple(chip[at : at + len(s)]) == s
    assert store.columns().tolist() == [list(row) for row in store.table]
