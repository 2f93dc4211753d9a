"""What ``search`` answers: the chip of a space with the plans on it, and why nothing in the space is better."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from math import inf
from pathlib import Path
from typing import cast

from intarsia.flow.questions import read_sequence, refuse_choices
from intarsia.flow.spaces import chip_space
from intarsia.graph import Attention, Dtype, Variant
from intarsia.ground import InputError
from intarsia.ground.records import refuse_unknown
from intarsia.ground.store import Json, Store, default_store
from intarsia.ground.units import seconds_text
from intarsia.machines import chips
from intarsia.machines.clusters import Cluster, read_cluster
from intarsia.machines.template import TPUV4_LIKE, Point, TemplateSpace, chip_of
from intarsia.models import read_model
from intarsia.place.check_plan import check_plan
from intarsia.place.choices import Choices
from intarsia.place.plan import EQUAL, Plan
from intarsia.place.search import best_plan
from intarsia.search import (
    Audit,
    Known,
    Moment,
    Objective,
    OfVariant,
    Per,
    Question,
    Searched,
    Several,
    Training,
    audit,
    crew,
    search,
)
from intarsia.solvers import Found, Limits

OBJECTIVES = {
    "throughput": Per.CHIP,
    "throughput-per-area": Per.AREA,
    "throughput-per-watt": Per.WATT,
    "throughput-per-dollar": Per.DOLLAR,
}
PATIENT = Limits(seconds=float("inf"))
"""A plan of one chip takes a second or two; no answer is cut off."""
Told = Callable[[str], None]
Watch = Callable[[Moment], None]


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """A searched chip.

    Attributes:
        question: what was asked.
        searched: the chip and the certificate.
        plans: of each training the best one on it, made anew by ``plan``; none where no plan fits on any chip.
        audit: removed chips that were evaluated after all.
    """

    question: Question
    searched: Searched
    plans: tuple[Plan, ...]
    audit: Audit | None


def search_chip(
    models: str | Sequence[str],
    cluster: str,
    global_batch: int,
    *,
    space: str = "phaze",
    hbm_gib: Sequence[int] = (),
    sequence: int = 0,
    only: Mapping[str, Sequence[str]] | None = None,
    objective: str = "throughput",
    several: str = "geomean",
    costs: str = "embedded",
    audited: int = 0,
    seed: int = 0,
    workers: int = 0,
    ray: str = "",
    fresh: bool = False,
    store: Path | None = None,
    told: Told = lambda _: None,
    watch: Watch = lambda _: None,
) -> SearchAnswer:
    """The chip and the plans on it that are best.

    Args:
        models: names, configurations or ONNX files; one or several.
        cluster: ``NAMExN`` or a file: devices and network; its chip is what is searched for.
        global_batch: sequences of an iteration, of each model.
        space: of chips: a name or a TOML file.
        hbm_gib: capacities of the memory beside the die; those of the space for none.
        sequence: tokens; each model's own if 0.
        only: choices of plans that are restricted.
        objective: throughput, or throughput for each mm², watt or dollar.
        several: how several models count together, each as a multiple of its seconds on the TPUv4-like chip: by the
            geometric mean or by the worst.
        costs: of products on tensor cores: of their best embeddings, or of padded dimensions.
        audited: removed chips to evaluate in full afterwards.
        seed: of their draw.
        workers: processes, of this machine or of the cluster; 0 for one to each core.
        ray: the address of a Ray cluster that evaluates; this machine if empty.
        fresh: evaluate again what is in the store.
        store: where evaluations are kept, so that an interrupted search continues; the user's for None.
        told: is told what the search does.
        watch: is told how far the search is.

    Raises:
        InputError: anything of these that is wrong.
    """
    names = (models,) if isinstance(models, str) else tuple(models)
    for name, value in (("audit", audited), ("workers", workers)):
        if value < 0:
            raise InputError(f"{name} is negative", value=str(value), allowed="0 or more")
    question = _question(names, cluster, global_batch, chip_space(space, hbm_gib), sequence, only)
    question = replace(
        question,
        mapping=chips.Mapping(_one_of("costs", costs, tuple(chips.Mapping))),
        objective=Objective(
            OBJECTIVES[_one_of("objective", objective, tuple(OBJECTIVES))],
            Several(_one_of("way to count several models", several, tuple(Several))),
        ),
    )
    if len(names) > 1:
        told("the models on the TPUv4-like chip, to normalise by")
        references = tuple(_reference(question, at) for at in range(len(names)))
        question = replace(question, objective=replace(question.objective, references=references))
    with Store(store or default_store()) as kept, crew(question, workers, ray) as hands:
        book = _Book(question, names, kept)
        searched = search(
            question,
            crew=hands,
            told=_both(told, watch),
            remember=None if fresh else book.read,
            keep=book.write,
        )
    checked = None
    if audited:
        checked = audit(
            question, searched, audited, seed=seed, told=lambda n, of: told(f"{n} of {of} removed chips evaluated")
        )
    return SearchAnswer(question, searched, _plans(question, searched, told), checked)


def _question(
    models: Sequence[str],
    cluster: str,
    global_batch: int,
    space: TemplateSpace,
    sequence: int,
    only: Mapping[str, Sequence[str]] | None,
) -> Question:
    if global_batch < 1:
        raise InputError("the global batch is not positive", value=str(global_batch), allowed="1 or more")
    if not models:
        raise InputError("there is no model", allowed="one or several")
    if len(set(models)) < len(models):
        raise InputError("a model is there twice", value=next(name for name in models if models.count(name) > 1))
    of_cluster = read_cluster(cluster)
    chip = chip_of(space.points.point(0))
    of_cluster = replace(of_cluster, chip=chip)
    choices = Choices().only(only or {})
    trainings = []
    for name in models:
        model = read_model(name)
        training = Training(model, global_batch, read_sequence(model, sequence), choices)
        refuse_choices(model, of_cluster, global_batch, training.sequence, choices)
        trainings.append(training)
    return Question(tuple(trainings), space, of_cluster, chips.efficiency_of(chip))


def _one_of(what: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise refuse_unknown(value, allowed, what=what, hint="one of these")
    return value


def _reference(question: Question, at: int) -> float:
    """Seconds of a training's best plan on the TPUv4-like chip."""
    plan = plan_on(question, TPUV4_LIKE, at)
    if plan is None:
        raise InputError(
            "no plan of the model fits the TPUv4-like chip, by which several models are normalised",
            value=question.trainings[at].model.name,
            hint="more devices, or this model alone",
        )
    return plan.seconds


def plan_on(question: Question, point: Point, at: int = 0) -> Plan | None:
    """The best plan of a training on one chip, from the search for plans alone, checked; nothing where none fits."""
    task = question.on(point, at)
    outcome = best_plan(
        task.model, task.cluster, question.efficiency, task.global_batch, task.sequence, task.choices, compare=False,
        limits=PATIENT,
    )  # fmt: skip
    if not isinstance(outcome, Found):
        return None
    wrong = check_plan(task.model, task.cluster, question.efficiency, task.global_batch, task.sequence, outcome.value)
    if wrong:
        raise AssertionError(f"the plan fails its check: {wrong}")
    return outcome.value


class _Book:
    """What earlier runs found of each training on each chip."""

    def __init__(self, question: Question, names: Sequence[str], store: Store) -> None:
        self.store = store
        self.asked: list[dict[str, Json]] = [
            {
                "search": name, "file": _file_digest(name), "parameters": its.model.parameters,
                "cluster": _network(question.cluster),
                "batch": its.global_batch, "sequence": its.sequence, "choices": str(asdict(its.choices)),
                "efficiency": str(question.efficiency), "mapping": str(question.mapping),
            }
            for name, its in zip(names, question.trainings, strict=True)
        ]  # fmt: skip

    def read(self, point: Point) -> tuple[Known | None, ...]:
        """What is known of a chip."""
        return tuple(_known(self.store.get({**asked, "point": str(point)})) for asked in self.asked)

    def write(self, point: Point, found: tuple[Known, ...]) -> None:
        """Keep what was found; not what was not looked for."""
        for asked, known in zip(self.asked, found, strict=True):
            if known.cutoff > 0:
                self.store.put({**asked, "point": str(point)}, _stored(known))


def _file_digest(name: str) -> str:
    """Of the file that a model is read from: another one may have the same name later; empty for a known model."""
    file = Path(name)
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def _network(cluster: Cluster) -> str:
    """The cluster without its chip."""
    return str((cluster.devices, cluster.levels))


def _stored(known: Known) -> Json:
    """As text, for JSON proper has no infinite numbers."""
    variants = [(*astuple(its.variant), its.first, its.longer, its.proved) for its in known.variants]
    return json.dumps((known.cutoff, known.seconds, known.bound, variants))


def _known(stored: Json) -> Known | None:
    if stored is None:
        return None
    cutoff, seconds, bound, variants = json.loads(cast("str", stored))
    return Known(cutoff, seconds, bound, tuple(_of_variant(*its) for its in variants))


def _of_variant(
    microbatch: int,
    sequence: int,
    tensor: int,
    parallel: bool,  # noqa: FBT001 (a field of a stored row)
    context: int,
    expert: int,
    attention: str,
    dtype: str,
    first: float,
    longer: float,
    proved: float,
) -> OfVariant:
    variant = Variant(microbatch, sequence, tensor, parallel, context, expert, Attention(attention), Dtype(dtype))
    return OfVariant(variant, first, longer, proved)


def _both(told: Told, watch: Watch) -> Watch:
    def tell(moment: Moment) -> None:
        watch(moment)
        best = f"best {seconds_text(moment.best)}" if moment.best < inf else "none fits yet"
        told(f"{moment.looked} chips looked at, at most {moment.left} left; {best}")

    return tell


def _plans(question: Question, searched: Searched, told: Told) -> tuple[Plan, ...]:
    """The plans on the best chip, from the search for plans alone, which must agree."""
    if searched.point is None:
        return ()
    told("the plans on the best chip")
    plans = []
    for at, seconds in enumerate(searched.seconds):
        plan = plan_on(question, searched.point, at)
        assert plan is not None, "the best chip has no plan"
        assert abs(plan.seconds - seconds) <= EQUAL * seconds, "search and plan disagree"
        plans.append(plan)
    return tuple(plans)


def speeds(answer: SearchAnswer) -> tuple[float, ...]:
    """Sequences a second of each model; 0 where nothing fits."""
    trainings, seconds = answer.question.trainings, answer.searched.seconds
    return tuple(its.global_batch / own if own < inf else 0.0 for its, own in zip(trainings, seconds, strict=True))
