"""Many questions answered by several processes, each answer kept at once, so that an interrupted run continues.

Questions and answers are JSON values. What goes in is the list of questions and a function; what comes out is the list
of answers in the same order, whoever computed them and whenever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

from intarsia.ground.processes import cores, end_with, pool
from intarsia.ground.store import Json, Store

Told: TypeAlias = Callable[[int, int], None]
"""Is told how many answers there are, and of how many."""


def answer_all(
    questions: Sequence[Json],
    answer: Callable[[Json], Json],
    *,
    store: Store,
    workers: int = 0,
    fresh: bool = False,
    told: Told | None = None,
    names: Sequence[str] = (),
    first: Callable[[], None] | None = None,
) -> list[Json]:
    """The answers to all questions.

    Args:
        questions: what is asked; equal questions are asked once.
        answer: a function of a module (it is sent to other processes); None is no answer.
        store: where answers are found and kept.
        workers: processes; 0 for one to each core, 1 to stay in this process.
        fresh: ask again what has been answered.
        told: called when an answer is there, with how many there are and of how many.
        names: of the questions, for messages; their numbers if empty.
        first: called before anything is asked, if something is: what would otherwise be done in each process.

    Raises:
        InputError: one question's process is killed again and again; the answers before it are kept.
        Exception: what ``answer`` raised; the answers before it are kept.
    """
    found = [None if fresh else store.get(q) for q in questions]
    left = [i for i, one in enumerate(found) if one is None and questions[i] not in questions[:i]]
    done = len(questions) - sum(one is None for one in found)

    def keep(index: int, one: Json) -> None:
        nonlocal done
        store.put(questions[index], one)
        for i, question in enumerate(questions):
            if found[i] is None and question == questions[index]:
                found[i] = one
                done += 1
        if told is not None:
            told(done, len(questions))

    if left and first is not None:
        first()
    if told is not None:
        told(done, len(questions))
    if workers == 1 or len(left) <= 1:
        for index in left:
            keep(index, answer(questions[index]))
        return found

    def named(job: tuple[int, Json]) -> str:
        return names[job[0]] if names else f"question {job[0] + 1} of {len(questions)}"

    jobs = [(index, questions[index]) for index in left]
    with pool(min(workers or cores(), len(left)), end_with) as several:
        for (index, _), one in several.each(partial(_answer, answer), jobs, named):
            keep(index, one)
    return found


def _answer(answer: Callable[[Json], Json], job: tuple[int, Json]) -> Json:
    return answer(job[1])
