"""How long is a product, against slow twins that count tiles and cycles, and as the chip grows?"""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from math import ceil
from pathlib import Path

import pytest
from cost_chips import lanes, systolic, tiled
from hypothesis import given
from hypothesis import strategies as st

from intarsia.cost import Demand, demand, kernel_seconds
from intarsia.cost.calibrate import fit_operators
from intarsia.cost.demand import product_seconds
from intarsia.cost.systolic import products_of, systolic_seconds
from intarsia.cost.tiled import FEED_BYTES, SPLITS, TILE_SECONDS, TILES, tiled_seconds
from intarsia.flow.calibration import read_operators
from intarsia.graph import Contraction, Elementwise, FusedAttention, Lookup
from intarsia.machines.chips import Mapping, chip_names, efficiency_of, read_chip

SIZE = st.integers(1, 3000)
WORK = st.builds(Contraction, st.integers(1, 20), SIZE, SIZE, SIZE, st.sampled_from([1, 2]))
SMALL = st.integers(1, 9)


@given(st.sampled_from(chip_names()), WORK)
def test_no_product_is_faster_than_the_peak(name: str, work: Contraction) -> None:
    chip = read_chip(name)
    peak = chip.peak_flops * (chip.fp8_factor if work.element_bytes == 1 else 1)
    assert product_seconds(chip, work, chip.tensor.count) >= work.flops / peak * (1 - 1e-12)


@given(st.sampled_from(chip_names()), WORK, st.integers(1, 300), st.integers(1, 300))
def test_more_cores_are_never_slower(name: str, work: Contraction, few: int, more: int) -> None:
    chip = read_chip(name)
    few, more = sorted((few, few + more))
    assert product_seconds(chip, work, more) <= product_seconds(chip, work, few)


def slow_tiles(work: Contraction, cores: int) -> float:
    """An A100's best tile and split: every tile is handed to the core that is free first."""
    best = float("inf")
    for rows, columns in TILES:
        cycles_a_k = max(rows * columns / 1024, (rows + columns) * work.element_bytes / (FEED_BYTES * 1024))
        tiles = work.batch * ceil(work.m / rows) * ceil(work.n / columns)
        for split in SPLITS:
            if split > 1 and (tiles * split > 2 * cores or work.k // split < 256):
                continue
            seconds = cycles_a_k * ceil(work.k / split) / 1.41e9 + TILE_SECONDS
            free = [0.0] * cores
            for _ in range(tiles * split):
                free[free.index(min(free))] += seconds
            best = min(best, max(free))
    return best


@given(
    st.builds(Contraction, st.integers(1, 3), st.integers(1, 400), st.integers(1, 400), st.integers(1, 2000)),
    st.integers(1, 12),
)
def test_tiles_and_waves_are_those_of_a_twin_that_hands_out_tiles(work: Contraction, cores: int) -> None:
    assert tiled_seconds(read_chip("a100"), work, cores) == pytest.approx(slow_tiles(work, cores))


def test_tiles_that_local_memory_does_not_hold_are_not_used() -> None:
    work = Contraction(1, 4096, 4096, 4096)
    small, large = tiled(local_bytes=32 * 1024), tiled()
    assert tiled_seconds(small, work, 108) > 1.2 * tiled_seconds(large, work, 108)


def slow_cycles(work: Contraction, width: int, depth: int) -> int:
    """One array, cycle by cycle: rows enter one a cycle, blocks follow each other without a gap, then it drains."""
    best = 0
    for rows, columns in ((work.m, work.n), (work.n, work.m)):
        cycle = 0
        for _ in range(work.batch):
            for _ in range(0, columns, width):
                for _ in range(0, work.k, depth):
                    entered = loaded = 0
                    while entered < rows or loaded < depth:  # the next block's rows are loaded beside the stream
                        entered, loaded, cycle = entered + 1, loaded + 1, cycle + 1
        cycle += width + depth
        best = min(best or cycle, cycle)
    return best


@given(st.builds(Contraction, st.integers(1, 3), SMALL, SMALL, SMALL), st.integers(1, 4), st.integers(1, 4))
def test_one_array_takes_the_cycles_that_a_twin_counts(work: Contraction, width: int, depth: int) -> None:
    """Where each dimension is padded; embeddings are counted in tests/embed/test_stationary.py."""
    chip = replace(systolic(width=width, depth=depth), mapping=Mapping.PADDED)
    assert systolic_seconds(chip, work, 1) == slow_cycles(work, width, depth)


@given(
    st.builds(Contraction, st.integers(1, 40), st.integers(1, 300), st.integers(1, 300), st.integers(1, 300)),
    st.integers(1, 12), st.integers(1, 64), st.integers(1, 64),
)  # fmt: skip
def test_embedded_products_are_never_slower_than_padded_ones(work: Contraction, cores: int, width: int, depth: int):
    chip = systolic(count=cores, width=width, depth=depth)
    padded = systolic_seconds(replace(chip, mapping=Mapping.PADDED), work, cores)
    assert systolic_seconds(chip, work, cores) <= padded


def test_an_embedded_depthwise_convolution_fills_more_of_a_large_core() -> None:
    spec = "depthwise:n=8,c=96,h=56,w=56,r=3,s=3,pad=1"
    work = Contraction(96, 8 * 56 * 56, 1, 9, spec=spec, unique_bytes=1)
    chip = systolic(width=128, depth=128)
    assert systolic_seconds(replace(chip, mapping=Mapping.PADDED), work, 1) > 50 * systolic_seconds(chip, work, 1)


@pytest.mark.parametrize("mapping", list(Mapping))
@pytest.mark.parametrize(("products", "width"), [(2, 64), (5, 128)])
def test_fused_attention_on_arrays_takes_its_products_without_what_is_masked(mapping, products, width) -> None:
    chip = replace(systolic(count=4, width=128, depth=128), mapping=mapping)
    whole = FusedAttention(16, 512, 512, width, width, 16, causal=False, products=products)
    each = [systolic_seconds(chip, one, 4) for one in products_of(whole)]
    assert len(each) == products
    assert sum(one.flops for one in products_of(whole)) == whole.flops
    assert demand(chip, whole).flash == pytest.approx(sum(each))
    assert demand(chip, replace(whole, causal=True)).flash == pytest.approx(sum(each) / 2)


def test_several_arrays_share_blocks_or_the_stream() -> None:
    chip = systolic(count=4, width=8, depth=8)
    assert systolic_seconds(chip, Contraction(1, 1000, 32, 8), 4) == 1000 + 16  # a block each
    assert systolic_seconds(chip, Contraction(1, 1000, 8, 8), 4) == 250 + 16  # a quarter of the stream each


def test_eight_bit_products_are_as_much_faster_as_the_chip_says() -> None:
    work = Contraction(1, 8192, 8192, 8192)
    slow, fast = (product_seconds(read_chip("h100"), replace(work, element_bytes=e), 132) for e in (2, 1))
    assert slow / fast == pytest.approx(2, rel=0.02)
    slow, fast = (product_seconds(read_chip("gaudi3"), replace(work, element_bytes=e), 8) for e in (2, 1))
    assert slow == fast


@given(WORK, st.floats(1e10, 1e13), st.floats(1, 10))
def test_more_bandwidth_is_never_slower(work: Contraction, bandwidth: float, more: float) -> None:
    slow, fast = tiled(hbm_bandwidth=bandwidth), tiled(hbm_bandwidth=bandwidth * more)
    efficiency = efficiency_of(read_chip("a100"))
    assert kernel_seconds(demand(fast, work), fast, efficiency) <= kernel_seconds(demand(slow, work), slow, efficiency)


def test_what_every_kind_of_work_demands() -> None:
    chip = lanes(2, 8, 1e9)
    passes = Elementwise((("exp", 160), ("add", 160)), 1000, 500)
    assert demand(chip, passes) == Demand(vector=160 * (12 + 1) / 16e9, hbm_bytes=1500)
    assert demand(chip, replace(passes, backward=True)).vector == 160 * (2 + 1) / 16e9
    assert demand(chip, passes, cores=1).vector == 160 * 13 / 8e9
    assert demand(chip, Lookup(4, 8, 64, 128)) == Demand(hbm_bytes=192)
    fused = FusedAttention(16, 128, 128, 64, 64, 16, causal=False, products=2)
    assert demand(read_chip("a100"), fused).flash == pytest.approx(4 * 16 * 128 * 128 * 64 / 311.87e12, rel=1e-4)


@pytest.mark.parametrize(
    ("n", "k", "odd"), [(64, 64, False), (60, 64, True), (64, 60, True), (1, 60, False), (8, 8, False), (8, 4, True)]
)
def test_rows_off_the_16_byte_border_are_seen(n: int, k: int, *, odd: bool) -> None:
    assert demand(read_chip("a100"), Contraction(1, 128, n, k)).misaligned is odd


def test_measured_matmuls_above_a_millisecond_are_within_a_tenth() -> None:
    chip = read_chip("a100")
    rows = read_operators(Path(str(files("intarsia.machines.chips") / "measurements" / "a100_matmul.csv")))
    long = [row for row in rows if row.seconds > 1e-3]
    reached = replace(efficiency_of(chip), matmul=fit_operators(chip, rows).matmul)
    errors = [kernel_seconds(demand(chip, row.work), chip, reached) / row.seconds - 1 for row in long]
    assert len(long) == 10
    assert max(map(abs, errors)) < 0.1
    # in training, products reach less than alone on a cool chip
    assert 0.75 * reached.matmul < efficiency_of(chip).matmul < reached.matmul


def test_a_convolution_may_be_larger_than_addresses_reach() -> None:
    spec = "conv2d:n=4096,c=96,h=112,w=112,k=96,r=3,s=3,pad=1,groups=96"
    work = Contraction(96, 4096 * 112 * 112, 1, 9, spec=spec, unique_bytes=1)
    assert systolic_seconds(systolic(width=128, depth=128), work, 1) > 0
