"""Best deployments on chips that nobody searched for: neighbours, baselines, and this chip without a limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

import msgspec

from intarsia.flow.serving_question import serving_task
from intarsia.flow.study.serving.keys import ServingKeys
from intarsia.ground.resume import answer_all
from intarsia.ground.store import Json, Store
from intarsia.machines.chips import Efficiency
from intarsia.machines.clusters import Cluster
from intarsia.place.serving import Deployment, ServingPlan, best_serving
from intarsia.solvers import Found


class ServingTrial(msgspec.Struct, frozen=True):
    """One question: the best deployment of a model on a cluster.

    Attributes:
        model: what the user typed.
        cluster: chips and network.
        efficiency: of the chips.
        serving: prompts, answers and limits.
        choose: choices of deployments that are restricted.
    """

    model: str
    cluster: Cluster
    efficiency: Efficiency
    serving: ServingKeys
    choose: dict[str, tuple[str, ...]]


class ServingTried(msgspec.Struct, frozen=True):
    """Its answer.

    Attributes:
        tokens: of answers per second; None where nothing can be served so.
        interval: of the prediction.
        ttft, tpot: seconds; None where there are none.
        deployment: degrees and batch.
        because: what is in the way where nothing can be served so.
    """

    tokens: float | None
    interval: tuple[float, float] | None
    ttft: float | None
    tpot: float | None
    deployment: str
    because: str


def tried(
    trials: Sequence[ServingTrial], *, store: Store, workers: int, fresh: bool, told: Callable[[int, int], None]
) -> list[ServingTried]:
    """The answers to all trials; those that are kept are not asked again."""
    questions = [cast("Json", msgspec.to_builtins(one)) for one in trials]
    names = [f"{one.model} on {one.cluster.name}" for one in trials]
    found = answer_all(questions, _answer, store=store, workers=workers, fresh=fresh, told=told, names=names)
    return [msgspec.convert(one, ServingTried) for one in found]


def _answer(question: Json) -> Json:
    trial = msgspec.convert(question, ServingTrial)
    _, task = serving_task(trial.model, trial.cluster, trial.serving.wanted(trial.choose))
    outcome = best_serving(replace(task, efficiency=trial.efficiency), runners=0)
    if isinstance(outcome, Found):
        said = _found(outcome.value)
    else:
        said = ServingTried(None, None, None, None, "", "; ".join(outcome.because))
    return cast("Json", msgspec.to_builtins(said))


def _found(plan: ServingPlan) -> ServingTried:
    pace = plan.pace
    return ServingTried(
        pace.tokens_per_second, plan.interval, pace.ttft or None, pace.tpot or None, degrees_text(plan.deployment), ""
    )


def degrees_text(deployment: Deployment) -> str:
    """The degrees of a deployment that are not one, and what is in flight, in a line."""
    degrees = [(name, getattr(deployment, name)) for name in ("tensor", "pipeline", "expert", "data")]
    shown = [f"{name} {value}" for name, value in degrees if value > 1]
    read = "one prompt" if deployment.prompts == 1 else f"{deployment.prompts} prompts"
    return ", ".join([*shown, f"batch {deployment.batch}", f"{read} at once"])
