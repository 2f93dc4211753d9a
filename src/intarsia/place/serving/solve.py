"""The best numbers of sequences and prompts of one way to cut a replica, and a bound before they are known.

Candidates for the sequences of a group: powers of two, as many as prompts, the most that fit, and, under a limit on the
time between tokens, the most that meet it, found by halving between a candidate that meets it and the next one, which
does not. Seconds may fall when a sequence is added (tiles, schedules), so that is a border and not proved to be the
last one; the other candidates are all looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from intarsia.place.serving.cut import Cut
from intarsia.place.serving.pace import reading
from intarsia.place.serving.plan import Served
from intarsia.place.serving.task import powers, prompts_of


def fewest(cut: Cut) -> Served | None:
    """The fewest sequences of a cut, whether they meet the limits or not; None if they do not fit."""
    smallest = cut.smallest
    if smallest is None or not cut.fits:
        return None
    return cut.served(smallest.sequences, smallest.prompts)


def best_of(cut: Cut, least: float = 0.0) -> Served | None:
    """The best of the candidates that meet the limits; None if none does, or none makes more than ``least``."""
    best: Served | None = None
    worthwhile = [prompts for prompts in prompts_of(cut.task) if cut.bound_before(prompts) > least]
    bounds = [(cut.bound_of(prompts), prompts) for prompts in worthwhile]
    for bound, prompts in sorted(bounds, key=lambda pair: (-pair[0], pair[1])):
        if bound <= least:
            break
        for found in _candidates(cut, prompts, least):
            if found.pace.tokens_per_second > least:
                best, least = found, found.pace.tokens_per_second
    return best


def _candidates(cut: Cut, prompts: int, least: float) -> Iterator[Served]:
    """Those with so many prompts at once that meet the limits and may be above ``least``; many sequences first."""
    _, prefill = reading(cut.prices, cut.degrees, prompts)
    late = 0
    for sequences in batches(cut, prompts):
        border = late - 1 if late and not cut.task.choices.batch else sequences
        if not cut.exceeds(least, border, prefill):
            return
        found = cut.served(sequences, prompts)
        if not cut.meets(found):
            late = sequences
            continue
        if late and not cut.task.choices.batch:
            found = max(found, _border(cut, found, late), key=lambda one: one.pace.tokens_per_second)
        yield found
        least, late = max(least, found.pace.tokens_per_second), 0


def batches(cut: Cut, prompts: int) -> list[int]:
    """Sequences of a group that are looked at, the most first, without those at the limit."""
    most = cut.most(prompts)
    if most < prompts:
        return []
    if cut.task.choices.batch:
        return sorted((size for size in cut.chosen(prompts) if size <= most), reverse=True)
    others = () if cut.task.output == 1 else (most, *powers(most))
    return sorted({prompts, *(size for size in others if size > prompts)}, reverse=True)


def _border(cut: Cut, meets: Served, late: int) -> Served:
    """Between a number that meets the limits and a larger one that does not: one that does, whose next one does not."""
    while late - meets.deployment.sequences > 1:
        middle = cut.served((meets.deployment.sequences + late) // 2, meets.deployment.prompts)
        if cut.meets(middle):
            meets = middle
        else:
            late = middle.deployment.sequences
    return meets
