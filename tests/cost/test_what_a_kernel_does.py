"""What does a kernel do: do as many rows enter arrays as its embedding has calls, and what does a rank really send?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intarsia.cost import amounts, demand, sent_bytes
from intarsia.cost.systolic import products_of, seen, systolic_lanes
from intarsia.embed.stationary import best_fit, embedding_of, roles_of
from intarsia.graph import Attention, Contraction, Elementwise, FusedAttention, Lookup, Pattern, Variant
from intarsia.machines import find_instruction
from intarsia.machines.chips import Mapping
from intarsia.machines.template import Point, chip_of
from intarsia.models import read_model
from intarsia.operators import read_operator

POINT = Point(16, 2, 16, 8, 16)
CHIP = chip_of(POINT)
SIZE = st.integers(1, 200)


@pytest.mark.parametrize(
    "spec", ["conv2d:n=2,c=3,h=9,w=9,k=5,r=3,s=3,pad=1", "depthwise:n=1,c=4,h=8,w=8,r=3,s=3,pad=1"]
)
def test_as_many_rows_enter_as_the_embedding_has_calls(spec: str) -> None:
    operator = read_operator(str(read_operator(spec)).replace("int8", "bfloat16").replace("int32", "float32"))
    embedding = embedding_of(operator, find_instruction("systolic:16x8"), best_fit(roles_of(operator), 16, 16, 8))
    work = Contraction(1, 1, 1, 1, spec=spec, unique_bytes=1)
    assert systolic_lanes(CHIP, work, 16) == embedding.calls * 16 * 8


def test_another_operand_may_stay_where_there_are_more_cores() -> None:
    """4 rows of a × 20 columns of b: on one core b's tiles are fewer rows in all, on 16 each core has its own tile."""
    work = Contraction(1, 4, 20, 20)
    assert systolic_lanes(CHIP, work, 1) == 2 * 3 * 4 * 16 * 8
    assert systolic_lanes(CHIP, work, 16) == 1 * 3 * 20 * 16 * 8


@given(
    st.builds(Contraction, st.integers(1, 5), SIZE, SIZE, SIZE), st.sampled_from([1, 2, 16]), st.sampled_from(Mapping)
)
def test_arrays_are_busy_for_no_longer_than_the_product_takes(work: Contraction, cores: int, mapping: Mapping) -> None:
    chip = replace(CHIP, mapping=mapping)
    done = amounts(chip, work, cores)
    asked = demand(chip, work, cores=cores)
    assert work.flops / 2 == done.products <= done.lanes <= asked.contraction * chip.clock * cores * 16 * 8
    assert done.hbm_bytes == asked.hbm_bytes


def test_what_is_masked_is_not_multiplied() -> None:
    whole = FusedAttention(8, 128, 128, 64, 64, 8, causal=False, products=2)
    masked = replace(whole, causal=True)
    assert seen(whole) == 1
    found = [amounts(CHIP, work, 16) for work in (whole, masked)]
    assert found[0].lanes == sum(systolic_lanes(CHIP, product, 16) for product in products_of(whole))
    assert found[1].lanes == pytest.approx(found[0].lanes * masked.flops / whole.flops)
    assert found[1].products == masked.flops / 2


def test_lanes_are_fed_no_more_than_three_elements_a_cycle() -> None:
    few, much = Elementwise((("add", 100),), 200, 200), Elementwise((("add", 100),), 800, 400)
    assert [amounts(CHIP, work, 2).vector_bytes for work in (few, much)] == [400, 600]
    slow = amounts(CHIP, Elementwise((("tanh", 100),), 200, 200), 2)
    assert (slow.vector_ops, slow.vector_bytes, slow.hbm_bytes) == (2700, 400, 400)
    assert slow.vector_ops == pytest.approx(demand(CHIP, Elementwise((("tanh", 100),), 200, 200)).vector * 32 * 1.05e9)
    moved = amounts(CHIP, Lookup(10, 20, 400, 400), 2)
    assert (moved.vector_ops, moved.vector_bytes, moved.hbm_bytes) == (0, 0, 800)


@pytest.mark.parametrize("name", ["mobilenet-v2", "resnet-50", "opt-350m"])
def test_no_array_multiplies_less_than_is_asked_of_it(name: str) -> None:
    model = read_model(name)
    for layer in model.layers(Variant(2, getattr(model, "sequence", 0), attention=Attention.EAGER)):
        for node in (*layer.forward, *layer.backward):
            if isinstance(node.work, Contraction):
                done = amounts(CHIP, node.work, 16)
                assert done.products <= done.lanes, (layer.name, node.name)


@pytest.mark.parametrize("ranks", [1, 2, 5, 8])
def test_a_rank_sends_what_others_lack(ranks: int) -> None:
    """An all-gather by hand: in each step every rank hands its neighbour the part that came last."""
    parts, count = [{rank} for rank in range(ranks)], 0
    for step in range(ranks - 1):
        for rank in range(ranks):
            parts[(rank + 1) % ranks].add((rank - step) % ranks)
            count += 1
    assert all(own == set(range(ranks)) for own in parts)
    size = 1000.0 * ranks
    assert sent_bytes(Pattern.ALL_GATHER, size, ranks) == pytest.approx(count / ranks * 1000.0)
    assert sent_bytes(Pattern.ALL_REDUCE, size, ranks) == pytest.approx(2 * count / ranks * 1000.0)


@pytest.mark.parametrize("pattern", [Pattern.ALL_REDUCE, Pattern.ALL_GATHER, Pattern.REDUCE_SCATTER])
def test_it_sends_as_much_level_by_level(pattern: Pattern) -> None:
    """Inside groups of 4 everything, then between 8 groups the quarter that each rank has to care for."""
    whole = sent_bytes(pattern, 1e6, 4) + sent_bytes(pattern, 1e6 / 4, 8)
    assert sent_bytes(pattern, 1e6, 32) == pytest.approx(whole)
