"""All ways to a schedule agree with the exhaustive search and with each other, and their bounds are bounds."""

from dataclasses import replace

import pytest
from problems import exhaustive, layered, small

from intarsia.schedule import Kind, ScheduleProblem, Task, bound, check, list_schedule, solve, solve_cpsat, solve_milp
from intarsia.schedule.place import place
from intarsia.schedule.states import search_states
from intarsia.solvers import Found, Limits, OutOfTime

LIMITS = Limits(seconds=60)


@pytest.mark.parametrize("block", range(4))
def test_sets_of_tasks_and_exhaustive_search(block):
    for seed in range(75 * block, 75 * block + 75):
        problem = small(seed)
        best = exhaustive(problem)
        start = list_schedule(problem)
        assert check(problem, start) == ()
        assert bound(problem) <= best + 1e-9 <= start.makespan + 2e-9, seed
        found = search_states(problem, start, 60)
        schedule = replace(found.best, bound=found.bound)
        assert check(problem, schedule) == ()
        assert schedule.makespan == pytest.approx(best, abs=1e-9), seed
        assert schedule.optimal, seed


@pytest.mark.parametrize("block", range(4))
def test_cpsat_and_the_published_formulation_and_exhaustive_search(block):
    for seed in range(1000 + 25 * block, 1025 + 25 * block):
        problem = small(seed, least=1)
        best = exhaustive(problem)
        for method in (solve_cpsat, solve_milp):
            outcome = method(problem, LIMITS)
            assert isinstance(outcome, Found)
            assert check(problem, outcome.value) == ()
            assert outcome.value.makespan == pytest.approx(best, rel=1e-5), (seed, method)
            assert outcome.value.bound == pytest.approx(best, rel=1e-5), (seed, method)


@pytest.mark.parametrize(
    ("seed", "size", "cores"), [(40, 12, (8, 2)), (1, 10, (8, 2)), (2, 10, (2, 2)), (3, 11, (3, 1))]
)
def test_sets_of_tasks_and_cpsat_on_layers(seed, size, cores):
    """The first: a core that is busy for long does not lengthen the work of the others (a bound that once did)."""
    problem = layered(seed, size, cores)
    found = search_states(problem, list_schedule(problem), 60)
    outcome = solve_cpsat(problem, LIMITS)
    assert isinstance(outcome, Found)
    assert found.best.makespan == pytest.approx(outcome.value.makespan, rel=1e-5)
    assert found.bound == pytest.approx(outcome.value.bound, rel=1e-5)


@pytest.mark.parametrize("cores", [(1, 1), (2, 2), (8, 8)])
def test_sixty_operators_are_proved(cores):
    problem = layered(1, 60, cores)
    outcome = solve(problem, LIMITS)
    assert isinstance(outcome, Found)
    assert check(problem, outcome.value) == ()
    assert outcome.value.gap < 1e-6


def test_more_tasks_than_bits_of_a_word():
    problem = layered(2, 90, (8, 8))
    outcome = solve(problem, replace(LIMITS, seconds=3))
    schedule = outcome.best if isinstance(outcome, OutOfTime) else outcome.value
    assert check(problem, schedule) == ()
    assert 0 < schedule.gap < 0.3


def test_out_of_time_has_a_schedule_and_a_bound():
    problem = layered(0, 60, (2, 2))
    outcome = solve(problem, Limits(seconds=0))
    assert isinstance(outcome, OutOfTime)
    assert check(problem, outcome.best) == ()
    assert 0 < outcome.best.bound < outcome.best.makespan
    assert outcome.bound == (int(outcome.best.bound * 1e12),)


def test_the_same_answer_twice():
    problem = layered(3, 30, (2, 2))
    assert solve(problem, LIMITS).value == solve(problem, LIMITS).value


def test_no_tasks():
    outcome = solve(ScheduleProblem((), 1, 1), LIMITS)
    assert isinstance(outcome, Found)
    assert (outcome.value.slots, outcome.value.makespan, outcome.value.bound) == ((), 0.0, 0.0)


def test_a_task_without_duration_waits_for_no_core():
    """The long tensor task must go first, and the empty one start beside it (a bound let it wait, once)."""
    tensor, vector = Kind.TENSOR, Kind.VECTOR
    tasks = (
        Task("short", tensor, 4, 4),
        Task("long", tensor, 9, 9),
        Task("before", vector, 5, 5),
        Task("empty", tensor, 0, 0, ("before",)),
        Task("message", Kind.NETWORK, 20, 20, ("empty",)),
        Task("after", vector, 15, 15, ("long",)),
    )
    problem = ScheduleProblem(tasks, 1, 1)
    found = search_states(problem, place(problem, range(6), [False] * 6), 60)
    assert exhaustive(problem) == found.best.makespan == 25
    assert found.bound == pytest.approx(25)


@pytest.mark.parametrize("cores", [64, 1024])
def test_many_cores_do_not_make_ticks_too_coarse_for_a_proof(cores):
    """Six tasks that all cores share, and three small ones that run beside each other."""
    wide = tuple(Task(f"wide{i}", Kind.TENSOR, 0.7 * cores, 1.0) for i in range(6))
    small = tuple(Task(f"small{i}", Kind.TENSOR, 0.3, 0.2) for i in range(3))
    problem = ScheduleProblem((*small, *wide, Task("v", Kind.VECTOR, 0.1, 0.1, ("small0", "wide1"))), cores, 1)
    outcome = solve(problem, Limits(seconds=10))
    assert isinstance(outcome, Found)
    assert check(problem, outcome.value) == ()


@pytest.mark.parametrize("spread", [0.0, 1e-12])
def test_durations_of_all_sizes(spread):
    tasks = (
        Task("a", Kind.TENSOR, 1e12, spread),
        Task("b", Kind.TENSOR, 3.0, spread),
        Task("c", Kind.TENSOR, 0.0, 1.0),
    )
    problem = ScheduleProblem(tasks, 2, 1)
    for method in (solve, solve_cpsat):
        outcome = method(problem, Limits(seconds=10))
        assert isinstance(outcome, Found)
        assert outcome.value.makespan == pytest.approx(2 * spread, abs=1e-15)
