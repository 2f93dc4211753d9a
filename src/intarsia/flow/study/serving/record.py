"""The deployment of a study as its result keeps it, with what else could be: limits, neighbours, other chips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from time import perf_counter

import msgspec

from intarsia.flow.study.file import Study
from intarsia.flow.study.model_records import MemoryRecord
from intarsia.flow.study.modelled import Desk
from intarsia.flow.study.neighbours import Changed, changes
from intarsia.flow.study.progress import steps
from intarsia.flow.study.serving.deployed import Deployed, restricted
from intarsia.flow.study.serving.records import (
    DeploymentRecord,
    LimitRecord,
    ServedRecord,
    ServingBaseline,
    ServingNeighbour,
)
from intarsia.flow.study.serving.trials import ServingTrial, ServingTried, tried
from intarsia.machines.chips import Efficiency, efficiency_of
from intarsia.machines.clusters import Cluster
from intarsia.place.serving import Served, ServingPlan
from intarsia.search import ServingQuestion

TWICE = 2
TITLES = {"ttft": "time to the first token", "tpot": "time between tokens"}


def served_record(desk: Desk, found: Deployed) -> ServedRecord | None:
    """Everything of a model that answers; nothing where nothing can be served so."""
    plan, study, compared = found.plan, desk.study, desk.compared
    if plan is None:
        return None
    freed = list(_freed(study, found, plan))
    changed = list(changes(found.chosen))
    possible = [one for one in changed if not one.refused]
    trials = [trial for _, trial in freed]
    trials += [_trial(study, found, _cluster(found, one), found.chosen.efficiency) for one in possible]
    trials += [_trial(study, found, cluster, efficiency_of(cluster.chip)) for cluster in compared]
    started = perf_counter()
    told = steps(desk.watch, f"{found.answer.model.name}: deployments on other chips", lambda: perf_counter() - started)
    answers = tried(trials, store=desk.store, workers=desk.workers, fresh=desk.fresh, told=told)
    after, others = answers[len(freed) :], answers[len(freed) + len(possible) :]
    said: dict[int, ServingTried] = {id(one): its for one, its in zip(possible, after, strict=False)}
    tokens, budgets = plan.pace.tokens_per_second, found.chosen.budgets
    return ServedRecord(
        name=found.answer.model.name,
        parameters=found.answer.model.parameters,
        prompt=found.answer.task.prompt,
        output=found.answer.task.made,
        best=_deployment(plan.best),
        interval=plan.interval,
        idle=plan.idle,
        limits=tuple(_limit(one, its, tokens) for (one, _), its in zip(freed, answers, strict=False)),
        stages=tuple(", ".join(f"{count} {name}" for name, count in stage.items()) for stage in found.answer.stages),
        memory=MemoryRecord(plan.capacity, tuple(stage.kinds() for stage in plan.memory)),
        round=_round(found, plan),
        step=plan.pace.step or None,
        hbm_step=plan.hbm_step if plan.pace.step else None,
        considered={name: getattr(plan.considered, name) for name in ("degrees", "full", "late", "slower", "solved")},
        runners_up=tuple(map(_deployment, plan.runners_up)),
        neighbours=tuple(_neighbour(one, said.get(id(one)), tokens, budgets) for one in changed),
        baselines=tuple(_baseline(cluster, its, tokens) for cluster, its in zip(compared, others, strict=True)),
        notes=found.answer.notes,
        absent={} if compared else {"baselines": "the study names none"},
    )


def _deployment(served: Served) -> DeploymentRecord:
    its, pace = served.deployment, served.pace
    return DeploymentRecord(
        tensor=its.tensor,
        pipeline=its.pipeline,
        expert=its.expert,
        data=its.data,
        batch=its.batch,
        prompts=its.prompts,
        tokens=pace.tokens_per_second,
        ttft=pace.ttft or None,
        tpot=pace.tpot or None,
    )


def _round(found: Deployed, plan: ServingPlan) -> dict[str, dict[str, float]]:
    """Steps and prompts of a round: all but the first token of each answer, and one prompt for each place."""
    task = found.answer.task
    steps = plan.decode * (task.output - 1)
    rounds = {"steps": steps.kinds()} if plan.pace.step else {}
    return rounds | ({"prompts": (plan.prefill * plan.deployment.batch).kinds()} if task.reads else {})


def _freed(study: Study, found: Deployed, plan: ServingPlan) -> Iterator[tuple[LimitRecord, ServingTrial]]:
    """Each limit without its trial's answer, and the question without it; memory is doubled."""
    keys, cluster, efficiency = found.keys, found.chosen.cluster, found.chosen.efficiency
    for name, limit, value in (("ttft", keys.ttft, plan.pace.ttft), ("tpot", keys.tpot, plan.pace.tpot)):
        if limit is not None:
            free = msgspec.structs.replace(keys, **{name: None})
            trial = ServingTrial(study.models[0], cluster, efficiency, free, restricted(study))
            yield LimitRecord(TITLES[name], "s", value, limit, "no limit", None, None), trial
    chip = replace(cluster.chip, hbm_bytes=TWICE * cluster.chip.hbm_bytes)
    used = float(plan.memory[plan.fullest].total)
    memory = LimitRecord("memory of the fullest device", "B", used, float(plan.capacity), "twice as much", None, None)
    yield memory, _trial(study, found, replace(cluster, chip=chip), efficiency)


def _limit(one: LimitRecord, its: ServingTried, tokens: float) -> LimitRecord:
    times = None if its.tokens is None else its.tokens / tokens
    return msgspec.structs.replace(one, tokens=its.tokens, times=times)


def _trial(study: Study, found: Deployed, cluster: Cluster, efficiency: Efficiency) -> ServingTrial:
    return ServingTrial(study.models[0], cluster, efficiency, found.keys, restricted(study))


def _cluster(found: Deployed, changed: Changed) -> Cluster:
    """The changed cluster, with the chip of the template that it is of."""
    hunt = found.chosen.hunt
    if hunt is None or changed.point is None:
        return changed.cluster
    base = replace(found.answer.task, cluster=changed.cluster)
    return ServingQuestion(hunt.space, base).on(changed.point).cluster


def _neighbour(
    changed: Changed, its: ServingTried | None, tokens: float, budgets: Mapping[str, float]
) -> ServingNeighbour:
    area, after = changed.area, None if its is None else its.tokens
    return ServingNeighbour(
        resource=changed.resource,
        change=changed.change,
        before=changed.before,
        after=changed.after,
        tokens=after,
        times=None if after is None else after / tokens,
        area=area,
        within=changed.within(budgets),
        because=changed.refused if its is None else its.because,
    )


def _baseline(cluster: Cluster, its: ServingTried, tokens: float) -> ServingBaseline:
    chip = cluster.chip
    return ServingBaseline(
        chip=chip.name,
        cluster=f"{cluster.devices} × {chip.name} in the network of {cluster.name}",
        peak_flops=chip.peak_flops,
        hbm_bytes=chip.hbm_bytes,
        hbm_bandwidth=chip.hbm_bandwidth,
        tokens=its.tokens,
        interval=its.interval,
        times=None if its.tokens is None else its.tokens / tokens,
        ttft=its.ttft,
        tpot=its.tpot,
        deployment=its.deployment,
        because=its.because,
        efficiency=efficiency_of(chip).source,
        assumed=chip.assumed,
    )
