"""How long is an iteration: how do its parts follow from its stages, and what does each switch do to it?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plans import EFFICIENCY, predicted, strategy_of

from intarsia.cost import Placed, collective_seconds
from intarsia.graph import Pattern, Recompute
from intarsia.machines.clusters import read_cluster
from intarsia.models.transformer import from_sizes
from intarsia.place import Pipeline, Prediction, Strategy

CLUSTER = read_cluster("a100x64")
MODEL = from_sizes(hidden=1024, heads=16, layers=24, sequence=1024, vocab=50257)
EXPERTS = from_sizes(hidden=1024, heads=16, layers=8, sequence=1024, vocab=50257, experts=8, top_k=2)


def of(**given: object) -> Prediction:
    return predicted(MODEL, strategy_of(**({"zero": 0} | given)), CLUSTER)


POWERS = st.sampled_from([1, 2, 4])


@given(
    POWERS,
    POWERS,
    POWERS,
    POWERS,
    st.sampled_from(list(Recompute)),
    st.integers(0, 3),
    st.sampled_from(list(Pipeline)),
    st.sampled_from(["", "scattered"]),
)
def test_the_parts_add_up_and_none_is_negative(
    tensor: int,
    stages: int,
    data: int,
    count: int,
    recompute: Recompute,
    zero: int,
    order: Pipeline,
    scatter: str,
) -> None:
    found = of(
        tensor=tensor,
        pipeline=stages,
        data=data,
        global_batch=data * count,
        recompute=recompute,
        zero=zero,
        order=order,
        sequence_parallel=bool(scatter),
    )
    time = found.time
    parts = (time.compute, time.communication, time.bubble, time.optimizer)
    assert min(parts) >= 0
    assert sum(parts) == pytest.approx(found.seconds)
    assert time.compute > 0
    assert (time.bubble == 0) is (stages == 1)
    assert found.interval[0] < found.seconds < found.interval[1]
    assert len(time.stages) == len(found.memory) == stages
    assert 0 < found.mfu < 1
    assert found.seconds >= count * max(stage.load for stage in time.stages)


def test_each_microbatch_adds_the_slowest_stage() -> None:
    few, more = (of(pipeline=4, global_batch=count) for count in (8, 20))
    slowest = max(stage.load for stage in few.time.stages)
    assert more.seconds - few.seconds == pytest.approx(12 * slowest)


def test_the_bubble_is_the_other_stages_and_interleaving_divides_it() -> None:
    plain, chunked = (of(pipeline=4, interleave=chunks, global_batch=8) for chunks in (1, 3))
    loads = [stage.load for stage in plain.time.stages]
    assert plain.time.bubble == pytest.approx(sum(loads) - max(loads))
    loads = [stage.load for stage in chunked.time.stages]
    assert chunked.time.bubble == pytest.approx((sum(loads) - max(loads)) / 3)
    assert chunked.time.stages[1].messages > plain.time.stages[1].messages


def test_a_zero_bubble_schedule_fills_gaps_with_weight_gradients() -> None:
    plain, filled = (of(pipeline=4, order=order) for order in Pipeline)
    loads = [stage.load for stage in plain.time.stages]
    others = [stage for stage in plain.time.stages if stage.load < max(loads)]
    assert plain.seconds - filled.seconds == pytest.approx(2 * sum(stage.weights for stage in others))


def test_recomputing_more_is_slower() -> None:
    modes = (Recompute.NONE, Recompute.SELECTIVE, Recompute.FULL)
    seconds = [of(recompute=mode).seconds for mode in modes]
    assert seconds == sorted(seconds)
    first, _, full = (of(recompute=mode).time.stages[0] for mode in modes)
    assert 0.5 * first.forward < full.backward - first.backward < first.forward  # the loss is not computed again


def synchronised(strategy: Strategy) -> float:
    return predicted(MODEL, strategy, CLUSTER).time.stages[0].synchronise


def test_replicas_reduce_their_gradients_once() -> None:
    strategy = strategy_of(data=8, zero=0)
    group, size = Placed(8, 1), 4 * MODEL.parameters
    assert synchronised(strategy) == pytest.approx(
        collective_seconds(Pattern.ALL_REDUCE, size, group, CLUSTER, EFFICIENCY)
    )
    scattered = collective_seconds(Pattern.REDUCE_SCATTER, size, group, CLUSTER, EFFICIENCY)
    gathered = collective_seconds(Pattern.ALL_GATHER, size / 2, group, CLUSTER, EFFICIENCY)
    assert synchronised(replace(strategy, zero=1)) == pytest.approx(scattered + gathered)
    assert synchronised(replace(strategy, zero=3)) == 0
    assert synchronised(strategy_of(zero=0)) == 0


def test_only_experts_of_the_same_kind_reduce_theirs() -> None:
    strategy = strategy_of(data=16, expert=8, zero=0, global_batch=16)
    seconds = predicted(EXPERTS, strategy, CLUSTER).time.stages[0].synchronise
    own = 8 * 2 * 1024 * 4096
    shared = EXPERTS.parameters - 8 * own
    expected = collective_seconds(Pattern.ALL_REDUCE, 4 * shared, Placed(16, 1), CLUSTER, EFFICIENCY)
    expected += collective_seconds(Pattern.ALL_REDUCE, 4 * own, Placed(2, 8), CLUSTER, EFFICIENCY)
    assert seconds == pytest.approx(expected)


def test_zero_cuts_the_update() -> None:
    whole, cut = (of(data=8, zero=zero).time.stages[0].optimizer for zero in (0, 1))
    assert cut == pytest.approx(whole / 8)


def test_tensor_ranks_on_two_nodes_are_slower_than_on_one() -> None:
    inside, across = (of(tensor=tensor).time.communication for tensor in (8, 16))
    assert across > 1.3 * inside


def test_sequence_parallelism_without_tensor_parallelism_changes_nothing() -> None:
    plain, parallel = (of(sequence_parallel=switch, data=2) for switch in (False, True))
    assert (plain.time, plain.memory, plain.mfu) == (parallel.time, parallel.memory, parallel.mfu)


def test_sequence_parallelism_saves_memory_and_no_operation() -> None:
    plain, parallel = (of(sequence_parallel=switch, tensor=4) for switch in (False, True))
    assert parallel.memory[0].activations < 0.8 * plain.memory[0].activations
    assert parallel.memory[0].weights == plain.memory[0].weights


def test_mfu_is_the_models_own_operations_over_the_peak() -> None:
    found = of(data=2)
    assert found.mfu == pytest.approx(8 * MODEL.flops(1024) / (found.seconds * 2 * CLUSTER.chip.peak_flops))
