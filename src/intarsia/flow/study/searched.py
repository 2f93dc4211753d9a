"""The chip that a study searches for. This file alone knows how the search is called and what it answers."""

from __future__ import annotations

from math import inf
from pathlib import Path

from intarsia.flow.search_question import Wanted
from intarsia.flow.searching import SearchAnswer, search_chip
from intarsia.flow.study.budgets import space_toml, typed_space, within
from intarsia.flow.study.chosen import Chosen, Hunt, checked
from intarsia.flow.study.file import Study
from intarsia.flow.study.looks import finite, history_of, looked_at
from intarsia.flow.study.progress import Progress, Watch
from intarsia.flow.study.result import AuditRecord, FrontRecord, SearchRecord
from intarsia.ground.units import seconds_text
from intarsia.machines.template import read_space
from intarsia.search import Moment, Objective, Per, Step

PER = {
    Per.CHIP: ("", ""),
    Per.AREA: (" × mm² of all dies", "mm²"),
    Per.WATT: (" × watts of all chips", "W"),
    Per.DOLLAR: (" × dollars of all chips", "$"),
}


def searched_chip(study: Study, store: Path, watch: Watch, *, fresh: bool = False) -> Chosen:
    """The best chip of the study's space with the best plan of each model, and the front.

    Args:
        study: what is asked.
        store: where evaluations are kept, so that an interrupted search continues.
        watch: is told how far it is.
        fresh: evaluate again what is in the store.

    Raises:
        InputError: anything in the study that is wrong.
    """
    space = within(study.space, study.budget) if study.budget else read_space(study.space)
    file = space_toml(space) if study.budget else ""
    answer = _search(study, file, store, watch, fresh=fresh)
    question, found = answer.question, answer.searched
    sized = question.of(found.devices) if found.devices else question
    hunt = Hunt(
        point=found.point,
        space=question.space,
        base=sized.cluster,
        record=None if found.point is None else _record(answer),
        history=history_of(found.history),
        looked=looked_at(answer),
        front=tuple(map(_step, found.front)) if study.front else (),
        file=file,
    )
    if found.point is None:
        because = "on no chip of the space there is a plan" + (" of every model" if len(study.models) > 1 else "")
        over = answer.unfit.because if answer.unfit else ()
        return Chosen(question.cluster, question.efficiency, (), (because, *over), hunt)
    planned = tuple(
        checked(named, sized.on(found.point, at), question.efficiency, plan)
        for at, (named, plan) in enumerate(zip(study.models, answer.plans, strict=True))
    )
    return Chosen(sized.on(found.point).cluster, question.efficiency, planned, (), hunt)


def _search(study: Study, file: str, store: Path, watch: Watch, *, fresh: bool) -> SearchAnswer:
    """The search of the study's space, or of the one in a file's text."""
    with typed_space(study.space, file) as space:
        return search_chip(
            study.models,
            study.cluster,
            study.global_batch,
            Wanted(
                objective=study.objective or "throughput",
                several=study.several or "geomean",
                costs=study.costs,
                total=study.total,
                front=study.front,
                tolerance=study.tolerance,
            ),
            space=space,
            hbm_gib=study.hbm_gib,
            sequence=study.sequence,
            only={name: tuple(str(value) for value in values) for name, values in study.choose.items()},
            audited=study.audit,
            seed=study.seed,
            workers=study.workers,
            ray=study.ray,
            fresh=fresh,
            store=store,
            told=lambda text: watch(Progress(text)) if "looked at" not in text else None,
            watch=lambda moment: watch(_progress(study, moment)),
        )


def _step(step: Step) -> FrontRecord:
    its = step.looked
    return FrontRecord(str(its.point), its.devices, step.cost, its.score, step.bound, step.gap)


def _record(answer: SearchAnswer) -> SearchRecord:
    found, proof, question = answer.searched, answer.searched.certificate, answer.question
    name, unit = objective_text(question.objective, len(question.trainings))
    audit = answer.audit
    return SearchRecord(
        space=question.space.name,
        combinations=question.space.combinations,
        points=proof.points,
        objective=name,
        unit=unit,
        value=found.score,
        bound=proof.bound,
        gap=found.gap,
        evaluated=proof.evaluated,
        removed={"by bounds for all chips": proof.bounded, "when looked at": proof.cut},
        seconds=found.wall,
        sizes={str(devices): points for devices, points in proof.sizes},
        front=str(question.objective.front) if question.objective.front is not Per.CHIP else "",
        audit=None
        if audit is None
        else AuditRecord(audit.checked, tuple(str(one) for one in audit.beaten), finite(audit.worst)),
    )


def objective_text(objective: Objective, models: int) -> tuple[str, str]:
    """What is least, in words, and its unit."""
    times, unit = PER[objective.per]
    if models == 1:
        return f"seconds of an iteration{times}", f"s {unit}".strip().replace(" ", "·")
    mean = "geometric mean" if objective.several == "geomean" else "worst"
    return f"{mean} of seconds, each over those on the TPUv4-like chip{times}", unit


def _progress(study: Study, moment: Moment) -> Progress:
    plain = len(study.models) == 1 and study.objective in {"", "throughput"}
    text = seconds_text if plain else (lambda value: f"{value:.6g}")
    known = moment.best < inf
    return Progress(
        "chips",
        moment.looked,
        moment.looked + moment.left,
        text(moment.best) if known else "none fits yet",
        text(moment.bound) if moment.bound < inf else "",
        1 - moment.bound / moment.best if known else None,
        moment.wall / moment.looked * moment.left if moment.looked else None,
    )
