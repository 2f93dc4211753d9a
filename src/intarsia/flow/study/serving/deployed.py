"""The chip of a study that serves, searched for or given, and the best deployment on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from intarsia.flow.serving import ServingAnswer, serve_model
from intarsia.flow.serving_search import ServingSearchAnswer, search_serving_chip
from intarsia.flow.study.budgets import space_toml, typed_space, within
from intarsia.flow.study.chosen import Chosen, Hunt
from intarsia.flow.study.file import Study
from intarsia.flow.study.looks import AXES, finite, front_rows, thinned, told_fields
from intarsia.flow.study.progress import Progress, Watch
from intarsia.flow.study.result import AuditRecord, LookedRecord, MomentRecord, SearchRecord
from intarsia.flow.study.serving.keys import ServingKeys
from intarsia.machines.chips import read_chip
from intarsia.place.serving import ServingPlan
from intarsia.search import Per, ServingMoment

UNITS = {Per.CHIP: "", Per.AREA: "mm²", Per.WATT: "W", Per.DOLLAR: "$"}


@dataclass(frozen=True, slots=True)
class Deployed:
    """A chip with what it serves.

    Attributes:
        keys: what was asked.
        chosen: the chip; without plans, which are those of training.
        answer: the deployment on it, or what is in the way.
    """

    keys: ServingKeys
    chosen: Chosen
    answer: ServingAnswer

    @property
    def plan(self) -> ServingPlan | None:
        """The best deployment; nothing where none serves so."""
        return self.answer.plan


def deployed(study: Study, keys: ServingKeys, store: Path, watch: Watch, *, fresh: bool) -> Deployed:
    """The chip and its deployment.

    Args:
        study: what is asked.
        keys: what of it is about serving.
        store: where a search for the chip is kept.
        watch: is told how far it is.
        fresh: search again.

    Raises:
        InputError: anything in the study that is wrong.
    """
    return _searched(study, keys, store, watch, fresh=fresh) if study.space else _given(study, keys, watch)


def restricted(study: Study) -> dict[str, tuple[str, ...]]:
    """Choices of deployments as the commands have them."""
    return {name: tuple(str(value) for value in values) for name, values in study.choose.items()}


def _given(study: Study, keys: ServingKeys, watch: Watch) -> Deployed:
    watch(Progress(f"{study.models[0]}: the deployment"))
    chip = read_chip(study.chip) if study.chip else None
    answer = serve_model(study.models[0], study.cluster, keys.wanted(restricted(study)), chip=chip)
    return Deployed(keys, Chosen(answer.task.cluster, answer.task.efficiency, (), answer.because), answer)


def _searched(study: Study, keys: ServingKeys, store: Path, watch: Watch, *, fresh: bool) -> Deployed:
    file = space_toml(within(study.space, study.budget)) if study.budget else ""
    with typed_space(study.space, file) as space:
        found = search_serving_chip(
            study.models[0],
            study.cluster,
            keys.wanted(restricted(study)),
            space=space,
            hbm_gib=study.hbm_gib,
            objective=study.objective or "throughput",
            audited=study.audit,
            seed=study.seed,
            fresh=fresh,
            store=store,
            told=lambda text: watch(Progress(text)) if "looked at" not in text else None,
            watch=lambda moment: watch(_progress(moment)),
        )
    point = found.searched.point
    task = found.question.on(point or found.searched.nearest)
    hunt = Hunt(
        point=point,
        space=found.question.space,
        base=found.question.task.cluster,
        record=None if point is None else _record(found),
        history=_history(found.searched.history),
        looked=_looked(found),
        front=(),
        file=file,
    )
    answer = ServingAnswer(found.model, task, found.outcome, found.notes)
    return Deployed(keys, Chosen(task.cluster, task.efficiency, (), answer.because, hunt), answer)


def _record(found: ServingSearchAnswer) -> SearchRecord:
    searched, proof, question = found.searched, found.searched.certificate, found.question
    unit = UNITS[question.per]
    audit = found.audit
    return SearchRecord(
        space=question.space.name,
        combinations=question.space.combinations,
        points=proof.points,
        objective="tokens of answers a second" + (f" for each {unit} of all chips" if unit else ""),
        unit="tokens/s" + (f" each {unit}" if unit else ""),
        value=searched.score,
        bound=proof.bound,
        gap=searched.gap,
        evaluated=proof.evaluated,
        removed={"by bounds from their rates": proof.bounded, "when looked at": proof.cut},
        seconds=searched.wall,
        sizes={str(question.task.cluster.devices): proof.points},
        front="",
        audit=None if audit is None else AuditRecord(audit.checked, tuple(str(one) for one in audit.beaten), None),
        most=True,
    )


def _history(moments: Iterable[ServingMoment]) -> tuple[MomentRecord, ...]:
    return thinned(
        [MomentRecord(one.wall, one.best or None, finite(one.bound), one.looked, one.left) for one in moments]
    )


def _looked(found: ServingSearchAnswer) -> tuple[LookedRecord, ...]:
    every, searched, space = found.searched.looked, found.searched, found.question.space
    fronts = {
        axis: front_rows((one.row, getattr(one.point, axis), 1 / one.score) for one in every if one.score)
        for axis in AXES
    }
    return tuple(
        LookedRecord(
            name=str(one.point),
            devices=found.question.task.cluster.devices,
            fields=told_fields(space, one.point),
            area=one.point.area,
            value=one.score or None,
            bound=one.bound,
            seconds={},
            front=tuple(axis for axis in AXES if one.row in fronts[axis]),
            chosen=one.row == searched.row,
            watts=one.point.watts,
            dollars=finite(one.point.dollars),
        )
        for one in every
    )


def _progress(moment: ServingMoment) -> Progress:
    known = moment.best > 0
    return Progress(
        "chips",
        moment.looked,
        moment.looked + moment.left,
        f"{moment.best:.6g}" if known else "none serves yet",
        f"{moment.bound:.6g}" if moment.bound else "",
        1 - moment.best / moment.bound if known else None,
    )
