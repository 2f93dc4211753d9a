"""The answer of a search, made from what evaluations said: the best chip, the front, and the certificate."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

import numpy as np
from numpy.typing import NDArray

from intarsia.place.plan import EQUAL
from intarsia.search.candidates import Candidates
from intarsia.search.certificate import Certificate, Looked, Searched, Step
from intarsia.search.evaluate import Job, turns
from intarsia.search.known import Known
from intarsia.search.objective import Objective, Per
from intarsia.search.question import Question

Floats = NDArray[np.float64]


def looked_of(objective: Objective, weight: float, job: Job, known: tuple[Known, ...]) -> Looked:
    """What a job's answer says of its chip; the answer may be that of a job with a higher limit.

    Args:
        objective: of the search.
        weight: what the chip's cluster costs, as the objective counts it.
        job: the chip, and how much was wanted of it.
        known: the answer, of each training.
    """
    seconds, floors = [inf] * len(known), list(job.bounds)

    def answer(at: int, cutoff: float) -> float:
        own = known[at]
        floors[at] = max(floors[at], own.floor(min(cutoff, own.cutoff), job.listed[at], job.rests[at]))
        if own.seconds <= cutoff:
            seconds[at] = own.seconds
        return seconds[at]

    turns(objective, job, answer)
    score, floor = (weight * float(objective.together(np.array(one))) for one in (seconds, floors))
    return Looked(job.row, job.point, job.devices, tuple(seconds), tuple(floors), score, floor)


def answer_of(question: Question, candidates: Candidates, bounds: Floats, found: Mapping[int, Looked]) -> Searched:
    """The answer, without its history.

    Args:
        question: what was asked.
        candidates: what was chosen from.
        bounds: what the score of each is not below, [candidates]; where that is beyond the limit, any that is.
        found: those that were looked at, by row.
    """
    front = _front(question, candidates, bounds, found)
    best = front[-1].looked if front else None
    looked = np.zeros(len(candidates), dtype=np.bool_)
    looked[list(found)] = True
    whole = sum(one.whole for one in found.values())
    certificate = Certificate(
        points=len(candidates),
        bounded=int((~looked).sum()),
        cut=len(found) - whole,
        evaluated=whole,
        bound=front[-1].bound if front else inf,
        sizes=tuple((devices, int((candidates.size == at).sum())) for at, devices in enumerate(candidates.devices)),
    )
    return Searched(
        row=best.row if best else -1,
        point=best.point if best else None,
        devices=best.devices if best else 0,
        seconds=best.seconds if best else (inf,) * len(question.trainings),
        score=best.score if best else inf,
        certificate=certificate,
        wall=0.0,
        removed=np.flatnonzero(~looked),
        looked=tuple(found.values()),
        history=(),
        front=front,
    )


def _front(question: Question, candidates: Candidates, bounds: Floats, found: Mapping[int, Looked]) -> tuple[Step, ...]:
    """Of evaluated chips those that no other one dominates, by rising cost; of equal ones the smallest."""
    costs = candidates.costs(question.objective.front)
    size = np.stack([candidates.costs(per) for per in (Per.AREA, Per.WATT, Per.DOLLAR)], axis=1)
    kept: list[Looked] = []
    whole = sorted((one for one in found.values() if one.whole), key=lambda one: (costs[one.row], one.score, one.row))
    for one in whole:
        if not kept or one.score < kept[-1].score * (1 - EQUAL):
            most = one.score * (1 + EQUAL)
            equal = (other for other in whole if costs[other.row] == costs[one.row] and other.score <= most)
            kept.append(min(equal, key=lambda other: (*size[other.row], other.row)))
    floors = bounds.copy()
    floors[list(found)] = [max(one.floor, bounds[row]) for row, one in found.items()]
    order = np.argsort(costs, kind="stable")
    least = np.minimum.accumulate(floors[order])
    steps = []
    for at, one in enumerate(kept):
        dearer = costs[kept[at + 1].row] if at + 1 < len(kept) else inf
        below = least[np.searchsorted(costs[order], dearer, side="left") - 1]
        # What was removed is no better than the tolerance allows.
        bound = min(float(below), one.score / (1 + question.objective.tolerance))
        steps.append(Step(one, float(costs[one.row]), bound))
    return tuple(steps)
