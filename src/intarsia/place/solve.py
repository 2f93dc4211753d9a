"""The best split of one strategy, with its proof."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.graph import Recompute
from intarsia.place.chain_split import SAME, Chained, chain_split, through
from intarsia.place.contents import Contents
from intarsia.place.labels import exact_through
from intarsia.place.profile import Profile
from intarsia.place.stages import stages
from intarsia.place.step import step_time
from intarsia.place.strategy import Pipeline, Split, Strategy
from intarsia.place.tables import Table, tables

CLOSE = 1e-10
"""Relative difference of seconds worked out in different orders."""


@dataclass(frozen=True, slots=True)
class Solved:
    """A strategy with its best split.

    Attributes:
        seconds: of an iteration.
        bound: no split of the strategy takes less.
        strategy: the strategy.
        split: the split.
        profile: of its variant.
    """

    seconds: float
    bound: float
    strategy: Strategy
    split: Split
    profile: Profile

    @property
    def gap(self) -> bool:
        """Whether another split may take less."""
        return self.bound < self.seconds * (1 - CLOSE)


def solve(
    profile: Profile, runs: Contents, strategy: Strategy, modes: tuple[Recompute, ...], *, exact: bool = True
) -> Solved | None:
    """The best split of one strategy, or nothing if none fits.

    Args:
        profile: the layers.
        runs: what stages can hold.
        strategy: degrees and switches.
        modes: what each stage may choose to compute again.
        exact: where the dynamic programs leave a gap between bound and split, close it.
    """
    here = stages(profile, runs, strategy, modes, profile.cluster.chip.hbm_bytes)
    choices = tables(here, cheapest=strategy.zero < 2 and strategy.order is Pipeline.ONE_F_ONE_B)
    chained = chain_split(here, choices)
    if chained is None:
        return None
    splits = [runs.split(way) for way in chained.splits]
    seconds, split = min(((_seconds(profile, strategy, one), one) for one in splits), key=lambda pair: pair[0])
    bound = chained.bound
    if seconds > bound * (1 + CLOSE) and exact:
        better, bound = _exact(runs, choices, chained, seconds, here.constant)
        if better is not None:
            seconds, split = _seconds(profile, strategy, better), better
    return Solved(seconds, float(min(bound, seconds)), strategy, split, profile)


def _seconds(profile: Profile, strategy: Strategy, split: Split) -> float:
    return step_time(profile, strategy, split).seconds


def _exact(
    runs: Contents, choices: list[Table], chained: Chained, seconds: float, constant: float
) -> tuple[Split | None, float]:
    """The best split, if it beats ``seconds``, and the bound, by each number that the slowest stage may add."""
    best, split = seconds - constant, None
    try:
        for level in chained.levels.tolist():
            limit = best * (1 - SAME)
            # what all loads together allow is no more than what this one allows
            if level + chained.least >= limit or level + through(choices, level)[0] >= limit:
                continue
            found = exact_through(choices, level, best)
            if found is not None:
                best, split = found[0], runs.split(found[1])
    except OverflowError:
        return split, chained.bound
    return split, best + constant
