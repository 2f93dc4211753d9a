"""Each bound of the search through sets of tasks is one: nothing that an exhaustive search finds is below it."""

import random
from itertools import permutations, product
from time import perf_counter

import numpy as np
import pytest
from problems import exhaustive, layered, small

from intarsia.schedule import Kind, ScheduleProblem, Task, list_schedule
from intarsia.schedule.bound import tails_of
from intarsia.schedule.bound_kernel import ROWS
from intarsia.schedule.facts import TAIL, WORK, facts_of
from intarsia.schedule.partition_kernel import may_fit
from intarsia.schedule.preemptive_kernel import core_ticks, preemptive, tick_of
from intarsia.schedule.states import search_states
from intarsia.schedule.states_kernel import expand
from intarsia.schedule.sweep import sweep
from intarsia.schedule.tails import with_tails
from intarsia.schedule.ticks import in_ticks, members

BITS = 20
FAR = 1 << 40


def forever() -> float:
    return perf_counter() + 60


def lone(seed: int, cores: int, *, most: int = 5, least: int = 1):
    """Independent tasks of one kind in ticks, with releases, tails, and cores that are busy at first."""
    draw = random.Random(seed)
    count = draw.randint(1, most)
    durations = [(draw.randint(least, 30), draw.randint(least, 25)) for _ in range(count)]
    tasks = tuple(Task(f"t{i}", Kind.TENSOR, *own) for i, own in enumerate(durations))
    ticked = in_ticks(ScheduleProblem(tasks, cores, 1), BITS)
    scale = round(1 / ticked.tick)
    facts = facts_of(ticked, [draw.randint(0, 30) * scale for _ in range(count)])
    free = sorted(draw.randint(0, 20) * scale for _ in range(cores))
    releases = [draw.randint(0, 40) * scale for _ in range(count)]
    return ticked, facts, free, releases


def shortest(ticked, facts, free, releases) -> int:
    """The least, over all orders and choices, of the last finish with its tail."""
    best = FAR
    count = len(releases)
    for order, modes in product(permutations(range(count)), product(*ticked.modes)):
        cores, end = list(free), 0
        for task in order:
            cores.sort()
            length = ticked.ticks(task, spread=modes[task])
            used = len(cores) if modes[task] else 1
            finish = max(releases[task], cores[used - 1] if length else 0) + length
            cores[:used] = [finish] * used if length else cores[:used]
            end = max(end, finish + int(facts.tasks[TAIL, task]))
        best = min(best, end)
    return best


def kernel_inputs(facts, free, releases):
    """Times of a state with no other kind's cores in front, all tasks left, and scratch space with their work."""
    count = len(releases)
    times = np.zeros(int(facts.first[-1]) + count, dtype=np.int64)
    times[: len(free)] = free
    times[facts.first[-1] :] = releases
    scratch = np.zeros((ROWS, count + 1), dtype=np.int64)
    scratch[1, :count] = facts.tasks[WORK, :-1]
    return np.arange(count), times, scratch


@pytest.mark.parametrize("cores", [1, 2, 3])
def test_the_preemptive_relaxation(cores):
    tight = 0
    for seed in range(200):
        ticked, facts, free, releases = lone(seed, cores, most=4, least=0)
        best = shortest(ticked, facts, free, releases)
        left, times, scratch = kernel_inputs(facts, free, releases)
        low = preemptive(facts.tasks, facts.first, 0, left, len(left), -1, 0, FAR, times, scratch)
        assert low <= best, seed
        tight += low == best
    assert tight > 20


def test_core_ticks_and_back():
    for seed in range(300):
        draw = random.Random(seed)
        times = np.array([0, *sorted(draw.randint(0, 30) for _ in range(draw.randint(1, 5)))])
        work = draw.randint(1, 60)
        tick = tick_of(times, 1, len(times), work)
        assert core_ticks(times, 1, len(times), tick) >= work > core_ticks(times, 1, len(times), tick - 1)


def test_what_does_not_fit_on_two_cores():
    refused = 0
    for seed in range(300):
        ticked, facts, free, releases = lone(seed, 2, least=0)
        best = shortest(ticked, facts, free, releases)
        left, times, scratch = kernel_inputs(facts, free, releases)
        assert may_fit(facts.tasks, facts.first, 0, left, len(left), -1, best + 1, times, scratch), seed
        early = [0] * len(releases)
        facts.tasks[TAIL] = 0
        limit = shortest(ticked, facts, free, early)
        left, times, scratch = kernel_inputs(facts, free, early)
        if max(free) < limit and all(ticked.shortest(task) for task in left):
            assert not may_fit(facts.tasks, facts.first, 0, left, len(left), -1, limit, times, scratch), seed
            refused += 1
        left, times, scratch = kernel_inputs(facts, free, early)
        assert may_fit(facts.tasks, facts.first, 0, left, len(left), -1, limit + 1, times, scratch), seed
    assert refused > 100


def test_a_task_that_is_too_long_for_one_core_is_spread():
    """3 and 3 fit beside each other before 4, but not where a long tail forces one of them to be spread."""
    tasks = (Task("a", Kind.TENSOR, 3, 2), Task("b", Kind.TENSOR, 3, 2))
    ticked = in_ticks(ScheduleProblem(tasks, 2, 1), BITS)
    second = round(1 / ticked.tick)
    facts = facts_of(ticked, [0, 0])
    left, times, scratch = kernel_inputs(facts, [0, 0], [0, 0])
    assert may_fit(facts.tasks, facts.first, 0, left, 2, -1, 4 * second, times, scratch)
    facts.tasks[TAIL, 0] = second
    left, times, scratch = kernel_inputs(facts, [0, 0], [0, 0])
    assert not may_fit(facts.tasks, facts.first, 0, left, 2, -1, 4 * second, times, scratch)


@pytest.mark.parametrize("block", range(4))
def test_narrow_sweeps_below_any_limit(block):
    """The bound of a sweep that leaves states out, and of one that looks for less than the optimum, is a bound."""
    for seed in range(75 * block, 75 * block + 75):
        problem = small(seed)
        ticked = in_ticks(problem, BITS)
        best = round(exhaustive(problem) / ticked.tick)
        facts = facts_of(ticked, tails_of(ticked))
        for width, limit in product((1, 2, 5), (best // 2, best, best + 1, 2 * best + 1)):
            found = sweep(facts, 0, limit, width, forever())
            assert found.low <= min(best, limit), (seed, width, limit)
            assert not found.order or limit > best


@pytest.mark.parametrize("block", range(4))
def test_stronger_tails(block):
    """They are not above what the tasks after each need alone, and not below what they were."""
    raised = 0
    for seed in range(75 * block, 75 * block + 75):
        problem = small(seed) if seed % 2 else layered(seed, 7, (2, 2))
        ticked = in_ticks(problem, BITS)
        limit = round(exhaustive(problem) / ticked.tick) + random.Random(seed).choice((0, 1, 1 << BITS - 3))
        before = facts_of(ticked, tails_of(ticked))
        after, _ = with_tails(ticked, before, limit, random.Random(seed).choice((1, 10)), forever())
        for task in range(len(problem.tasks)):
            later = {problem.tasks[i].name for i in members(ticked.after[task])}
            tail = int(after.tasks[TAIL, task])
            assert tail * ticked.tick <= exhaustive(part(problem, later)) + 1e-9, (seed, task)
            assert tail >= before.tasks[TAIL, task]
            raised += tail > before.tasks[TAIL, task]
    assert raised > 0


def part(problem: ScheduleProblem, names: set[str]) -> ScheduleProblem:
    """Some of the tasks, as if the others were nothing."""
    tasks = tuple(
        Task(task.name, task.kind, task.one, task.all, tuple(need for need in task.needs if need in names))
        for task in problem.tasks
        if task.name in names
    )
    return ScheduleProblem(tasks, problem.tensor_cores, problem.vector_cores)


def test_stronger_tails_out_of_time():
    problem = layered(5, 30, (2, 2))
    ticked = in_ticks(problem, BITS)
    before = facts_of(ticked, tails_of(ticked))
    after, states = with_tails(ticked, before, FAR, 10, perf_counter())
    assert states == 0
    assert (after.tasks[TAIL] >= before.tasks[TAIL]).all()


def test_the_search_is_compiled_once():
    """Arrays in another order would be compiled anew, for seconds."""
    problem = layered(0, 40, (2, 2))
    search_states(problem, list_schedule(problem), 60)
    assert len(expand.signatures) == 1
