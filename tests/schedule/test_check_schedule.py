"""The check accepts what is right and names what is wrong."""

from dataclasses import replace

import pytest

from intarsia.ground import InputError
from intarsia.schedule import Kind, Schedule, ScheduleProblem, Slot, Task, check

PROBLEM = ScheduleProblem(
    (
        Task("a", Kind.TENSOR, 4.0, 2.5),
        Task("b", Kind.TENSOR, 3.0, 2.0),
        Task("n", Kind.NETWORK, 1.0, 1.0, ("b",)),
        Task("f", Kind.FREE, 0.0, 0.0, ("n",)),
        Task("c", Kind.TENSOR, 4.0, 2.0, ("a", "f")),
    ),
    tensor_cores=2,
    vector_cores=1,
)
GOOD = Schedule(
    (
        Slot("a", (0,), 0.0, 4.0, False),
        Slot("b", (1,), 0.0, 3.0, False),
        Slot("n", (0,), 3.0, 4.0, False),
        Slot("f", (), 4.0, 4.0, False),
        Slot("c", (0, 1), 4.0, 6.0, True),
    ),
    6.0,
    5.5,
)


def changed(index: int, **fields: object) -> Schedule:
    slots = list(GOOD.slots)
    slots[index] = replace(slots[index], **fields)
    return replace(GOOD, slots=tuple(slots))


def test_a_right_schedule():
    assert check(PROBLEM, GOOD) == ()


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        (replace(GOOD, slots=GOOD.slots[:-1]), "the slots are not those of the tasks, once each and in their order"),
        (changed(2, start=2.0, finish=3.0), "n starts at 2.0, before b finishes at 3.0"),
        (changed(1, cores=(0,)), "b and a are on tensor core 0 at once"),
        (changed(4, cores=(0,)), "c is spread over cores (0,), not over all 2"),
        (changed(4, cores=(0, 1), spread=False), "c takes cores (0, 1), not one of 2"),
        (changed(0, cores=(2,)), "a takes cores (2,), not one of 2"),
        (changed(0, finish=3.0), "a takes 3.0 s, its duration is 4.0 s"),
        (changed(0, start=-1.0, finish=3.0), "a starts at -1.0, before time 0"),
        (changed(2, spread=True), "n is spread, which a network task cannot be"),
        (changed(3, cores=(0,)), "f is free but takes cores (0,)"),
        (replace(GOOD, makespan=5.9), "the makespan is 5.9, the last task finishes at 6.0"),
        (replace(GOOD, bound=6.1), "the bound 6.1 is not between 0 and the makespan 6.0"),
        (replace(GOOD, bound=float("nan")), "the bound nan is not between 0 and the makespan 6.0"),
        (changed(0, start=float("nan")), "a starts at nan, before time 0"),
    ],
)
def test_what_is_wrong_is_named(schedule, text):
    assert text in check(PROBLEM, schedule)


@pytest.mark.parametrize(
    ("tasks", "cores", "text"),
    [
        ((Task("a", Kind.TENSOR, -1.0, 1.0),), 1, "task 'a': the duration 'one' is no time: -1.0; allowed: 0 or more"),
        ((Task("a", Kind.TENSOR, 1.0, float("inf")),), 1, "task 'a': the duration 'all' is no time: inf"),
        ((Task("a", Kind.TENSOR, 1.0, 1.0),) * 2, 1, "task 'a': two tasks have the same name"),
        ((Task("a", Kind.TENSOR, 1.0, 1.0, ("b",)),), 1, "task 'a': a need is not an earlier task: 'b'"),
        ((Task("a", Kind.TENSOR, 1.0, 1.0),), 0, "task 'a': a chip without tensor cores cannot run it: 0"),
    ],
)
def test_bad_problems_are_refused(tasks, cores, text):
    with pytest.raises(InputError) as error:
        ScheduleProblem(tasks, cores, 1)
    assert text in str(error.value)


def test_texts():
    assert str(GOOD).splitlines()[0] == "makespan 6 s, bound 5.5 s, gap 8.33 %"
    assert "  c: tensor 4 s, spread 2 s after a, f" in str(PROBLEM).splitlines()


def test_a_duration_that_is_not_used_does_not_loosen_the_check():
    slow = ScheduleProblem(
        (Task("a", Kind.TENSOR, 1e12, 1.0), Task("b", Kind.TENSOR, 1e12, 1.0, ("a",))), tensor_cores=2, vector_cores=1
    )
    both = (Slot("a", (0, 1), 0.0, 1.0, True), Slot("b", (0, 1), 0.5, 1.5, True))
    found = check(slow, Schedule(both, 1.5, 1.5))
    assert found == (
        "b starts at 0.5, before a finishes at 1.0",
        "a and b are on tensor core 0 at once",
        "a and b are on tensor core 1 at once",
    )
