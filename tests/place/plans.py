"""Small plans, predicted, for tests."""

from __future__ import annotations

from dataclasses import replace

from intarsia.graph import Attention, Dtype, Model, Recompute
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.clusters import Cluster, read_cluster
from intarsia.place import Pipeline, Prediction, Split, StageTime, Strategy, even_split, predict_split
from intarsia.place.plan_file import PlanFile, RunnerUp, plan_file
from intarsia.place.profile import demands

EFFICIENCY = Efficiency(
    matmul=0.8,
    flash=0.6,
    memory=0.85,
    misaligned=0.6,
    kernel=3e-6,
    host=1e-5,
    link=0.8,
    collective=2e-5,
    straggle=1e-5,
    error=0.04,
    source="made up",
)


def strategy_of(**given: object) -> Strategy:
    """A strategy of one device unless told otherwise."""
    strategy = Strategy(
        tensor=1,
        pipeline=1,
        data=1,
        context=1,
        expert=1,
        microbatch=1,
        global_batch=8,
        sequence=1024,
        recompute=Recompute.NONE,
        sequence_parallel=False,
        interleave=1,
        order=Pipeline.ONE_F_ONE_B,
        zero=1,
        attention=Attention.FLASH,
        dtype=Dtype.BF16,
        gradient_bytes=4,
    )
    return replace(strategy, **given)  # type: ignore[arg-type]  # fields by name


def pipeline_of(stages: int, microbatches: int, *, chunks: int = 1, order: Pipeline = Pipeline.ONE_F_ONE_B) -> Strategy:
    return strategy_of(pipeline=stages, global_batch=microbatches, interleave=chunks, order=order)


def stage_of(forward: float, backward: float, **given: float) -> StageTime:
    names = ("weights", "exposed", "messages", "gather", "synchronise", "optimizer")
    return StageTime(forward=forward, backward=backward, **{name: given.get(name, 0.0) for name in names})


def predicted(model: Model, strategy: Strategy, cluster: Cluster, *, split: Split | None = None) -> Prediction:
    profile = demands(model, strategy.variant, cluster).priced(EFFICIENCY)
    return predict_split(model, profile, strategy, split or even_split(profile, strategy))


def planned(
    model: Model, cluster: str, strategy: Strategy, *, split: Split | None = None
) -> tuple[PlanFile, Prediction]:
    """A plan on a cluster, with one runner-up and a bound."""
    prediction = predicted(model, strategy, read_cluster(cluster), split=split)
    other = RunnerUp(replace(strategy, zero=0), 1.1 * prediction.seconds)
    bound = 0.9 * prediction.seconds
    return plan_file(model, cluster, prediction, bound=bound, runners_up=(other,)), prediction
