"""Every section of a result that is about one model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from time import perf_counter

from intarsia.flow.study.baselines import baseline
from intarsia.flow.study.chosen import Chosen, Planned
from intarsia.flow.study.embeddings import embedding_records, instruction_of
from intarsia.flow.study.file import Study
from intarsia.flow.study.layers import running
from intarsia.flow.study.model_records import Baseline, Gantt, ModelRecord, Neighbour
from intarsia.flow.study.neighbours import changes, neighbour
from intarsia.flow.study.planned import memory_record, plan_record
from intarsia.flow.study.progress import Progress, Watch, steps
from intarsia.flow.study.timed import time_record
from intarsia.flow.study.timelines import pipeline_gantt, schedule_gantt
from intarsia.flow.study.trials import Trial, Tried, tried
from intarsia.ground import InputError
from intarsia.ground.store import Store
from intarsia.machines.chips import Efficiency, Mapping, efficiency_of
from intarsia.machines.clusters import Cluster
from intarsia.machines.template import Point
from intarsia.place.plan import Plan


@dataclass(frozen=True, slots=True)
class Desk:
    """What the sections of all models share.

    Attributes:
        study: what was asked.
        chosen: chip and plans.
        compared: clusters of other chips.
        store: where plans on other chips are kept.
        workers: processes.
        fresh: plan again what is in the store.
        watch: is told how far it is.
    """

    study: Study
    chosen: Chosen
    compared: tuple[Cluster, ...]
    store: Store
    workers: int
    fresh: bool
    watch: Watch


def model_record(desk: Desk, number: int) -> ModelRecord:
    """Every section of one model."""
    chosen = desk.chosen
    planned = chosen.planned[number]
    name, plan, run = planned.model.name, planned.plan, running(planned.model, planned.plan, chosen.cluster)
    absent: dict[str, str] = {}
    desk.watch(Progress(f"{name}: the schedule of a layer"))
    schedule = schedule_gantt(run)
    pipeline = _pipeline(plan, absent)
    desk.watch(Progress(f"{name}: embeddings"))
    embeddings = tuple(embedding_records(run)) if instruction_of(run.cluster.chip) else ()
    if not embeddings:
        absent["embeddings"] = "the catalogue has no instruction of this chip's tensor cores"
    if not desk.compared:
        absent["baselines"] = "the study names none"
    record = plan_record(plan, planned.model, chosen.cluster)
    if record.energy is None:
        absent["energy"] = f"nobody knows what work takes on {chosen.cluster.chip.name}: it is no chip of the template"
    neighbours, baselines = _others(desk, planned)
    return ModelRecord(
        name=name,
        parameters=planned.model.parameters,
        sequence=planned.sequence,
        folder=f"plans/{_folder(chosen, number)}",
        plan=record,
        memory=memory_record(plan),
        time=time_record(plan, run),
        schedule=schedule,
        pipeline=pipeline,
        embeddings=embeddings,
        neighbours=neighbours,
        baselines=baselines,
        absent=absent,
    )


def _pipeline(plan: Plan, absent: dict[str, str]) -> Gantt | None:
    try:
        return pipeline_gantt(plan)
    except InputError as error:
        absent["pipeline"] = str(error)
        return None


def _others(desk: Desk, planned: Planned) -> tuple[tuple[Neighbour, ...], tuple[Baseline, ...]]:
    """The best plans on neighbouring chips and on other ones."""
    chosen = desk.chosen
    changed = list(changes(chosen))
    possible = [one for one in changed if not one.refused]
    trials = [_trial(desk, planned, one.cluster, one.point, chosen.efficiency) for one in possible]
    trials += [_trial(desk, planned, cluster, None, efficiency_of(cluster.chip)) for cluster in desk.compared]
    started = perf_counter()
    watch = steps(desk.watch, f"{planned.model.name}: plans on other chips", lambda: perf_counter() - started)
    answers = tried(trials, store=desk.store, workers=desk.workers, fresh=desk.fresh, told=watch)
    plans: dict[int, Tried] = {id(one): said for one, said in zip(possible, answers, strict=False)}
    seconds = planned.plan.seconds
    neighbours = tuple(neighbour(one, plans.get(id(one)), seconds, chosen.budgets) for one in changed)
    baselines = tuple(
        baseline(cluster, said, seconds, desk.study.global_batch)
        for cluster, said in zip(desk.compared, answers[len(possible) :], strict=True)
    )
    return neighbours, baselines


def _trial(desk: Desk, planned: Planned, cluster: Cluster, point: Point | None, efficiency: Efficiency) -> Trial:
    study = desk.study
    mapping = Mapping(study.costs)
    return Trial(planned.named, cluster, point, efficiency, mapping, study.global_batch, planned.sequence, study.choose)


def _folder(chosen: Chosen, number: int) -> str:
    """The name of a model as one of a folder, with its number where that is not its own."""
    names = [re.sub(r"[^A-Za-z0-9._-]+", "-", one.model.name).strip(".-") or "model" for one in chosen.planned]
    return names[number] if names.count(names[number]) == 1 else f"{names[number]}-{number + 1}"
