"""Small searches: a few chips, a small model, a few devices."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np

from intarsia.machines.chips import efficiency_of
from intarsia.machines.clusters import read_cluster
from intarsia.machines.template import Point, TemplateSpace
from intarsia.models.transformer import from_sizes
from intarsia.place import Choices, best_plan
from intarsia.search import Objective, Per, Question, Several, Training
from intarsia.solvers import Found

FEW = TemplateSpace(
    name="few",
    tensor_cores=(1, 16),
    vector_cores=(1, 8),
    width=(64,),
    depth=(32, 64),
    buffer_mib=(2, 16),
    hbm_gib=(16,),
    budget=120.0,
    least=0.01,
)


FEWER = Choices().only({"zero": ("1", "3"), "context": ("1",), "microbatch": ("1", "2", "4")})


def training(
    *, hidden: int = 512, layers: int = 3, batch: int = 16, heads: int = 8, choices: Choices = FEWER
) -> Training:
    """A small transformer."""
    model = from_sizes(hidden=hidden, heads=heads, layers=layers, vocab=4096, sequence=512)
    return Training(model, batch, 512, choices)


def small_question(*trainings: Training, devices: int = 4, gib: int = 16) -> Question:
    """One of them, or several, on a few chips."""
    cluster = read_cluster(f"tpuv4-likex{devices}")
    space = replace(FEW, hbm_gib=(gib,))
    return Question(trainings or (training(),), space, cluster, efficiency_of(cluster.chip))


def points_of(question: Question) -> list[Point]:
    return list(question.space.points)


def brute(question: Question) -> np.ndarray:
    """The seconds of every training's best plan on every chip, from ``plan`` itself, [trainings, chips]."""
    found = []
    for at in range(len(question.trainings)):
        row = []
        for point in points_of(question):
            task = question.on(point, at)
            outcome = best_plan(
                task.model, task.cluster, question.efficiency, task.global_batch, task.sequence, task.choices,
                compare=False,
            )  # fmt: skip
            row.append(outcome.value.seconds if isinstance(outcome, Found) else inf)
        found.append(row)
    return np.array(found)


def pairs_of(question: Question) -> list[tuple[Point, int]]:
    """Every chip in every cluster that the total allows, in the order of the search's rows."""
    total = question.total
    return [
        (point, cluster.devices)
        for cluster in question.clusters
        for point in points_of(question)
        if cluster.devices * point.area <= total.area * (1 + 1e-12)
        and cluster.devices * point.watts <= total.watts * (1 + 1e-12)
        and cluster.devices * point.dollars <= total.dollars * (1 + 1e-12)
    ]


def brute_pairs(question: Question) -> tuple[np.ndarray, np.ndarray]:
    """The score of every pair, and what its cluster costs for the front, worked out in another way."""
    every = {one.devices: question.of(one.devices) for one in question.clusters}
    seconds = {devices: brute(one) for devices, one in every.items()}
    scores = {devices: score_of(every[devices], column) for devices, column in seconds.items()}
    at = {point: number for number, point in enumerate(points_of(question))}
    pairs = pairs_of(question)
    costs = [1.0 if question.objective.front == "chip" else n * COSTS[question.objective.front](p) for p, n in pairs]
    return np.array([scores[n][at[p]] for p, n in pairs]), np.array(costs)


COSTS = {"area": lambda p: p.area, "watt": lambda p: p.watts, "dollar": lambda p: p.dollars}


def score_of(question: Question, seconds: np.ndarray) -> np.ndarray:
    """The objective of every chip on the whole cluster, worked out in another way."""
    objective, points = question.objective, points_of(question)
    ratios = seconds / np.array(objective.references or (1.0,) * len(seconds))[:, None]
    together = ratios.max(axis=0) if objective.several == "worst" else np.prod(ratios, axis=0) ** (1 / len(ratios))
    if objective.per == "chip":
        return np.asarray(together)
    return together * question.cluster.devices * np.array([COSTS[objective.per](point) for point in points])


def fewer(question: Question) -> Question:
    """A few of the chips."""
    return replace(question, space=replace(question.space, tensor_cores=(16,), vector_cores=(8,), buffer_mib=(16,)))


PLAIN = Choices().only(
    {
        "zero": ("1",),
        "context": ("1",),
        "microbatch": ("1",),
        "order": ("1f1b",),
        "tensor": ("1",),
        "recompute": ("none",),
        "interleave": ("1",),
    }
)


def drawn(seed: int) -> Question:
    """A question drawn at random: one training or two, any objective, 12 or 24 chips, memory enough."""
    random = np.random.default_rng(seed)

    def some(values: list[int], count: int) -> tuple[int, ...]:
        return tuple(sorted(random.choice(values, count, replace=False).tolist()))

    def one(values: list[int]) -> int:
        return int(random.choice(values))

    count = one([1, 2])
    trainings = [
        training(
            hidden=one([256, 512, 1024]), layers=one([1, 2, 3]), batch=one([4, 8]), heads=one([4, 8]), choices=PLAIN
        )
        for _ in range(count)
    ]
    question = small_question(*trainings, devices=one([2, 4]))
    space = replace(
        question.space,
        tensor_cores=some([2, 3, 4, 6, 8, 12, 16], 3),
        vector_cores=some([2, 4, 6, 8], 1),
        depth=some([32, 64, 128], 2),
        buffer_mib=some([2, 4, 8, 16, 32], 2),
        hbm_gib=some([4, 8, 16], one([1, 2])),
        budget=200.0,
    )
    references = tuple(random.uniform(0.01, 0.05, count).tolist()) if count > 1 else ()
    objective = Objective(list(Per)[one([0, 1, 2, 3])], list(Several)[one([0, 1])], references)
    return replace(question, space=space, objective=objective)
