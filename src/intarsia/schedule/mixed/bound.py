"""What no schedule can beat where tasks choose between two kinds of cores, without a search.

Let kind A have a cores and kind B b. In T seconds they give a T and b T core-seconds, so that for any λ from 0 to 1

    T  =  λ T + (1 − λ) T  ≥  λ work on A ÷ a + (1 − λ) work on B ÷ b
       ≥  Σ over tasks of min(λ its work on A ÷ a, (1 − λ) its work on B ÷ b),

wherever each task runs. The best λ is the price of A in the linear program that divides tasks between the kinds
(Lenstra, Shmoys, Tardos, "Approximation algorithms for scheduling unrelated parallel machines", Math. Programming 46,
1990); every other one bounds as well. Such a sum is used as ``schedule.bound`` uses the work of one kind: for tasks
that all start after a head and are followed by a tail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from intarsia.schedule.mixed.ways import KINDS, SECOND, TENSOR, Ways, ways_of
from intarsia.schedule.problem import ScheduleProblem
from intarsia.schedule.ticks import members

BITS = 40
"""Of the ticks: the rounding is below 1e-10 of the makespan."""
PARTS = 4096
"""λ is a whole number of these parts."""


@dataclass(frozen=True, slots=True)
class Measure:
    """Shares of work that add up: no set of tasks is done in less than their sum ÷ ``scale``, ticks.

    Attributes:
        work: of each task.
        scale: what all cores together do in a tick.
    """

    work: tuple[int, ...]
    scale: int


def bound_mixed(problem: ScheduleProblem) -> float:
    """A lower bound on the makespan of every schedule, seconds."""
    ways = ways_of(problem, BITS)
    return bound_of(ways, measures_of(ways)) * ways.tick


def bound_of(ways: Ways, measures: Sequence[Measure]) -> int:
    """The same in ticks."""
    heads, tails = heads_of(ways, measures), tails_of(ways, measures)
    paths = max((heads[task] + ways.shortest(task) + tails[task] for task in range(len(heads))), default=0)
    return max([paths, *(_windows(measure, heads, tails) for measure in measures)])


def measures_of(ways: Ways) -> tuple[Measure, ...]:
    """One for each kind, of the tasks that can run nowhere else, and one for each λ."""
    found = []
    for kind, cores in enumerate(ways.cores):
        if KINDS[kind] in {KINDS[way.kind] for own in ways.ways for way in own} and cores:
            work = [_only(ways, task, kind) for task in range(len(ways.ways))]
            found.append(Measure(tuple(work), cores))
    return (*found, *(_priced(ways, parts) for parts in _prices(ways)))


def heads_of(ways: Ways, measures: Sequence[Measure]) -> list[int]:
    """For each task, ticks that must pass before it starts."""
    heads: list[int] = []
    for task, needs in enumerate(ways.needs):
        path = max((heads[need] + ways.shortest(need) for need in needs), default=0)
        heads.append(max(path, _energetic(measures, ways.before[task], heads)))
    return heads


def tails_of(ways: Ways, measures: Sequence[Measure]) -> list[int]:
    """For each task, ticks that must pass after it has finished."""
    tails = [0] * len(ways.needs)
    for task in reversed(range(len(tails))):
        tails[task] = max(tails[task], _energetic(measures, ways.after[task], tails))
        for need in ways.needs[task]:
            tails[need] = max(tails[need], ways.shortest(task) + tails[task])
    return tails


def _only(ways: Ways, task: int, kind: int) -> int:
    """The least work of a task that can run on this kind alone, else 0."""
    own = ways.least_energy(task, kind)
    return own if own is not None and all(way.kind == kind for way in ways.ways[task]) else 0


def _priced(ways: Ways, parts: int) -> Measure:
    """The measure of λ = ``parts`` ÷ ``PARTS``."""
    a, b = ways.cores[TENSOR], ways.cores[SECOND]
    work = []
    for task in range(len(ways.ways)):
        on_a, on_b = ways.least_energy(task, TENSOR), ways.least_energy(task, SECOND)
        prices = [parts * b * on_a] if on_a is not None else []
        prices += [(PARTS - parts) * a * on_b] if on_b is not None else []
        work.append(min(prices, default=0))
    return Measure(tuple(work), PARTS * a * b)


def _prices(ways: Ways) -> list[int]:
    """The best λ for all tasks, and quartiles of those at which some task is indifferent."""
    a, b = ways.cores[TENSOR], ways.cores[SECOND]
    indifferent = set()
    for task in range(len(ways.ways)):
        on_a, on_b = ways.least_energy(task, TENSOR), ways.least_energy(task, SECOND)
        if on_a and on_b:
            parts = round(PARTS * on_b * a / (on_a * b + on_b * a))
            indifferent.add(min(max(parts, 1), PARTS - 1))
    if not indifferent:
        return []
    listed = sorted(indifferent)
    best = max(listed, key=lambda parts: (sum(_priced(ways, parts).work), parts))
    return sorted({best, listed[len(listed) // 4], listed[3 * len(listed) // 4]})


def _energetic(measures: Sequence[Measure], tasks: int, offsets: Sequence[int]) -> int:
    """The most, over measures and offsets, of offset + work of those tasks whose offset is at least that."""
    best, own = 0, sorted(members(tasks), key=lambda task: -offsets[task])
    for measure in measures:
        work = 0
        for task in own:
            if measure.work[task]:
                work += measure.work[task]
                best = max(best, offsets[task] + -(-work // measure.scale))
    return best


def _windows(measure: Measure, heads: Sequence[int], tails: Sequence[int]) -> int:
    """The same with a head and a tail, over all pairs of both."""
    own = [task for task, its in enumerate(measure.work) if its]
    falling = sorted(own, key=lambda task: -tails[task])
    best = 0
    for head in sorted({heads[task] for task in own}):
        work = 0
        for task in falling:
            if heads[task] >= head:
                work += measure.work[task]
                best = max(best, head + -(-work // measure.scale) + tails[task])
    return best
