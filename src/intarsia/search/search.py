"""Branch and bound over a space of chips and clusters, and the certificate that it ends with.

A chip is removed when its bound is beyond the *limit* of what it costs: the lowest score that is known of one that
costs no more. Where cost does not count that is the best score, and the search ends with the best chip
(``in_order.py``); else with the front (``rounds.py``).
"""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np

from intarsia.search.candidates import Candidate
from intarsia.search.certificate import Searched
from intarsia.search.first import begin
from intarsia.search.groups import Group, groups_of
from intarsia.search.in_order import in_order
from intarsia.search.objective import Per
from intarsia.search.question import Question
from intarsia.search.rounds import in_rounds
from intarsia.search.shares import Own, Shares
from intarsia.search.state import Hands, Keep, Remember, State, Told
from intarsia.search.workers import Crew, Here


def search(
    question: Question,
    *,
    crew: Crew | None = None,
    shares: Shares | None = None,
    told: Told = lambda _: None,
    remember: Remember | None = None,
    keep: Keep = lambda _candidate, _found: None,
) -> Searched:
    """The chip of the least score, and the front; of chips with the least score the smallest.

    Args:
        question: what is asked.
        crew: who evaluates; this process for None.
        shares: who bounds; this process for None.
        told: is told how far it is.
        remember: what an earlier run has found of a chip, for each training.
        keep: is given what was found.
    """
    nothing = (None,) * len(question.trainings)
    hands = Hands(
        crew or Here(question), shares or Shares([Own(question)]), told, remember or (lambda _: nothing), keep
    )
    state = State(question, hands)
    groups = groups_of(state.candidates)
    if len(groups) > len(question.clusters):
        _relax(state)
    begun = len(groups) > 1
    if begun:
        groups = _promising(state, groups)
    look = in_order if question.objective.front is Per.CHIP else in_rounds
    for group in groups:
        rows = group.rows[state.wanted(group.rows)]
        if not len(rows):
            continue
        state.enter(Group(group.size, rows))
        if not begun or state.upper.least == inf:
            begin(state, rows)
            begun = True
        look(state, rows)
    return state.answer()


def _relax(state: State) -> None:
    """Bound all chips as if each had the memory and the links of the best, and leave out what is beyond those."""
    for size in range(len(state.candidates.devices)):
        rows = np.flatnonzero(state.candidates.size == size)
        if not len(rows):
            continue
        points = state.candidates.points.rows(state.candidates.chip[rows])
        best = replace(
            points.point(int(np.argmax(points.hbm_bandwidth))),
            link_bandwidth=float(points.link_bandwidth.max()),
            **({} if points.stacks.any() else {"hbm_gib": int(points.hbm_gib.max())}),
        )
        state.ladders(Candidate(best, state.candidates.devices[size]))
        begin(state, rows)
        seconds = state.climb(rows, far=False)
        order = np.argsort(state.bounds[rows], kind="stable")
        state.live[size] = state.bounded(rows, seconds, order[state.wanted(rows[order])]).variants
        state.note()


def _promising(state: State, groups: list[Group]) -> list[Group]:
    """The groups in the order of the best of a few chips of each that look good."""
    reached = []
    for group in groups:
        rows = group.rows[state.wanted(group.rows)]
        if len(rows):
            state.enter(Group(group.size, rows))
        reached.append(begin(state, rows) if len(rows) else inf)
    return [groups[at] for at in np.argsort(reached, kind="stable").tolist()]
