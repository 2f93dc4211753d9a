"""Refuses a plan that contradicts itself, with one clear sentence."""

from __future__ import annotations

from dataclasses import asdict

from intarsia.ground import InputError
from intarsia.machines.chips import refuse_efficiency
from intarsia.place.plan_file import PlanFile

DEGREES = ("tensor", "pipeline", "data", "context", "expert", "microbatch", "global_batch", "sequence", "interleave")
SIZES = ("hidden", "blocks", "heads", "kv_heads", "head_width", "vocab", "sequence")


def refuse_plan(plan: PlanFile, devices: int, *, where: str) -> None:
    """Says nothing where degrees, devices, batch and stages agree.

    Raises:
        InputError: they do not.
    """
    strategy = plan.strategy
    refuse_efficiency(plan.efficiency, where=where)
    sizes = asdict(plan.transformer) if plan.transformer else {}
    for name in SIZES if sizes else ():
        if sizes[name] < 1:
            raise InputError(
                f"the model's {name} is not positive", where=where, value=str(sizes[name]), allowed="1 or more"
            )
    for name in DEGREES:
        value = getattr(strategy, name)
        if value < 1 and not (name == "sequence" and value == 0):
            raise InputError(f"{name} is not positive", where=where, value=str(value), allowed="1 or more")
    if strategy.zero not in range(4):
        raise InputError("unknown ZeRO level", where=where, value=str(strategy.zero), allowed="0, 1, 2, 3")
    if strategy.devices != devices:
        degrees = f"{strategy.tensor} × {strategy.pipeline} × {strategy.data} × {strategy.context}"
        raise InputError(
            "tensor × pipeline × data × context is not the number of devices",
            where=where,
            value=f"{degrees} = {strategy.devices}, devices {devices}",
        )
    if strategy.global_batch < strategy.data * strategy.microbatch:
        raise InputError(
            "the global batch is less than one microbatch for each replica",
            where=where,
            value=f"{strategy.global_batch} < {strategy.data} × {strategy.microbatch}",
        )
    if len(plan.split.counts) != strategy.pipeline:
        raise InputError(
            "there are not as many stages as the pipeline has",
            where=where,
            value=f"{len(plan.split.counts)} stages, pipeline {strategy.pipeline}",
        )
    _refuse_split(plan, where)


def _refuse_split(plan: PlanFile, where: str) -> None:
    reached = 0
    for stage, counts in enumerate(plan.split.counts):
        present = [kind for kind, count in enumerate(counts) if count]
        if any(count < 0 for count in counts) or not present:
            raise InputError("a stage has no layers", where=where, value=f"stage {stage}")
        if plan.strategy.interleave == 1 and present[0] < reached:
            name = plan.layers[present[0]][0]
            raise InputError("the stages are out of order", where=where, value=f"{name} in stage {stage}")
        reached = present[-1]
    for kind, (name, repeat) in enumerate(plan.layers):
        covered = sum(counts[kind] for counts in plan.split.counts)
        if covered != repeat:
            raise InputError(
                "the stages do not cover the layers", where=where, value=f"{covered} of {repeat} {name} layers"
            )
