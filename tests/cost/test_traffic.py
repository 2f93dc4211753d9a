"""How many bytes does a product move, against all ways to tile tiny ones?"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from intarsia.cost.traffic import product_bytes
from intarsia.graph import Contraction

SIZE = st.integers(1, 12)
WORK = st.builds(Contraction, st.integers(1, 2), SIZE, SIZE, SIZE, st.sampled_from([1, 2]), accumulates=st.booleans())
LARGE = st.integers(1, 20_000)


def least(work: Contraction, capacity: int) -> int:
    """The fewest bytes over every tile of the results or of an operand that may stay in half of the memory.

    The other two stream past it; a result that is not finished goes out in 4 bytes and comes back.
    """
    m, n, k, e = work.m, work.n, work.k, work.element_bytes
    left, right, partial, room = e * m * k, e * k * n, 8 * m * n, capacity // 2
    ways = [(left + right) * max(m, n, k)]
    for a, b in product(range(1, m + 1), range(1, n + 1)):
        if 4 * a * b <= room:
            ways.append(left * ceil(n / b) + right * ceil(m / a))
    for c in range(1, k + 1):
        again = partial * (ceil(k / c) - 1)
        ways += [left + right * ceil(m / a) + again for a in range(1, m + 1) if e * a * c <= room]
        ways += [right + left * ceil(n / b) + again for b in range(1, n + 1) if e * b * c <= room]
    return work.batch * (min(ways) + (1 + work.accumulates) * work.result_bytes * m * n)


@given(WORK, st.integers(24, 600))
def test_tiny_products_move_nearly_the_least_that_any_tiling_does(work: Contraction, capacity: int) -> None:
    ours = product_bytes(work, capacity)
    assert ours >= work.bytes_moved
    assert least(work, capacity) <= ours <= 1.5 * least(work, capacity)


@given(st.builds(Contraction, st.integers(1, 8), LARGE, LARGE, LARGE), st.integers(10_000, 10**8))
def test_compulsory_bytes_are_moved_at_least(work: Contraction, capacity: int) -> None:
    assert product_bytes(work, capacity) >= work.bytes_moved


@given(st.builds(Contraction, st.just(1), LARGE, LARGE, LARGE), st.integers(10_000, 10**7), st.integers(0, 10**7))
def test_more_memory_moves_hardly_more(work: Contraction, capacity: int, more: int) -> None:
    assert product_bytes(work, capacity + more) <= 1.05 * product_bytes(work, capacity)


def test_what_fits_is_moved_once() -> None:
    work = Contraction(4, 512, 512, 512)
    assert product_bytes(work, 8 * 2**20) == work.bytes_moved


def test_a_product_beyond_the_memory_is_near_the_known_bound() -> None:
    """Hong and Kung (STOC 1981): about 2·m·n·k ÷ √S elements through a memory of S."""
    work, capacity = Contraction(1, 8192, 8192, 8192), 2**20
    bound = 2 * work.m * work.n * work.k / (capacity / 4) ** 0.5 * work.element_bytes
    assert bound < product_bytes(work, capacity) < 2 * bound


def test_convolutions_move_elements_not_rows() -> None:
    work = Contraction(1, 12544, 64, 147)
    shared = replace(work, unique_bytes=work.bytes_moved // 3)
    assert product_bytes(shared, 2**26) == shared.bytes_moved
