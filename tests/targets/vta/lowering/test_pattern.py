"""Do the instructions of a step run exactly the calls of its box and its reduction points, each once?"""

import random
from collections import Counter
from itertools import product

import numpy as np
import pytest

from intarsia.targets.vta.lowering.pattern import LARGEST_COUNT, Run, Sweep, sweeps

LIMITS = (2048, 2048, 1024)


def expanded(found):
    """Every (dst, src, wgt), with how often it runs."""
    calls = Counter()
    for sweep in found:
        for o, i, offset in product(range(sweep.outer.extent), range(sweep.inner.extent), sweep.offsets):
            moves = zip(offset, sweep.outer.moves, sweep.inner.moves, strict=True)
            calls[tuple(base + o * a + i * b for base, a, b in moves)] += 1
    return calls


def brute(box, points, parallel, reduction, origin):
    calls = Counter()
    for index in product(*(range(first, first + count) for first, count in box)):
        for point in points.tolist():
            at = list(origin)
            for loop, value in enumerate(index):
                at = [a + value * m for a, m in zip(at, parallel[loop], strict=True)]
            for loop, value in enumerate(point):
                at = [a + value * m for a, m in zip(at, reduction[loop], strict=True)]
            calls[tuple(at)] += 1
    return calls


def agree(box, points, parallel, reduction, origin=(0, 0, 0), most_uops=16, limits=LIMITS):
    points = np.array(points, dtype=np.int64)
    parallel, reduction = dict(enumerate(parallel)), dict(enumerate(reduction))
    found = sweeps(box, points, parallel, reduction, origin, most_uops, limits)
    assert expanded(found) == brute(box, points, parallel, reduction, origin)
    for sweep in found:
        assert len(sweep.offsets) <= most_uops
        for run in (sweep.outer, sweep.inner):
            assert 1 <= run.extent <= LARGEST_COUNT
            assert all(0 <= m < top for m, top in zip(run.moves, limits, strict=True))
    return found


def test_all_in_the_hardware_loops():
    points = [[c] for c in range(4)]
    (sweep,) = agree(((0, 3),), points, [(1, 2, 0)], [(0, 7, 1)])
    assert sweep == Sweep(Run(3, (1, 2, 0)), Run(4, (0, 7, 1)), ((0, 0, 0),))


def test_a_third_loop_becomes_micro_operations():
    points = list(product(range(4), range(5)))
    (sweep,) = agree(((0, 3),), points, [(1, 100, 0)], [(0, 10, 30), (0, 1, 2)])
    assert len(sweep.offsets) == 3
    assert {sweep.outer.extent, sweep.inner.extent} == {4, 5}


def test_loops_that_continue_each_other_are_one():
    points = [[c] for c in range(4)]
    (sweep,) = agree(((0, 3), (0, 5)), points, [(5, 10, 0), (1, 2, 0)], [(0, 64, 1)])
    assert Run(15, (1, 2, 0)) in (sweep.outer, sweep.inner)
    assert len(sweep.offsets) == 1


def test_a_merged_run_stays_within_the_counter():
    (sweep,) = agree(((0, 200), (0, 100)), [[]], [(100, 100, 0), (1, 1, 0)], [], limits=(2**15,) * 3)
    assert {sweep.outer.extent, sweep.inner.extent} == {200, 100}


def test_points_that_are_no_product_are_listed():
    points = [[0, 1], [1, 0], [1, 1]]
    (sweep,) = agree(((0, 4),), points, [(1, 1, 0)], [(0, 10, 3), (0, 1, 1)])
    assert len(sweep.offsets) == 3


def test_points_with_gaps_that_are_no_progression_are_listed():
    (sweep,) = agree(((0, 4),), [[0], [1], [3]], [(1, 1, 0)], [(0, 10, 3)])
    assert len(sweep.offsets) == 3


def test_a_progression_with_a_step_is_a_loop():
    (sweep,) = agree(((0, 4),), [[1], [3], [5]], [(1, 1, 0)], [(0, 10, 3)])
    assert len(sweep.offsets) == 1
    assert Run(3, (0, 20, 6)) in (sweep.outer, sweep.inner)


def test_a_negative_move_is_listed():
    points = [[j] for j in range(5)]
    (sweep,) = agree(((0, 3),), points, [(1, 1, 0)], [(0, -1, 2)], origin=(0, 4, 0))
    assert len(sweep.offsets) == 5


@pytest.mark.parametrize("moves", [(2048, 0, 0), (0, 2048, 0), (0, 0, 1024)])
def test_a_move_beyond_its_field_is_listed(moves):
    (sweep,) = agree(((0, 3), (0, 2)), [[]], [moves, (1, 1, 1)], [])
    assert len(sweep.offsets) == 3


def test_more_micro_operations_than_an_instruction_may_have():
    points = list(product(range(3), range(3), range(3)))
    found = agree(((0, 5),), points, [(1, 90, 0)], [(0, 31, 9), (0, 10, 3), (0, 1, 1)], most_uops=2)
    assert len(found) == 5


def test_no_loop_at_all():
    (sweep,) = agree((), [[]], [], [], origin=(3, 2, 1))
    assert sweep.calls == 1
    assert sweep.offsets == ((3, 2, 1),)


@pytest.mark.parametrize("seed", range(300))
def test_random_boxes_points_and_moves(seed):
    chance = random.Random(seed)
    parallel = [tuple(chance.randint(0, 9) for _ in range(3)) for _ in range(chance.randint(0, 3))]
    reduction = [(0, chance.randint(-4, 9), chance.randint(-2, 9)) for _ in range(chance.randint(0, 3))]
    if chance.random() < 0.4 and len(parallel) > 1:
        scale = chance.randint(2, 4)
        parallel[0] = tuple(scale * m for m in parallel[1])
    box = tuple((chance.randint(0, 3), chance.randint(1, 4)) for _ in parallel)
    points = list(product(*(range(chance.randint(0, 2), chance.randint(3, 5)) for _ in reduction)))
    if chance.random() < 0.5:
        points = chance.sample(points, chance.randint(1, len(points)))
    limits = (chance.choice((4, 12, 64)),) * 3
    agree(box, points, parallel, reduction, (0, 50, 50), chance.choice((1, 3, 16)), limits)


def test_the_calls_of_a_sweep():
    assert Sweep(Run(3, (1, 0, 0)), Run(4, (0, 1, 0)), ((0, 0, 0), (1, 1, 1))).calls == 24
