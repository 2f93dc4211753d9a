"""What a search is asked, from what users type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from intarsia.flow.questions import read_sequence, refuse_choices
from intarsia.flow.spaces import chip_space
from intarsia.ground import InputError
from intarsia.ground.records import refuse_unknown
from intarsia.machines import chips
from intarsia.machines.clusters import Cluster, read_clusters
from intarsia.machines.template import chip_of
from intarsia.models import read_model
from intarsia.place.choices import Choices
from intarsia.search import Candidates, Objective, Per, Question, Several, Total, Training

OBJECTIVES = {
    "throughput": Per.CHIP,
    "throughput-per-area": Per.AREA,
    "throughput-per-watt": Per.WATT,
    "throughput-per-dollar": Per.DOLLAR,
}
FRONTS = {"area": Per.AREA, "watts": Per.WATT, "dollars": Per.DOLLAR}
TOTALS = {"area_mm2": "area", "watts": "watts", "dollars": "dollars"}
"""Budgets of a whole cluster as users name them, and as a question does."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is best, and among what, in the words of users.

    Attributes:
        objective: throughput, or throughput for each mm², watt or dollar of the whole cluster.
        several: how several models count together, each as a multiple of its seconds on the TPUv4-like chip: by the
            geometric mean or by the worst.
        costs: of products on tensor cores: of their best embeddings, or of padded dimensions.
        total: the most that all chips of the cluster have together: ``area_mm2``, ``watts``, ``dollars``.
        front: what else counts, ``area``, ``watts`` or ``dollars``; nothing else if empty.
        tolerance: of the front, as a fraction.
    """

    objective: str = "throughput"
    several: str = "geomean"
    costs: str = "embedded"
    total: Mapping[str, float] | None = None
    front: str = ""
    tolerance: float = 0.0


def read_question(
    models: Sequence[str],
    cluster: str | Sequence[str],
    global_batch: int,
    wanted: Wanted,
    *,
    space: str,
    hbm_gib: Sequence[int],
    sequence: int,
    only: Mapping[str, Sequence[str]] | None,
) -> Question:
    """The question, without references of several models.

    Args:
        models: names, configurations or ONNX files.
        cluster: ``NAMExN`` or a file; ``NAMExN,N`` or several.
        global_batch: sequences of an iteration, of each model.
        wanted: what is best.
        space: of chips: a name or a TOML file.
        hbm_gib: capacities of the memory beside the die; those of the space for none.
        sequence: tokens; each model's own if 0.
        only: choices of plans that are restricted.

    Raises:
        InputError: anything of these that is wrong.
    """
    chips_of = chip_space(space, hbm_gib)
    if global_batch < 1:
        raise InputError("the global batch is not positive", value=str(global_batch), allowed="1 or more")
    if not models:
        raise InputError("there is no model", allowed="one or several")
    if len(set(models)) < len(models):
        raise InputError("a model is there twice", value=next(name for name in models if models.count(name) > 1))
    chip = chip_of(chips_of.points.point(0))
    clusters = tuple(replace(one, chip=chip) for one in read_clusters(cluster))
    question = Question(
        trainings=_trainings(models, clusters, global_batch, sequence, Choices().only(only or {})),
        space=chips_of,
        cluster=clusters[0],
        efficiency=chips.efficiency_of(chip),
        objective=_objective(wanted),
        mapping=chips.Mapping(_one_of("costs", wanted.costs, tuple(chips.Mapping))),
        sizes=clusters if len(clusters) > 1 else (),
        total=_total(wanted.total or {}),
    )
    if not len(Candidates(question)):
        hint = "a larger total, or a cluster of fewer devices"
        raise InputError("no chip of the space is within the total of the cluster", where="total", hint=hint)
    return question


def _trainings(
    models: Sequence[str], clusters: Sequence[Cluster], global_batch: int, sequence: int, choices: Choices
) -> tuple[Training, ...]:
    trainings = []
    for name in models:
        model = read_model(name)
        training = Training(model, global_batch, read_sequence(model, sequence), choices)
        for cluster in clusters:
            refuse_choices(model, cluster, global_batch, training.sequence, choices)
        trainings.append(training)
    return tuple(trainings)


def _objective(wanted: Wanted) -> Objective:
    if wanted.tolerance and not wanted.front:
        raise InputError("a tolerance is that of a front", where="tolerance", hint="--front area")
    if not 0 <= wanted.tolerance < inf:
        raise InputError(
            "the tolerance is not possible", value=f"{wanted.tolerance:g}", allowed="a fraction, 0 or more"
        )
    return Objective(
        per=OBJECTIVES[_one_of("objective", wanted.objective, tuple(OBJECTIVES))],
        several=Several(_one_of("way to count several models", wanted.several, tuple(Several))),
        front=FRONTS[_one_of("front", wanted.front, tuple(FRONTS))] if wanted.front else Per.CHIP,
        tolerance=wanted.tolerance,
    )


def _total(given: Mapping[str, float]) -> Total:
    for name, value in given.items():
        _one_of("total", name, tuple(TOTALS))
        if not value > 0:
            raise InputError(f"a total of {name} is not possible", value=f"{value:g}", allowed="more than 0")
    return Total(**{TOTALS[name]: value for name, value in given.items()})


def _one_of(what: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise refuse_unknown(value, allowed, what=what, hint="one of these")
    return value
