"""Which strategies are refused, and with which words?"""

from __future__ import annotations

import pytest
from plans import strategy_of

from intarsia.ground import InputError
from intarsia.machines.clusters import read_cluster
from intarsia.models.transformer import from_sizes
from intarsia.place import Pipeline
from intarsia.place.refuse import refuse_strategy

MODEL = from_sizes(hidden=256, heads=4, layers=6, sequence=96, vocab=1000, name="small")
EXPERTS = from_sizes(hidden=256, heads=4, layers=6, sequence=96, vocab=1000, experts=8, top_k=2, name="routed")
CLUSTER = read_cluster("a100x16")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"data": 0}, "data is not positive: 0; allowed: 1 or more"),
        ({"interleave": -1}, "interleave is not positive: -1; allowed: 1 or more"),
        (
            {"tensor": 4, "pipeline": 2, "data": 4},
            "the degrees need more devices than the cluster has: 4 × 2 × 4 × 1 = 32 of 16",
        ),
        (
            {"data": 4, "microbatch": 4},
            "the global batch is less than one microbatch for each replica: 8 < 4 × 4",
        ),
        ({"data": 4, "expert": 3}, "the expert degree does not divide data × context: 3 of 4"),
        ({"data": 4, "expert": 4}, "small cannot be cut so: expert 4 for a model without experts"),
        ({"tensor": 8}, "small cannot be cut so: 4 heads do not divide by tensor 8"),
        ({"context": 5}, "small cannot be cut so: sequence 96 does not divide by context 5"),
        ({"pipeline": 7}, "there are more stages than blocks: 7 > 6"),
        ({"interleave": 2}, "interleaving needs a pipeline: interleave 2"),
        (
            {"pipeline": 2, "interleave": 3, "order": Pipeline.ZERO_BUBBLE},
            "zero-bubble with interleaving is not modelled; allowed: interleave 1",
        ),
    ],
)
def test_an_impossible_strategy_is_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as error:
        refuse_strategy(MODEL, strategy_of(**({"sequence": 96} | given)), CLUSTER)
    assert str(error.value) == message


def test_experts_must_divide() -> None:
    with pytest.raises(InputError) as error:
        refuse_strategy(
            EXPERTS, strategy_of(sequence=96, data=3, expert=3, global_batch=9), CLUSTER, where="a.csv, line 2"
        )
    assert str(error.value) == "a.csv, line 2: routed cannot be cut so: 8 experts do not divide by expert 3"


@pytest.mark.parametrize(
    "given",
    [
        {"tensor": 4, "pipeline": 2, "data": 2},
        {"pipeline": 6},
        {"pipeline": 3, "interleave": 2},
        {"pipeline": 2, "order": Pipeline.ZERO_BUBBLE},
        {"context": 4, "tensor": 2},
    ],
)
def test_a_possible_strategy_is_not(given: dict[str, object]) -> None:
    refuse_strategy(MODEL, strategy_of(**({"sequence": 96} | given)), CLUSTER)


def test_what_does_not_divide_is_counted_as_whole() -> None:
    refuse_strategy(MODEL, strategy_of(sequence=96, microbatch=3), CLUSTER)
    refuse_strategy(MODEL, strategy_of(sequence=96, pipeline=2, interleave=2), CLUSTER)
