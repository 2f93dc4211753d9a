"""Results that leave the caches in short runs wait; those in long ones, on few pages, or that stay do not."""

from dataclasses import replace

import pytest
from test_what_moves_between_caches import plan_with

from intarsia.machines import find_instruction
from intarsia.operators import parse_operator
from intarsia.targets.x86.lowering import Nest, Speeds, Subject, plan_of, predicted
from intarsia.targets.x86.lowering.candidates import candidates
from intarsia.targets.x86.lowering.runs import waiting

CACHES = ((1 << 12, 40.0), (1 << 14, 8.0), (1 << 15, 4.0))
"""Small ones, so that small results leave them."""


def product(rows, columns):
    operator = parse_operator(
        f"product: m<{rows} n<{columns} ; k<64\n  O:int32[{rows}, {columns}] A:uint8[{rows}, 64] "
        f"B:int8[64, {columns}] const\n  O[m, n] += A[m, k] * B[k, n]"
    )
    found = candidates(operator, find_instruction("x86.vpdpbusd"), 40)
    return Subject(next(e for e in found if "16*n.0+n.1" in [str(flat.value) for flat in e.flats]))


def plan(order, block=None, columns=4096, rows=768):
    nest = Nest(order, (("n.0", 2), ("m.0", 12)), ("k.0",), 2, block)
    found = plan_of(product(rows, columns), nest, {"a": ("direct", 0)})
    assert found is not None
    return found


COLUMNS_OUTSIDE, ROWS_OUTSIDE = ("n.0", "m.0"), ("m.0", "n.0")


def test_long_runs_hardly_wait():
    short, long = (waiting(plan(order), 4, CACHES) for order in (COLUMNS_OUTSIDE, ROWS_OUTSIDE))
    assert 0 < long < short / 10


def test_a_few_pages_are_followed():
    every, few = (waiting(plan(COLUMNS_OUTSIDE, block), 4, CACHES) for block in (None, ("m.0", 24)))
    assert 0 < few < every / 10


def test_runs_of_blocks_wait_by_their_length():
    waits = [waiting(plan(ROWS_OUTSIDE, ("n.0", size)), 4, CACHES) for size in (4, 8, 16, 32, 64)]
    assert waits == sorted(waits, reverse=True)
    assert waits[0] > waits[-1] > 0


def test_more_pages_than_are_remembered_wait_longer():
    assert waiting(plan(COLUMNS_OUTSIDE, ("m.0", 480)), 4, CACHES) < waiting(plan(COLUMNS_OUTSIDE), 4, CACHES)


def test_runs_that_share_lines_wait_longer():
    whole, torn = (waiting(plan(COLUMNS_OUTSIDE, ("m.0", 96), columns), 4, CACHES) for columns in (4096, 4100))
    assert torn > whole


def test_results_that_stay_in_a_cache_do_not_wait():
    caches = ((1 << 12, 40.0), (1 << 24, 8.0), (1 << 26, 4.0))
    assert waiting(plan(COLUMNS_OUTSIDE), 4, caches) == 0
    assert waiting(plan_with(Nest(COLUMNS_OUTSIDE, (("n.0", 2), ("m.0", 6)), ("k.0",), 2)), 4, Speeds().caches) == 0


def test_waiting_is_part_of_the_prediction_but_not_of_its_floor():
    short = plan(COLUMNS_OUTSIDE)
    slow = replace(Speeds(), caches=CACHES)
    registers = 768 * 4096 / 16
    more = predicted(short, slow).store - predicted(short, slow, 0.0).store
    assert more == pytest.approx(registers * waiting(short, 4, CACHES))
