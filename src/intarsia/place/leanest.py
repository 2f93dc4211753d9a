"""The plan of a space whose fullest stage holds the least: it says whether anything fits, and what is over if not."""

from __future__ import annotations

import numpy as np

from intarsia.graph import Recompute
from intarsia.place.branches import Branch, Space
from intarsia.place.contents import MODES, Contents, Floats, contents
from intarsia.place.memory import BUCKET_BYTES, FRAGMENTATION, STATE_BYTES, WEIGHT_BYTES, in_flight, stage_memory
from intarsia.place.profile import Profile
from intarsia.place.space import strategy_of
from intarsia.place.stages import fixed_bytes
from intarsia.place.strategy import Split, Strategy
from intarsia.place.values import Wanted

TRIED = 24
"""Strategies whose leanest split is worked out: those that seem leanest."""


def leanest(space: Space, wanted: Wanted | None = None) -> tuple[Profile, Strategy, Split] | None:
    """The plan whose fullest stage holds the least, among those that seem leanest; nothing if there is none.

    Args:
        space: the strategies, and what stages may compute again.
        wanted: which of the strategies; all for None.
    """
    ranked = sorted(
        (
            (float(guess), at, entry)
            for at, branch in enumerate(space.branches)
            for guess, entry in _leanest_of(space, branch, wanted)
        ),
    )[:TRIED]
    best: tuple[int, Profile, Strategy, Split] | None = None
    for _, at, entry in ranked:
        branch = space.branches[at]
        branch.runs = branch.runs or contents(branch.profile)
        strategy = strategy_of(space.task, branch.variant, branch.entries.own[entry])
        split = leanest_split(branch.runs, strategy, space.task.choices.recompute)
        if split is None:
            continue
        total = max(stage_memory(branch.profile, strategy, split, stage).total for stage in range(strategy.pipeline))
        if best is None or total < best[0]:
            best = total, branch.profile, strategy, split
    return best[1:] if best else None


def _leanest_of(space: Space, branch: Branch, wanted: Wanted | None) -> list[tuple[float, int]]:
    """A guess at the fullest stage's bytes of each strategy of a branch; the few least."""
    entries, layers = branch.entries, branch.profile.layers
    shared = sum(item.layer.repeat * item.layer.parameters for item in layers)
    experts = sum(item.layer.repeat * item.layer.expert_parameters for item in layers)
    kept = sum(item.layer.repeat * min(item.kept[m] for m in space.task.choices.recompute) for item in layers)
    ranks = entries.data * branch.variant.context
    own, cut = shared + experts, shared / ranks + experts / np.maximum(ranks // branch.variant.expert, 1)
    guess = STATE_BYTES * np.where(entries.zero >= 1, cut, own)
    guess += space.task.choices.gradient_bytes * np.where(entries.zero >= 2, cut, own)
    guess += WEIGHT_BYTES * np.where(entries.zero >= 3, cut, own)
    largest = max(item.layer.parameters + item.layer.expert_parameters for item in layers)
    buffers = np.where(entries.zero >= 2, BUCKET_BYTES, 0) + np.where(entries.zero == 3, 2 * WEIGHT_BYTES * largest, 0)
    microbatches = np.ceil(space.task.global_batch / (entries.data * branch.variant.microbatch))
    guess = buffers + guess / entries.pipeline
    guess += kept * np.minimum(microbatches, entries.pipeline) / entries.pipeline
    if wanted is not None:
        guess = np.where(wanted(branch), guess, np.inf)
    few = np.argsort(guess, kind="stable")[:TRIED]
    return [(float(guess[entry]), int(entry)) for entry in few if np.isfinite(guess[entry])]


def leanest_split(runs: Contents, strategy: Strategy, recompute: tuple[Recompute, ...]) -> Split | None:
    """The split whose fullest stage holds the least."""
    modes = [index for index, mode in enumerate(MODES) if mode in recompute]
    units = runs.units
    fixed = np.where(runs.valid, fixed_bytes(runs, strategy), np.inf)
    if strategy.interleave > 1:
        blocks = runs.counts[..., runs.block]
        fixed = np.where((blocks > 0) & (blocks % strategy.interleave == 0), fixed, np.inf)
    beyond = np.full(units + 1, np.inf)
    beyond[units] = 0.0
    stop = np.minimum(np.arange(units)[:, None] + np.arange(units)[None, :] + 1, units)
    picks = []
    for stage in range(strategy.pipeline - 1, -1, -1):
        activations = (1 + FRAGMENTATION) * runs.kept[modes] * in_flight(strategy, stage)
        bytes_: Floats = (fixed + runs.working[modes] + activations).swapaxes(0, 1)
        worst = np.maximum(bytes_, beyond[stop][:, None, :]).reshape(units, -1)
        picks.append(worst.argmin(axis=1))
        beyond = np.append(worst.min(axis=1), np.inf)
    if not np.isfinite(beyond[0]):
        return None
    start, found = 0, []
    for pick in reversed(picks):
        row, length = divmod(int(pick[start]), units)
        found.append((modes[row], start, length + 1))
        start += length + 1
    return runs.split(found)
