"""Random problems, and the slow, obvious search that the others must agree with."""

import random
from dataclasses import replace

from intarsia.schedule import Durations, Kind, ScheduleProblem, Task

KINDS = (Kind.TENSOR, Kind.VECTOR, Kind.NETWORK, Kind.FREE)


def small(seed: int, *, least: int = 0) -> ScheduleProblem:
    """Up to six tasks of all kinds with whole durations; ``least`` is the shortest."""
    draw = random.Random(seed)
    cores = draw.randint(1, 3), draw.randint(1, 3)
    density = draw.choice((0.1, 0.3, 0.5))
    tasks = []
    for index in range(draw.randint(1, 6)):
        kind = draw.choices(KINDS, (5, 4, 2, 1))[0]
        needs = tuple(f"t{j}" for j in range(index) if draw.random() < density)
        tasks.append(Task(f"t{index}", kind, draw.randint(least, 9), draw.randint(least, 6), needs))
    return ScheduleProblem(tuple(tasks), *cores)


def layered(seed: int, size: int, cores: tuple[int, int]) -> ScheduleProblem:
    """Levels of up to five tasks, which spreading makes faster for more core-seconds."""
    draw = random.Random(seed)
    tasks, levels = [], []
    while len(tasks) < size:
        level = []
        for _ in range(min(draw.randint(1, 5), size - len(tasks))):
            kind = draw.choices((Kind.TENSOR, Kind.VECTOR, Kind.NETWORK), (5, 4, 1))[0]
            one = draw.lognormvariate(0, 0.7)
            together = one / cores[kind is Kind.VECTOR] ** draw.uniform(0.5, 1.0)
            needs = [name for earlier in levels[-2:] for name in earlier if draw.random() < 0.35]
            if levels and not needs:
                needs = [draw.choice(levels[-1])]
            level.append(f"t{len(tasks)}")
            tasks.append(Task(level[-1], kind, one, together, tuple(needs)))
        levels.append(level)
    return ScheduleProblem(tuple(tasks), *cores)


def mixed(problem: ScheduleProblem, seed: int, *, least: int = 0) -> ScheduleProblem:
    """The same on a chip with a second kind of tensor cores, on which most tensor tasks may run as well."""
    draw = random.Random(seed)
    scale = max((task.one for task in problem.tasks), default=1) / 9
    tasks = []
    for task in problem.tasks:
        there = Durations(scale * draw.randint(least, 9), scale * draw.randint(least, 6))
        tasks.append(replace(task, second=there) if task.kind is Kind.TENSOR and draw.random() < 0.8 else task)
    return replace(problem, tasks=tuple(tasks), second_cores=draw.randint(1, 3))


def exhaustive(problem: ScheduleProblem) -> float:
    """The shortest makespan: every order of the tasks, each as early as it can, on one core or all of either kind."""
    number = {task.name: index for index, task in enumerate(problem.tasks)}
    best = float("inf")

    def place(done: dict[int, float], free: dict[Kind, tuple[float, ...]]) -> None:
        nonlocal best
        makespan = max(done.values(), default=0)
        if makespan >= best:
            return
        if len(done) == len(problem.tasks):
            best = makespan
            return
        for index, task in enumerate(problem.tasks):
            if index in done or any(number[need] not in done for need in task.needs):
                continue
            ready = max((done[number[need]] for need in task.needs), default=0)
            for second in (False, True) if task.second else (False,):
                kind = Kind.SECOND if second else task.kind
                cores, there = free[kind], task.second if second else task
                for spread in (False, True) if task.kind in {Kind.TENSOR, Kind.VECTOR} else (False,):
                    seconds = there.all if spread else there.one
                    if not cores or not seconds:
                        place({**done, index: ready + seconds}, free)
                        continue
                    finish = max(ready, cores[-1] if spread else cores[0]) + seconds
                    after = (finish,) * len(cores) if spread else tuple(sorted((*cores[1:], finish)))
                    place({**done, index: finish}, {**free, kind: after})

    place({}, {kind: (0,) * problem.cores(kind) for kind in Kind})
    return best
