"""Random problems, and the slow, obvious search that the others must agree with."""

import random

from intarsia.schedule import Kind, ScheduleProblem, Task


def small(seed: int, *, least: int = 0) -> ScheduleProblem:
    """Up to six tasks of all kinds with whole durations; ``least`` is the shortest."""
    draw = random.Random(seed)
    cores = draw.randint(1, 3), draw.randint(1, 3)
    density = draw.choice((0.1, 0.3, 0.5))
    tasks = []
    for index in range(draw.randint(1, 6)):
        kind = draw.choices(list(Kind), (5, 4, 2, 1))[0]
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


def exhaustive(problem: ScheduleProblem) -> float:
    """The shortest makespan: every order of the tasks, every task on one core or on all, each as early as it can."""
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
            cores = free[task.kind]
            for spread in (False, True) if task.kind in {Kind.TENSOR, Kind.VECTOR} else (False,):
                seconds = task.all if spread else task.one
                if not cores or not seconds:
                    place({**done, index: ready + seconds}, free)
                    continue
                finish = max(ready, cores[-1] if spread else cores[0]) + seconds
                after = (finish,) * len(cores) if spread else tuple(sorted((*cores[1:], finish)))
                place({**done, index: finish}, {**free, task.kind: after})

    place({}, {kind: (0,) * problem.cores(kind) for kind in Kind})
    return best
