"""What ``search`` answers: the chip of a space with the plans on it, and why nothing in the space is better."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

import numpy as np

from intarsia.flow.evaluations import Book
from intarsia.flow.search_question import Wanted, read_question
from intarsia.ground import InputError
from intarsia.ground.store import Store, default_store
from intarsia.ground.units import seconds_text
from intarsia.machines.template import TPUV4_LIKE, Point
from intarsia.place import Energy, energy_on
from intarsia.place.check_plan import check_plan
from intarsia.place.plan import EQUAL, Plan
from intarsia.place.search import best_plan
from intarsia.search import Audit, Candidate, Candidates, Moment, Question, Searched, audit, crew, search, shares
from intarsia.solvers import Found, Infeasible, Limits, Outcome

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
        energies: of an iteration of each plan.
        audit: removed chips that were evaluated after all.
        unfit: why there is no chip; nothing where there is one.
    """

    question: Question
    searched: Searched
    plans: tuple[Plan, ...]
    energies: tuple[Energy, ...]
    audit: Audit | None
    unfit: Unfit | None = None


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why no plan fits on any chip.

    Attributes:
        nearest: a chip with the most memory, and how many of it.
        because: what is over on it.
        relaxation: what would help.
    """

    nearest: Candidate
    because: tuple[str, ...]
    relaxation: str


def search_chip(
    models: str | Sequence[str],
    cluster: str | Sequence[str],
    global_batch: int,
    wanted: Wanted | None = None,
    *,
    space: str = "phaze",
    hbm_gib: Sequence[int] = (),
    sequence: int = 0,
    only: Mapping[str, Sequence[str]] | None = None,
    audited: int = 0,
    seed: int = 0,
    workers: int = 0,
    ray: str = "",
    fresh: bool = False,
    store: Path | None = None,
    told: Told = lambda _: None,
    watch: Watch = lambda _: None,
) -> SearchAnswer:
    """The chip, how many of it, and the plans on them that are best.

    Args:
        models: names, configurations or ONNX files; one or several.
        cluster: ``NAMExN`` or a file: devices and network; its chip is what is searched for. ``NAMExN,N``, or several,
            to choose one of them.
        global_batch: sequences of an iteration, of each model.
        wanted: what is best.
        space: of chips: a name or a TOML file.
        hbm_gib: capacities of the memory beside the die; those of the space for none.
        sequence: tokens; each model's own if 0.
        only: choices of plans that are restricted.
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
    question = read_question(
        names, cluster, global_batch, wanted or Wanted(), space=space, hbm_gib=hbm_gib, sequence=sequence, only=only
    )
    if len(names) > 1:
        told("the models on the TPUv4-like chip, to normalise by")
        references = tuple(_reference(question, at) for at in range(len(names)))
        question = replace(question, objective=replace(question.objective, references=references))
    with (
        Store(store or default_store()) as kept,
        crew(question, workers, ray) as hands,
        shares(question, 0 if ray else workers) as bounding,
    ):
        book = Book(question, names, kept)
        searched = search(
            question,
            crew=hands,
            shares=bounding,
            told=_both(told, watch),
            remember=None if fresh else book.read,
            keep=book.write,
        )
    checked = None
    if audited:
        checked = audit(
            question, searched, audited, seed=seed, told=lambda n, of: told(f"{n} of {of} removed chips evaluated")
        )
    plans = _plans(question, searched, told)
    unfit = _unfit(question, told) if searched.point is None else None
    return SearchAnswer(question, searched, plans, _energies(question, searched, plans), checked, unfit)


def _unfit(question: Question, told: Told) -> Unfit:
    """What is over on a chip with the most memory in the most devices, of the first model that has no plan there."""
    told("why nothing fits")
    candidates = Candidates(question)
    devices, memories = np.array(candidates.devices)[candidates.size], candidates.points.hbm_gib[candidates.chip]
    nearest = candidates.at(int(np.lexsort((devices, memories))[-1]))
    sized = question.of(nearest.devices)
    for at, its in enumerate(question.trainings):
        outcome = _planned(sized, nearest.point, at)
        if isinstance(outcome, Infeasible):
            because = tuple(f"{its.model.name}: {text}" for text in outcome.because)
            return Unfit(nearest, because if len(question.trainings) > 1 else outcome.because, outcome.relaxation)
    raise AssertionError("search and plan disagree")


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
    task, outcome = question.on(point, at), _planned(question, point, at)
    if not isinstance(outcome, Found):
        return None
    wrong = check_plan(task.model, task.cluster, question.efficiency, task.global_batch, task.sequence, outcome.value)
    if wrong:
        raise AssertionError(f"the plan fails its check: {wrong}")
    return outcome.value


def _planned(question: Question, point: Point, at: int) -> Outcome[Plan]:
    task = question.on(point, at)
    return best_plan(
        task.model, task.cluster, question.efficiency, task.global_batch, task.sequence, task.choices, compare=False,
        limits=PATIENT,
    )  # fmt: skip


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
    sized = question.of(searched.devices)
    for at, seconds in enumerate(searched.seconds):
        plan = plan_on(sized, searched.point, at)
        assert plan is not None, "the best chip has no plan"
        assert abs(plan.seconds - seconds) <= EQUAL * seconds, "search and plan disagree"
        plans.append(plan)
    return tuple(plans)


def _energies(question: Question, searched: Searched, plans: Sequence[Plan]) -> tuple[Energy, ...]:
    """What an iteration of each plan on the best chip takes."""
    point = searched.point
    if point is None:
        return ()
    sized = question.of(searched.devices)
    tasks = [sized.on(point, at) for at in range(len(plans))]
    return tuple(
        energy_on(point, task.model, task.cluster, plan.prediction) for task, plan in zip(tasks, plans, strict=True)
    )


def speeds(answer: SearchAnswer) -> tuple[float, ...]:
    """Sequences a second of each model; 0 where nothing fits."""
    trainings, seconds = answer.question.trainings, answer.searched.seconds
    return tuple(its.global_batch / own if own < inf else 0.0 for its, own in zip(trainings, seconds, strict=True))
