"""Is what is said to be the least of any plan so where a best split took too much work to be proved?"""

from __future__ import annotations

import random
from dataclasses import replace
from math import inf
from typing import Any

import pytest
from small_plans import small_cluster, small_efficiency, small_model

from intarsia.place import Choices, nodes
from intarsia.place.branches import Branch, space_of, space_with
from intarsia.place.nodes import best_first, least_seconds
from intarsia.place.solve import Solved, solve
from intarsia.place.space import Task
from intarsia.search import evaluate

CHOICES = Choices().only({"context": ("1",), "microbatch": ("1", "2"), "tensor": ("1",)})
CLOSE = 1e-9


def best_of(task: Task, branches: list[Branch]) -> float:
    return next((step.seconds for step in best_first(space_with(task, branches)) if isinstance(step, Solved)), inf)


def test_where_proofs_are_given_up_the_least_is_no_more_than_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every other strategy a split is found that takes up to half longer than the best, and a bound below that."""
    lower, infinite = 0, 0
    for seed in range(30):
        draw = random.Random(seed)
        model, cluster = small_model(draw, (4, 6)), small_cluster(draw, (4, 8))
        task = Task(model, cluster, 16, 512, CHOICES)
        branches = space_of(task, small_efficiency(draw), lambda _: None).branches
        every = [best_of(task, [branch]) for branch in branches]
        best = min(every)

        def unsure(*given: Any, exact: bool, seed: int = seed) -> Solved | None:
            found = solve(*given, exact=exact)
            own = random.Random(f"{seed} {given[2]}")
            if found is None or own.random() < 0.5:
                return found
            return replace(found, seconds=found.seconds * own.uniform(1, 1.5), bound=found.bound * own.uniform(0.9, 1))

        with monkeypatch.context() as patched:
            patched.setattr(nodes, "solve", unsure)
            for cutoff in (inf, best * 1.2, best, best * 0.99):
                least = least_seconds(space_with(task, branches), cutoff)
                assert least <= best * (1 + CLOSE), seed
                assert least >= min(best, cutoff) * 0.9 * (1 - CLOSE), seed
                lower += least < min(best, cutoff) * (1 - CLOSE)
                for branch, alone in zip(branches, every, strict=True):
                    seconds, bound = evaluate._best(task, branch, cutoff)
                    assert bound <= seconds
                    assert seconds <= cutoff or seconds == inf
                    assert bound <= alone * (1 + CLOSE) or alone > cutoff
                    infinite += seconds == inf > bound
    assert lower > 10
    assert infinite > 10
