"""Stronger tails: what must follow a task is at least a schedule of all tasks after it, as if they had the cores alone.

Such a schedule is itself bounded by a narrow sweep, from the last task to the first, so that each has the tails of the
later ones to go by. Where few tasks run beside each other these tails leave little to search.
"""

from __future__ import annotations

from intarsia.schedule.bound import heads_of
from intarsia.schedule.facts import NEEDS, RANK, SHORTEST, TAIL, Facts, by_falling, restricted
from intarsia.schedule.sweep import sweep
from intarsia.schedule.ticks import Ticked, members


def with_tails(ticked: Ticked, facts: Facts, limit: int, width: int, end: float) -> tuple[Facts, int]:
    """The facts with stronger tails, true for schedules below the limit, and how many states that took.

    Args:
        ticked: the problem.
        facts: the same as arrays.
        limit: schedules of so many ticks or more do not count.
        width: states of a level that each sweep keeps.
        end: when to give up, in seconds of ``perf_counter``; the tails are true then, too.
    """
    table, heads, states = facts.tasks.copy(), heads_of(ticked), 0
    longer = facts._replace(tasks=table)
    for task in reversed(range(len(heads))):
        after = members(ticked.after[task])
        most = limit - heads[task] - int(table[SHORTEST, task])
        if len(after) > 1 and table[TAIL, task] < most:
            found = sweep(restricted(longer, after), int(table[TAIL, task]), most, width, end)
            table[TAIL, task] = found.low
            states += found.states
        for need in facts.needs[slice(*table[NEEDS, task : task + 2])]:
            table[TAIL, need] = max(table[TAIL, need], table[SHORTEST, task] + table[TAIL, task])
    table[RANK, :-1] = by_falling(table[TAIL, :-1])
    return longer, states
