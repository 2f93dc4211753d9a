"""What ``search`` answers: the chip of a space with the plan on it, and why nothing in the space is better."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import inf
from pathlib import Path
from typing import cast

from intarsia.flow.questions import read_sequence, refuse_choices
from intarsia.ground import InputError
from intarsia.ground.resume import cores
from intarsia.ground.store import Json, Store, default_store
from intarsia.machines.chips import efficiency_of
from intarsia.machines.clusters import read_cluster
from intarsia.machines.template import PHAZE, chip_of
from intarsia.models import read_model
from intarsia.place.choices import Choices
from intarsia.place.plan import EQUAL, Plan
from intarsia.place.search import best_plan
from intarsia.search import Audit, Evaluated, Question, Searched, audit, search
from intarsia.search.workers import Job
from intarsia.solvers import Found

SPACES = {"phaze": PHAZE}
Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """A searched chip.

    Attributes:
        question: what was asked.
        searched: the chip and the certificate.
        plan: the best plan on it, made anew by ``plan``; nothing where no plan fits on any chip.
        audit: removed chips that were evaluated after all.
    """

    question: Question
    searched: Searched
    plan: Plan | None
    audit: Audit | None


def search_chip(
    model: str,
    cluster: str,
    global_batch: int,
    *,
    space: str = "phaze",
    hbm_gib: Sequence[int] = (),
    sequence: int = 0,
    only: Mapping[str, Sequence[str]] | None = None,
    audited: int = 0,
    seed: int = 0,
    workers: int = 0,
    fresh: bool = False,
    store: Path | None = None,
    told: Told = lambda _: None,
) -> SearchAnswer:
    """The chip and the plan on it with which an iteration takes the fewest seconds.

    Args:
        model: a name, a configuration or an ONNX file.
        cluster: ``NAMExN`` or a file: devices and network; its chip is what is searched for.
        global_batch: sequences of an iteration.
        space: of chips.
        hbm_gib: capacities of the memory beside the die; those of the space for none.
        sequence: tokens; the model's own if 0.
        only: choices of plans that are restricted.
        audited: removed chips to evaluate in full afterwards.
        seed: of their draw.
        workers: processes; 0 for one to each core.
        fresh: evaluate again what is in the store.
        store: where evaluations are kept, so that an interrupted search continues; the user's for None.
        told: is told what the search does.

    Raises:
        InputError: anything of these that is wrong.
    """
    question = _question(model, cluster, global_batch, space, hbm_gib, sequence, only)
    for name, value in (("audit", audited), ("workers", workers)):
        if value < 0:
            raise InputError(f"{name} is negative", value=str(value), allowed="0 or more")
    asked: dict[str, Json] = {
        "search": model, "parameters": question.model.parameters, "cluster": str(question.cluster),
        "batch": global_batch, "sequence": question.sequence, "choices": str(asdict(question.choices)),
        "efficiency": str(question.efficiency),
    }  # fmt: skip
    with Store(store or default_store()) as kept:
        searched = search(
            question,
            workers=workers or cores(),
            told=told,
            known=lambda job: None if fresh else _known(kept.get({**asked, "point": str(job.point)}), job),
            keep=lambda job, found: kept.put({**asked, "point": str(job.point)}, _stored(job, found)),
        )
    checked = audit(question, searched, audited, seed=seed, told=told) if audited else None
    return SearchAnswer(question, searched, _plan(question, searched, told), checked)


def _question(
    model: str,
    cluster: str,
    global_batch: int,
    space: str,
    hbm_gib: Sequence[int],
    sequence: int,
    only: Mapping[str, Sequence[str]] | None,
) -> Question:
    if space not in SPACES:
        raise InputError("unknown space of chips", value=space, allowed=", ".join(SPACES))
    if global_batch < 1:
        raise InputError("the global batch is not positive", value=str(global_batch), allowed="1 or more")
    if any(gib < 1 for gib in hbm_gib):
        raise InputError("a capacity is not positive", where="--hbm", value=str(min(hbm_gib)), allowed="GiB, 1 or more")
    of_model, of_cluster = read_model(model), read_cluster(cluster)
    tokens = read_sequence(of_model, sequence)
    choices = Choices().only(only or {})
    chosen = SPACES[space]
    chosen = replace(chosen, hbm_gib=tuple(sorted(set(hbm_gib)))) if hbm_gib else chosen
    chip = chip_of(chosen.points.point(0))
    of_cluster = replace(of_cluster, chip=chip)
    refuse_choices(of_model, of_cluster, global_batch, tokens, choices)
    return Question(of_model, chosen, of_cluster, efficiency_of(chip), global_batch, tokens, choices)


def _stored(job: Job, found: Evaluated) -> Json:
    return [str(value) for value in (job.cutoff, found.seconds, found.bound, found.floor)]


def _known(stored: Json, job: Job) -> Evaluated | None:
    """What an earlier run found of a chip, if it says what this one needs: the best plan, or that none is so good."""
    if stored is None:
        return None
    cutoff, *values = (float(text) for text in cast("list[str]", stored))
    found = Evaluated(*values)
    return found if found.seconds < inf or cutoff >= job.cutoff else None


def _plan(question: Question, searched: Searched, told: Told) -> Plan | None:
    """The plan on the best chip, from the search for plans alone, which must agree."""
    if searched.point is None:
        return None
    task = question.on(searched.point)
    told("the plan on the best chip")
    outcome = best_plan(
        task.model, task.cluster, question.efficiency, task.global_batch, task.sequence, task.choices, compare=False
    )
    assert isinstance(outcome, Found), "the best chip has no plan"
    assert abs(outcome.value.seconds - searched.seconds) <= EQUAL * searched.seconds, "search and plan disagree"
    return outcome.value


def speed(answer: SearchAnswer) -> float:
    """Sequences a second; 0 where nothing fits."""
    seconds = answer.searched.seconds
    return answer.question.global_batch / seconds if seconds < inf else 0.0
