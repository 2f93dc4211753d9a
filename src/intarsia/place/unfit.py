"""Why no strategy of a space fits: what is over on which stage in the plan that is least over, and what helps."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from intarsia.graph import Recompute
from intarsia.ground.units import bytes_text
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.place.branches import Branch, Space, space_of
from intarsia.place.choices import Choices
from intarsia.place.contents import MODES, Contents, Floats, contents
from intarsia.place.memory import FRAGMENTATION, STATE_BYTES, WEIGHT_BYTES, in_flight, stage_memory
from intarsia.place.profile import Profile
from intarsia.place.space import Task, strategy_of
from intarsia.place.stages import fixed_bytes
from intarsia.place.strategy import Pipeline, Split, Strategy

TRIED = 24
"""Strategies whose leanest split is worked out: those that seem leanest."""
DOUBLINGS = 12
"""Of the number of devices."""


def unfit(space: Space, efficiency: Efficiency) -> tuple[tuple[str, ...], str]:
    """What is over in the leanest plan, and the smallest change that gives a plan that fits.

    Args:
        space: strategies of which none fits.
        efficiency: only handed on; seconds do not matter here.
    """
    profile, strategy, split = leanest(space)
    capacity = space.task.cluster.chip.hbm_bytes
    memories = [stage_memory(profile, strategy, split, stage) for stage in range(strategy.pipeline)]
    stage = max(range(strategy.pipeline), key=lambda at: memories[at].total)
    total = memories[stage].total
    name, most = max(memories[stage].kinds().items(), key=lambda pair: pair[1])
    where = f"stage {stage} of {strategy.pipeline}"
    over = f"{bytes_text(total - capacity)} more than a device's {bytes_text(capacity)}"
    first = f"{where} needs {bytes_text(total)}, {over}, in the leanest plan: {_degrees(strategy, split, stage)}"
    return (first, f"most of it is {name}: {bytes_text(most)}"), _relaxation(space.task, efficiency)


def _degrees(strategy: Strategy, split: Split, stage: int) -> str:
    return (
        f"tensor {strategy.tensor}, pipeline {strategy.pipeline}, data {strategy.data}, context {strategy.context},"
        f" expert {strategy.expert}, microbatch {strategy.microbatch}, zero {strategy.zero},"
        f" recompute {split.recompute[stage].value}"
    )


def leanest(space: Space) -> tuple[Profile, Strategy, Split]:
    """The plan whose fullest stage holds the least, among those that seem leanest."""
    ranked = sorted(
        (
            (float(guess), at, entry)
            for at, branch in enumerate(space.branches)
            for guess, entry in _leanest_of(space, branch)
        ),
    )[:TRIED]
    best: tuple[int, Profile, Strategy, Split] | None = None
    for _, at, entry in ranked:
        branch = space.branches[at]
        branch.runs = branch.runs or contents(branch.profile)
        strategy = strategy_of(space.task, branch.variant, branch.entries.own[entry])
        split = leanest_split(branch.runs, strategy, space.task.choices.recompute)
        if split is None:
            continue
        total = max(stage_memory(branch.profile, strategy, split, stage).total for stage in range(strategy.pipeline))
        if best is None or total < best[0]:
            best = total, branch.profile, strategy, split
    assert best is not None
    return best[1:]


def _leanest_of(space: Space, branch: Branch) -> list[tuple[float, int]]:
    """A guess at the fullest stage's bytes of each strategy of a branch; the few least."""
    entries, layers = branch.entries, branch.profile.layers
    shared = sum(item.layer.repeat * item.layer.parameters for item in layers)
    experts = sum(item.layer.repeat * item.layer.expert_parameters for item in layers)
    kept = sum(item.layer.repeat * min(item.kept[m] for m in space.task.choices.recompute) for item in layers)
    ranks = entries.data * branch.variant.context
    own, cut = shared + experts, shared / ranks + experts / np.maximum(ranks // branch.variant.expert, 1)
    guess = STATE_BYTES * np.where(entries.zero >= 1, cut, own)
    guess += space.task.choices.gradient_bytes * np.where(entries.zero >= 2, cut, own)
    guess += WEIGHT_BYTES * np.where(entries.zero >= 3, cut, own)
    microbatches = np.ceil(space.task.global_batch / (entries.data * branch.variant.microbatch))
    guess = guess / entries.pipeline + kept * np.minimum(microbatches, entries.pipeline) / entries.pipeline
    few = np.argsort(guess, kind="stable")[:TRIED]
    return [(float(guess[entry]), int(entry)) for entry in few]


def leanest_split(runs: Contents, strategy: Strategy, recompute: tuple[Recompute, ...]) -> Split | None:
    """The split whose fullest stage holds the least."""
    modes = [index for index, mode in enumerate(MODES) if mode in recompute]
    units = runs.units
    fixed = np.where(runs.valid, fixed_bytes(runs, strategy), np.inf)
    if strategy.interleave > 1:
        blocks = runs.counts[..., runs.block]
        fixed = np.where((blocks > 0) & (blocks % strategy.interleave == 0), fixed, np.inf)
    beyond = np.full(units + 1, np.inf)
    beyond[units] = 0.0
    stop = np.minimum(np.arange(units)[:, None] + np.arange(units)[None, :] + 1, units)
    picks = []
    for stage in range(strategy.pipeline - 1, -1, -1):
        activations = (1 + FRAGMENTATION) * runs.kept[modes] * in_flight(strategy, stage)
        bytes_: Floats = (fixed + runs.working[modes] + activations).swapaxes(0, 1)
        worst = np.maximum(bytes_, beyond[stop][:, None, :]).reshape(units, -1)
        picks.append(worst.argmin(axis=1))
        beyond = np.append(worst.min(axis=1), np.inf)
    if not np.isfinite(beyond[0]):
        return None
    start, found = 0, []
    for pick in reversed(picks):
        row, length = divmod(int(pick[start]), units)
        found.append((modes[row], start, length + 1))
        start += length + 1
    return runs.split(found)


def _relaxation(task: Task, efficiency: Efficiency) -> str:
    """Changes of one thing that give a plan that fits, the smallest of each kind."""
    helps = []
    free = Choices()
    for field in fields(Choices):
        usual, asked = getattr(free, field.name), getattr(task.choices, field.name)
        if asked == usual or field.name in {"attention", "dtype", "gradient_bytes"}:
            continue
        found = _fitting(replace(task, choices=replace(task.choices, **{field.name: usual})), efficiency)
        if found is not None:
            strategy, split = found
            values = {"recompute": max(mode.value for mode in split.recompute)} if field.name == "recompute" else {}
            helps.append(f"{field.name} {values.get(field.name, getattr(strategy, field.name))}")
    devices = _devices(task, efficiency)
    if devices:
        helps.append(f"{devices} devices")
    return "; or ".join(helps) or "a smaller model, shorter sequences, or devices with more memory"


def _devices(task: Task, efficiency: Efficiency) -> int:
    """The fewest devices, in whole nodes, that a plan fits on; 0 if none do. More devices never fit less."""
    node = task.cluster.levels[0].devices
    short = -(-task.cluster.devices // node)
    for _ in range(DOUBLINGS):
        if _fitting(_on(task, 2 * short * node), efficiency) is not None:
            break
        short *= 2
    else:
        return 0
    enough = 2 * short
    while enough - short > 1:
        middle = (short + enough) // 2
        if _fitting(_on(task, middle * node), efficiency) is not None:
            enough = middle
        else:
            short = middle
    return enough * node


def _on(task: Task, devices: int) -> Task:
    """The same task on more devices; bytes do not depend on the network, so its last level may reach them all."""
    outermost = task.cluster.levels[-1]
    levels = (*task.cluster.levels[:-1], replace(outermost, devices=max(outermost.devices, devices)))
    return replace(task, cluster=replace(task.cluster, devices=devices, levels=levels))


def _fitting(task: Task, efficiency: Efficiency) -> tuple[Strategy, Split] | None:
    """A plan that fits, if one of the leanest does."""
    space = space_of(replace(task, choices=_lean(task)), efficiency, lambda _: None)
    if not space.branches:
        return None
    profile, strategy, split = leanest(space)
    totals = [stage_memory(profile, strategy, split, stage).total for stage in range(strategy.pipeline)]
    return (strategy, split) if max(totals) <= task.cluster.chip.hbm_bytes else None


def _lean(task: Task) -> Choices:
    """Of the choices those that take few bytes: highest ZeRO levels, 1F1B without chunks, the smallest microbatch."""
    choices = task.choices
    return replace(
        choices,
        zero=(max(choices.zero),),
        order=(Pipeline.ONE_F_ONE_B,) if Pipeline.ONE_F_ONE_B in choices.order else choices.order,
        interleave=(1,) if not choices.interleave or 1 in choices.interleave else choices.interleave,
        microbatch=(min(choices.microbatch),) if choices.microbatch else (1,),
    )
