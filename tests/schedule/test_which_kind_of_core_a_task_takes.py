"""Where tasks choose between two kinds of tensor cores: agreement with an exhaustive search, and true bounds."""

from dataclasses import replace

import pytest
from problems import exhaustive, layered, mixed, small

from intarsia.ground import InputError
from intarsia.schedule import (
    Durations,
    Kind,
    Schedule,
    ScheduleProblem,
    Slot,
    Task,
    bound,
    check,
    list_schedule,
    solve,
    solve_cpsat,
    solve_milp,
)
from intarsia.schedule.mixed import bound_mixed, list_mixed, solve_mixed_cpsat
from intarsia.solvers import Found, Limits, OutOfTime

LIMITS = Limits(seconds=60)
CLOSE = 1e-9


@pytest.mark.parametrize("block", range(4))
def test_bounds_and_list_schedules_and_exhaustive_search(block):
    tight = 0
    for seed in range(100 * block, 100 * block + 100):
        problem = mixed(small(seed), seed)
        best = exhaustive(problem)
        made = list_schedule(problem)
        assert check(problem, made) == (), seed
        assert bound(problem) <= best + CLOSE <= made.makespan + 2 * CLOSE, seed
        tight += bound(problem) >= best - CLOSE
    assert tight > 40


@pytest.mark.parametrize("block", range(4))
def test_cpsat_and_the_published_formulation_and_exhaustive_search(block):
    for seed in range(2000 + 12 * block, 2012 + 12 * block):
        problem = mixed(small(seed, least=1), seed, least=1)
        best = exhaustive(problem)
        for method in (solve, solve_mixed_cpsat, solve_milp):
            outcome = method(problem, LIMITS)
            assert isinstance(outcome, Found)
            assert check(problem, outcome.value) == ()
            assert outcome.value.makespan == pytest.approx(best, rel=1e-5), (seed, method)
            assert outcome.value.bound == pytest.approx(best, rel=1e-5), (seed, method)


@pytest.mark.parametrize("seed", range(5))
def test_the_general_model_and_the_one_for_one_kind_each(seed):
    """On problems without a choice; the one for one kind each is what ``solve`` takes for them."""
    problem = layered(seed, 9, (2, 2))
    assert bound_mixed(problem) == pytest.approx(bound(problem), rel=1e-9)
    made = list_mixed(problem)
    assert check(problem, made) == ()
    assert made.makespan <= list_schedule(problem).makespan
    general, special = solve_mixed_cpsat(problem, LIMITS), solve_cpsat(problem, LIMITS)
    assert isinstance(general, Found)
    assert isinstance(special, Found)
    assert general.value.makespan == pytest.approx(special.value.makespan, rel=1e-5)
    assert general.value.bound == pytest.approx(special.value.bound, rel=1e-5)
    assert solve(problem, LIMITS).value.makespan == pytest.approx(general.value.makespan, rel=1e-5)


def test_a_second_kind_makes_no_list_schedule_longer():
    shorter = 0
    for seed in range(60):
        with_both = mixed(layered(seed, 20, (2, 2)), seed)
        alone = replace(with_both, tasks=tuple(replace(task, second=None) for task in with_both.tasks))
        assert list_schedule(with_both).makespan <= list_schedule(alone).makespan
        shorter += list_schedule(with_both).makespan < 0.9 * list_schedule(alone).makespan
    assert shorter > 10


def test_two_equal_kinds_are_one_kind_where_nothing_is_spread():
    """Two cores of each kind, or four of one."""
    for seed in range(10):
        drawn = layered(seed, 7, (4, 2)).tasks
        single = tuple(replace(task, all=task.one) if task.kind is Kind.TENSOR else task for task in drawn)
        double = tuple(
            replace(task, second=Durations(task.one, task.one)) if task.kind is Kind.TENSOR else task for task in single
        )
        one = solve(ScheduleProblem(single, 4, 2), LIMITS).value
        two = solve(ScheduleProblem(double, 2, 2, 2), LIMITS).value
        assert two.makespan == pytest.approx(one.makespan, rel=1e-5), seed
        assert bound(ScheduleProblem(double, 2, 2, 2)) <= one.makespan * (1 + CLOSE)


def test_work_that_is_divided_between_the_kinds_is_bounded():
    """Twelve tasks of 1 s on any of 1 + 2 cores: no path is longer than 1 s, the work is 4 s of all cores."""
    tasks = tuple(Task(f"t{i}", Kind.TENSOR, 1.0, 1.0, (), Durations(1.0, 1.0)) for i in range(12))
    assert bound(ScheduleProblem(tasks, 1, 1, 2)) == pytest.approx(4.0, rel=1e-3)
    assert list_schedule(ScheduleProblem(tasks, 1, 1, 2)).makespan == 4.0


def test_out_of_time_has_a_schedule_and_a_bound():
    problem = mixed(layered(0, 60, (2, 2)), 0)
    outcome = solve(problem, Limits(seconds=0))
    assert isinstance(outcome, OutOfTime)
    assert check(problem, outcome.best) == ()
    assert 0 < outcome.best.bound < outcome.best.makespan


BOTH = ScheduleProblem(
    (
        Task("a", Kind.TENSOR, 4.0, 2.5, (), Durations(3.0, 2.0)),
        Task("b", Kind.TENSOR, 4.0, 2.5),
        Task("v", Kind.VECTOR, 1.0, 1.0, ("a",)),
    ),
    tensor_cores=2,
    vector_cores=1,
    second_cores=3,
)
GOOD = Schedule(
    (
        Slot("a", (0, 1, 2), 0.0, 2.0, True, True),
        Slot("b", (0, 1), 0.0, 2.5, True),
        Slot("v", (0,), 2.0, 3.0, False),
    ),
    3.0,
    3.0,
)


def test_the_check_accepts_a_right_schedule():
    assert check(BOTH, GOOD) == ()
    assert "second core all" in str(GOOD)
    assert "a: tensor 4 s, spread 2.5 s; second 3 s, spread 2 s" in str(BOTH)


@pytest.mark.parametrize(
    ("index", "fields", "text"),
    [
        (0, {"second": False}, "a takes 2.0 s, its duration is 2.5 s"),
        (0, {"cores": (0, 1)}, "a is spread over cores (0, 1), not over all 3"),
        (0, {"cores": (3,), "spread": False, "finish": 3.0}, "a takes cores (3,), not one of 3"),
        (1, {"second": True}, "b is on the second kind of tensor cores, where it cannot be"),
        (2, {"second": True}, "v is on the second kind of tensor cores, where it cannot be"),
    ],
)
def test_the_check_names_what_is_wrong(index, fields, text):
    slots = list(GOOD.slots)
    slots[index] = replace(slots[index], **fields)
    assert text in check(BOTH, replace(GOOD, slots=tuple(slots)))


def test_the_check_sees_two_tasks_on_a_core_of_the_second_kind():
    tasks = tuple(Task(name, Kind.TENSOR, 2.0, 2.0, (), Durations(2.0, 2.0)) for name in "ab")
    problem = ScheduleProblem(tasks, 1, 1, 1)
    slots = tuple(Slot(name, (0,), 0.0, 2.0, False, name == "b") for name in "ab")
    assert check(problem, Schedule(slots, 2.0, 2.0)) == ()
    both = tuple(replace(slot, second=True) for slot in slots)
    assert "a and b are on second tensor core 0 at once" in check(problem, Schedule(both, 2.0, 2.0))


@pytest.mark.parametrize(
    ("task", "second", "text"),
    [
        (Task("a", Kind.VECTOR, 1.0, 1.0, (), Durations(1.0, 1.0)), 1, "only a tensor task may choose the second kind"),
        (Task("a", Kind.SECOND, 1.0, 1.0), 1, "only a tensor task may choose the second kind"),
        (Task("a", Kind.TENSOR, 1.0, 1.0, (), Durations(1.0, 1.0)), 0, "the chip has no second kind of tensor cores"),
        (Task("a", Kind.TENSOR, 1.0, 1.0, (), Durations(-1.0, 1.0)), 1, "the duration 'second.one' is no time: -1.0"),
    ],
)
def test_bad_problems_are_refused(task, second, text):
    with pytest.raises(InputError) as error:
        ScheduleProblem((task,), 1, 1, second)
    assert text in str(error.value)
