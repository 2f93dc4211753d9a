"""How many bytes does a device hold: of states, cut by ZeRO, and of activations in flight?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plans import EFFICIENCY, pipeline_of, strategy_of

from intarsia.graph import Attention, Model, Recompute
from intarsia.machines.clusters import read_cluster
from intarsia.models import read_model
from intarsia.models.transformer import from_sizes
from intarsia.place import Memory, Strategy, even_split, stage_memory
from intarsia.place.memory import in_flight
from intarsia.place.profile import demands

HIDDEN, HEADS, BLOCKS, VOCAB, TOKENS = 12288, 96, 96, 51200, 2048  # GPT-3 175B as Megatron trains it
GPT3 = strategy_of(
    tensor=8,
    pipeline=16,
    data=8,
    global_batch=1536,
    sequence=TOKENS,
    sequence_parallel=True,
    zero=0,
    attention=Attention.EAGER,
)


def memory(model: Model, strategy: Strategy) -> list[Memory]:
    profile = demands(model, strategy.variant, read_cluster("a100x1024")).priced(EFFICIENCY)
    split = even_split(profile, strategy)
    return [stage_memory(profile, strategy, split, stage) for stage in range(strategy.pipeline)]


def gpt3() -> Model:
    return from_sizes(hidden=HIDDEN, heads=HEADS, layers=BLOCKS, sequence=TOKENS, vocab=VOCAB)


def experts() -> Model:
    return from_sizes(hidden=256, heads=4, layers=8, sequence=128, vocab=1024, experts=8, top_k=2)


def test_gpt3_by_hand() -> None:
    products = 12 * HIDDEN**2 // 8
    biases = (3 + 4) * HIDDEN // 8 + 2 * HIDDEN  # those of column products are cut, those of row products are not
    block = products + biases + 4 * HIDDEN  # two norms
    embedding = VOCAB * HIDDEN // 8 + TOKENS * HIDDEN
    first, *middle, last = memory(gpt3(), GPT3)
    assert [stage.weights for stage in middle] == [2 * 6 * block] * 14
    for stage in middle:
        assert stage.weights + stage.gradients + stage.optimizer == 18 * 6 * block
    assert first.weights == 2 * (6 * block + embedding)
    assert last.weights == 2 * (6 * block + 2 * HIDDEN + VOCAB * HIDDEN // 8)


def test_gpt3_activations_are_those_of_the_published_formula() -> None:
    """Korthikanti et al., MLSys 2023, equation 4: s·b·h·(34 + 5·a·s/h)/t bytes a block; stage s keeps p − s of each."""
    block = TOKENS * HIDDEN * (34 + 5 * HEADS * TOKENS / HIDDEN) / 8
    for stage, found in list(enumerate(memory(gpt3(), GPT3)))[1:-1]:
        assert found.activations == pytest.approx(6 * block * (16 - stage), rel=0.03)


def test_full_recomputation_keeps_the_blocks_inputs_and_works_on_one() -> None:
    stages = memory(gpt3(), replace(GPT3, recompute=Recompute.FULL))
    size = 2 * TOKENS * HIDDEN // 8
    assert [stage.activations for stage in stages[1:-1]] == [6 * size * (16 - stage) for stage in range(1, 15)]
    block = TOKENS * HIDDEN * (34 + 5 * HEADS * TOKENS / HIDDEN) / 8
    assert all(stage.working == pytest.approx(block, rel=0.03) for stage in stages[1:-1])


@pytest.mark.parametrize(("zero", "cut"), [(0, ""), (1, "o"), (2, "og"), (3, "ogw")])
def test_zero_cuts_one_kind_of_state_after_the_other(zero: int, cut: str) -> None:
    model = read_model("gpt2-xl")
    strategy = strategy_of(data=8, zero=0, global_batch=8)
    (whole,), (found,) = memory(model, strategy), memory(model, replace(strategy, zero=zero))
    for name, letter in (("weights", "w"), ("gradients", "g"), ("optimizer", "o")):
        before, now = getattr(whole, name), getattr(found, name)
        assert now == pytest.approx(before / 8 if letter in cut else before)
    assert found.activations == whole.activations
    assert (found.working > whole.working) is (zero == 3)


@pytest.mark.parametrize(("size", "bytes_each"), [(4, 18), (2, 16)])
def test_the_gradients_type_is_an_option(size: int, bytes_each: int) -> None:
    model = from_sizes(hidden=256, heads=4, layers=2, sequence=128, vocab=1024)
    (found,) = memory(model, strategy_of(zero=0, sequence=128, gradient_bytes=size))
    assert found.weights + found.gradients + found.optimizer == bytes_each * model.parameters


def test_experts_are_cut_over_fewer_ranks_than_the_rest() -> None:
    model = experts()
    strategy = strategy_of(data=8, expert=4, zero=0, sequence=128)
    own = 8 * (8 // 4) * (256 * 1024 + 1024 * 256)  # two experts of each of eight blocks
    (whole,) = memory(model, strategy)
    (cut,) = memory(model, replace(strategy, zero=1))
    shared = whole.weights // 2 - own
    assert model.parameters == shared + 4 * own
    assert cut.optimizer == 12 * (-(-shared // 8) + own // 2)
    (context,) = memory(model, replace(strategy, data=4, context=2, zero=1))
    assert context.optimizer == cut.optimizer


def fullest(stages: int, chunks: int, microbatches: int, stage: int) -> int:
    """Chunks whose activations are kept at once, passes in the order of Megatron-LM's interleaved schedule."""
    whole = microbatches * chunks
    ahead = stages - stage - 1 if chunks == 1 else 2 * (stages - stage - 1) + (chunks - 1) * stages
    ahead = min(ahead, whole)
    passes = ["F"] * ahead + ["F", "B"] * (whole - ahead) + ["B"] * ahead
    kept = most = 0
    for one in passes:
        kept += 1 if one == "F" else -1
        most = max(most, kept)
    assert kept == 0
    return most


@given(st.integers(1, 8), st.integers(1, 4), st.integers(1, 6), st.data())
def test_microbatches_in_flight_are_those_that_a_simulation_counts(
    stages: int, chunks: int, groups: int, data: st.DataObject
) -> None:
    chunks = chunks if stages > 1 else 1
    stage = data.draw(st.integers(0, stages - 1))
    strategy = pipeline_of(stages, groups * stages, chunks=chunks)
    assert in_flight(strategy, stage) * chunks == pytest.approx(fullest(stages, chunks, groups * stages, stage))


def test_interleaving_keeps_more_and_the_kinds_add_up() -> None:
    plain = memory(gpt3(), GPT3)
    interleaved = memory(gpt3(), replace(GPT3, interleave=3))
    assert interleaved[1].activations == pytest.approx(plain[1].activations / 15 * (2 * 14 + 2 * 16 + 1) / 3, rel=1e-6)
    for stage in plain:
        assert stage.total == sum(stage.kinds().values())
        assert all(size >= 0 for size in stage.kinds().values())
