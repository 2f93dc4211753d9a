"""The published formulation of the layer's schedule, for HiGHS: a second way to the same optimum.

Wang, Tarnawski, Phanishayee, Mahajan, "Integrated Hardware Architecture and Device Placement Search" (ICML 2024, arXiv
2407.13143): for each operator its start t, its length p and whether it is spread, y; for each pair of a kind that
precedence does not order, which goes first, x; for each operator and core whether it is there, z; minimise the makespan
T. A spread operator is on every core. A task that takes no time waits for its core here, as nowhere else. Where a task
chooses between two kinds of cores, y is one of four, and z says nothing on the other kind.
"""

from __future__ import annotations

from itertools import combinations

from intarsia.ground.units import picoseconds
from intarsia.schedule.place import place
from intarsia.schedule.problem import Kind, ScheduleProblem, Task
from intarsia.schedule.schedule import Schedule
from intarsia.schedule.ticks import in_ticks, members
from intarsia.solvers import Found, Limits, LinearModel, Outcome, OutOfTime
from intarsia.solvers.cpsat import Expression

BITS = 40

Mode = tuple[bool, bool, Expression]
"""Whether spread, whether on the second kind, and what is 1 if it is so."""


class Published:
    """The variables and constraints; time in units of the horizon, so that the big M is 1."""

    def __init__(self, problem: ScheduleProblem) -> None:
        self.problem = problem
        self.model = LinearModel()
        self.horizon = sum(task.one for task in problem.tasks) or 1.0
        self.number = {task.name: index for index, task in enumerate(problem.tasks)}
        self.makespan = self.model.number(0, 1)
        self.starts = [self.model.number(0, 1) for _ in problem.tasks]
        self.taken = [self._modes(task) for task in problem.tasks]
        self.lengths: list[Expression] = [
            sum(task.seconds(spread=spread, second=second) / self.horizon * there for spread, second, there in modes)
            for task, modes in zip(problem.tasks, self.taken, strict=True)
        ]
        for kind in Kind:
            self._exclusive(kind)
        self._order()

    def _modes(self, task: Task) -> list[Mode]:
        """Whether spread and whether on the second kind, and what is 1 if it is so; of the first, that no other is."""
        (spread, second), *others = (
            (spread, second)
            for second in ((False,) if task.second is None else (False, True))
            for spread in ((False, True) if self.problem.may_spread(task) else (False,))
        )
        modes = [(*other, self.model.boolean()) for other in others]
        if len(modes) > 1:
            self.model.add(sum(there for _, _, there in modes) <= 1)
        return [(spread, second, 1 - sum(there for _, _, there in modes)), *modes]

    def _order(self) -> None:
        """Needs come first; the makespan comes last."""
        for index, task in enumerate(self.problem.tasks):
            finish = self.starts[index] + self.lengths[index]
            self.model.add(finish <= self.makespan)
            for need in task.needs:
                before = self.number[need]
                self.model.add(self.starts[before] + self.lengths[before] <= self.starts[index])

    def _exclusive(self, kind: Kind) -> None:
        """Two operators on one core are not there at once: one goes first, with the horizon as the big M."""
        cores = range(self.problem.cores(kind))
        placed: dict[int, list[tuple[bool, Expression]]] = {}
        for index, task in enumerate(self.problem.tasks):
            here = [(s, there) for s, second, there in self.taken[index] if task.kind_on(second=second) is kind]
            placed |= {index: here} if here and cores else {}
        on = {index: [self.model.boolean() for _ in cores] for index in placed}
        for index, here in placed.items():
            self.model.add(sum(on[index]) == sum((len(cores) if spread else 1) * there for spread, there in here))
        before = in_ticks(self.problem, BITS).before
        for i, j in combinations((i for i in placed if self.problem.tasks[i].one > 0), 2):
            if i in members(before[j]):
                continue
            first, second = self.model.boolean(), self.model.boolean()
            self.model.add(first + second <= 1)
            for core in cores:
                self.model.add(on[i][core] + on[j][core] <= 1 + first + second)
            self.model.add(self.starts[i] + self.lengths[i] <= self.starts[j] + 2 * (1 - first))
            self.model.add(self.starts[j] + self.lengths[j] <= self.starts[i] + 2 * (1 - second))


def solve_milp(problem: ScheduleProblem, limits: Limits) -> Outcome[Schedule]:
    """A shortest schedule by the published formulation, up to the tolerance of the solver's floating-point numbers."""
    published = Published(problem)
    tasks = len(problem.tasks)
    wanted = [there for own in published.taken for _, _, there in own[1:]]
    answer = published.model.minimize(published.makespan, (*published.starts, *wanted), limits)
    low = max(answer.bound, 0.0) * published.horizon
    if answer.values is None:
        return OutOfTime(None, (picoseconds(low),), answer.effort)
    values = iter(answer.values[tasks:])
    chosen = [next((mode for mode, value in [(m, next(values)) for m in own[1:]] if value > 0.5), own[0])
              for own in published.taken]  # fmt: skip
    spread, second = [mode[0] for mode in chosen], [mode[1] for mode in chosen]
    made = place(problem, _order(problem, answer.values[:tasks]), spread, second)
    schedule = Schedule(made.slots, made.makespan, min(low, made.makespan))
    answer_type = Found if answer.exhausted else OutOfTime
    return answer_type(schedule, (picoseconds(schedule.bound),), answer.effort)


def _order(problem: ScheduleProblem, starts: tuple[float, ...]) -> list[int]:
    """The tasks by their starts; where the solver's tolerance turned a need around, the need goes first."""
    at: list[float] = []
    number = {task.name: index for index, task in enumerate(problem.tasks)}
    for start, task in zip(starts, problem.tasks, strict=True):
        at.append(max(start, max((at[number[need]] for need in task.needs), default=0.0)))
    return sorted(range(len(at)), key=lambda index: (at[index], index))
