"""A plan as the result keeps it: seconds, degrees, bytes of each stage."""

from __future__ import annotations

from dataclasses import asdict

from intarsia.flow.predictions import notes_of
from intarsia.flow.study.model_records import EnergyRecord, MemoryRecord, PlanRecord
from intarsia.graph import Model
from intarsia.ground.units import count_text
from intarsia.machines.clusters import Cluster
from intarsia.place import Prediction, energy_of
from intarsia.place.plan import Plan


def plan_record(plan: Plan, model: Model, cluster: Cluster) -> PlanRecord:
    """The plan's figures."""
    found, strategy = plan.prediction, plan.strategy
    samples = strategy.global_batch / found.seconds
    return PlanRecord(
        seconds=found.seconds,
        interval=found.interval,
        bound=float(plan.bound),
        samples=samples,
        tokens=samples * strategy.sequence or None,
        mfu=found.mfu,
        strategy={name: _text(value) for name, value in asdict(strategy).items() if name != "recompute"},
        stages=_stages(plan, model),
        idle=plan.idle,
        notes=notes_of(model, cluster, found),
        energy=_energy(model, cluster, found),
    )


def _energy(model: Model, cluster: Cluster, prediction: Prediction) -> EnergyRecord | None:
    found = energy_of(model, cluster, prediction)
    if found is None:
        return None
    return EnergyRecord(
        joules=found.joules,
        per_sample=found.joules_per_sample,
        per_token=found.joules_per_token,
        mean_watts=found.mean_watts,
        peak_watts=found.peak_watts,
        parts=dict(found.parts),
        watts=dict(found.watts),
        peaks=dict(found.peaks),
    )


def memory_record(plan: Plan) -> MemoryRecord:
    """Bytes of one device of each stage."""
    stages = tuple(memory.kinds() for memory in plan.prediction.memory)
    return MemoryRecord(capacity=plan.prediction.capacity, stages=stages)


def _text(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return count_text(value)
        case _:
            return str(value)


def _stages(plan: Plan, model: Model) -> tuple[str, ...]:
    """Layers of each stage by kind, and what it computes again."""
    names = [layer.name for layer in model.layers(plan.strategy.variant)]
    return tuple(
        ", ".join(f"{count} {name}" for name, count in zip(names, counts, strict=True) if count) + f"; recompute {mode}"
        for counts, mode in zip(plan.split.counts, plan.split.recompute, strict=True)
    )
