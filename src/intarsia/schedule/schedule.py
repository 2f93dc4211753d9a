"""When each task runs and where, the makespan, and what no schedule can beat."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.ground.units import seconds_text

PROVED = 1e-6
"""A makespan within one millionth of its bound counts as proved: durations are rounded to ticks below that."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One task on its cores.

    Attributes:
        task: its name.
        cores: numbers of cores of one kind, from 0, ascending; (0,) on the network, () for a free task.
        start: seconds.
        finish: seconds; the start plus the duration.
        spread: it runs on all cores of its kind at once.
        second: its cores are of the second kind of tensor cores.
    """

    task: str
    cores: tuple[int, ...]
    start: float
    finish: float
    spread: bool
    second: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """A slot for each task, in the order of the problem.

    Attributes:
        slots: when and where.
        makespan: when the last task finishes, seconds.
        bound: no schedule is shorter, seconds.
    """

    slots: tuple[Slot, ...]
    makespan: float
    bound: float

    @property
    def gap(self) -> float:
        """The part of the makespan that the bound does not explain; 0 for an empty schedule."""
        return (self.makespan - self.bound) / self.makespan if self.makespan > 0 else 0.0

    @property
    def optimal(self) -> bool:
        """Whether the bound proves that no schedule is shorter, up to the rounding of durations (``PROVED``)."""
        return self.gap <= PROVED

    def __str__(self) -> str:
        width = max((len(slot.task) for slot in self.slots), default=0)
        proof = "optimal" if self.optimal else f"bound {seconds_text(self.bound)}, gap {100 * self.gap:.2f} %"
        lines = [f"makespan {seconds_text(self.makespan)}, {proof}"]
        for slot in sorted(self.slots, key=lambda s: (s.start, s.finish, s.task)):
            where = "all" if slot.spread else " ".join(str(core) for core in slot.cores) or "-"
            when = f"{seconds_text(slot.start):>8} .. {seconds_text(slot.finish):>8}"
            core = "second core" if slot.second else "core"
            lines.append(f"  {slot.task:{width}}  {when}  {core} {where}")
        return "\n".join(lines)
