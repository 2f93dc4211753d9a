"""What would help where nothing fits: for each choice that was restricted the nearest value, and the fewest devices."""

from __future__ import annotations

from dataclasses import fields, replace

from intarsia.graph import Recompute
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.place.branches import Space, space_of
from intarsia.place.choices import Choices
from intarsia.place.contents import MODES
from intarsia.place.leanest import leanest
from intarsia.place.memory import stage_memory
from intarsia.place.space import Task
from intarsia.place.strategy import Pipeline, Split, Strategy
from intarsia.place.values import having, value_text, values_of

DOUBLINGS = 12
"""Of the number of devices."""
NEAREST = 32
"""Values of a choice that are looked at one by one, from the nearest on."""
OF_RUN = frozenset({"attention", "dtype", "gradient_bytes"})
"""What a run has, and nobody chooses."""

Lean = tuple[Strategy, Split]


def relaxation(task: Task, efficiency: Efficiency) -> str:
    """Changes of one thing that give a plan that fits, the smallest of each kind.

    Args:
        task: of whose strategies none fits.
        efficiency: only handed on; seconds do not matter here.
    """
    helps = []
    for field in fields(Choices):
        usual, asked = getattr(Choices(), field.name), getattr(task.choices, field.name)
        if asked == usual or field.name in OF_RUN:
            continue
        if field.name == "data":  # the usual ones are few, and the nearest is looked for
            usual = tuple(range(1, min(task.cluster.devices, task.global_batch) + 1))
        freed = replace(task, choices=replace(task.choices, **{field.name: usual}))
        value = _nearest(_lean_space(freed, efficiency, keep=field.name), field.name, asked)
        if value:
            helps.append(f"{field.name} {value}")
    devices = _devices(task, efficiency)
    if devices:
        helps.append(f"{devices} devices")
    return "; or ".join(helps) or "a smaller model, shorter sequences, or devices with more memory"


def _nearest(space: Space, choice: str, asked: tuple[int | Pipeline, ...]) -> str:
    """The value nearest to what was asked with which a plan fits; all that a plan needs, if no single one suffices."""
    found = _fitting(space)
    if found is None:
        return ""
    if choice == "recompute":
        for mode in MODES:
            if _fitting(_recomputing(space, mode)):
                return mode.value
        return ",".join(dict.fromkeys(mode.value for mode in found[1].recompute))
    near = [_number(value) for value in asked]
    values = sorted(values_of(space, choice), key=lambda value: (min(abs(value - n) for n in near), value))
    fitting = (value for value in values[:NEAREST] if value not in near and _fitting(space, (choice, value)))
    return value_text(choice, next(fitting, _number(getattr(found[0], choice))))


def _number(value: int | Pipeline) -> int:
    """A value as ``values_of`` counts it."""
    return int(value is Pipeline.ONE_F_ONE_B) if isinstance(value, Pipeline) else int(value)


def _recomputing(space: Space, mode: Recompute) -> Space:
    return replace(space, task=replace(space.task, choices=replace(space.task.choices, recompute=(mode,))))


def _devices(task: Task, efficiency: Efficiency) -> int:
    """The fewest devices, in whole nodes, that a plan fits on; 0 if none do. More devices never fit less."""
    node = task.cluster.levels[0].devices
    short = task.cluster.devices // node
    for _ in range(DOUBLINGS):
        enough = max(2 * short, 1)
        if _fitting(_lean_space(_on(task, enough * node), efficiency)):
            break
        short = enough
    else:
        return 0
    while enough - short > 1:
        middle = (short + enough) // 2
        if _fitting(_lean_space(_on(task, middle * node), efficiency)):
            enough = middle
        else:
            short = middle
    return enough * node


def _on(task: Task, devices: int) -> Task:
    """The same task on more devices; bytes do not depend on the network, so its last level may reach them all."""
    outermost = task.cluster.levels[-1]
    levels = (*task.cluster.levels[:-1], replace(outermost, devices=max(outermost.devices, devices)))
    return replace(task, cluster=replace(task.cluster, devices=devices, levels=levels))


def _fitting(space: Space, value: tuple[str, int] | None = None) -> Lean | None:
    """A plan that fits, if one of the leanest does; of those strategies whose choice has the value, if one is given."""
    lean = leanest(space, having(*value) if value else None)
    if lean is None:
        return None
    profile, strategy, split = lean
    totals = [stage_memory(profile, strategy, split, stage).total for stage in range(strategy.pipeline)]
    return (strategy, split) if max(totals) <= space.task.cluster.chip.hbm_bytes else None


def _lean_space(task: Task, efficiency: Efficiency, *, keep: str = "") -> Space:
    """The strategies that take few bytes: 1F1B without chunks, the smallest microbatch.

    Args:
        task: the question.
        efficiency: only handed on.
        keep: a choice all of whose values stay.
    """
    choices = task.choices
    lean = replace(
        choices,
        order=(Pipeline.ONE_F_ONE_B,) if Pipeline.ONE_F_ONE_B in choices.order else choices.order,
        interleave=(1,) if not choices.interleave or 1 in choices.interleave else choices.interleave,
        microbatch=(min(choices.microbatch),) if choices.microbatch else (1,),
    )
    if keep:
        lean = replace(lean, **{keep: getattr(choices, keep)})
    return space_of(replace(task, choices=lean), efficiency, lambda _: None)
