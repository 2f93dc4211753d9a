"""Models whose head takes longer than all blocks together: the bounds still lie below, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest
import twin
from small_plans import EFFICIENCY, with_capacity

from intarsia.graph import Recompute
from intarsia.machines.clusters import read_cluster
from intarsia.models.transformer import from_sizes
from intarsia.place import Choices, best_plan
from intarsia.place.space import Task
from intarsia.solvers import Found

HEADY = from_sizes(hidden=64, heads=4, layers=4, sequence=4096, vocab=250_000)
QUICK = replace(EFFICIENCY, host=1e-7)
CHUNKS = Choices(tensor=(1,), pipeline=(2,), data=(1,), microbatch=(1,), interleave=(1, 2), recompute=(Recompute.NONE,))


@pytest.mark.parametrize("zero", range(4))
def test_a_head_is_no_chunk_of_an_interleaved_stage(zero: int) -> None:
    choices = replace(CHUNKS, interleave=(2,), zero=(zero,))
    task = Task(HEADY, read_cluster("a100x2"), 8, 4096, choices)
    tried = twin.best(task, QUICK)
    outcome = best_plan(HEADY, task.cluster, QUICK, 8, 4096, choices)
    assert isinstance(outcome, Found)
    assert tried is not None
    assert outcome.value.seconds == pytest.approx(tried[0], rel=1e-9)


def test_interleaving_has_its_price_where_the_head_is_heavy() -> None:
    cluster = with_capacity(read_cluster("a100x2"), 10**11)
    outcome = best_plan(HEADY, cluster, QUICK, 8, 4096, CHUNKS)
    assert isinstance(outcome, Found)
    price = next(price for price in outcome.value.prices if (price.choice, price.value) == ("interleave", "2"))
    tried = twin.best(Task(HEADY, cluster, 8, 4096, replace(CHUNKS, interleave=(2,))), QUICK)
    assert tried is not None
    assert price.bound <= tried[0] * (1 + 1e-9)
