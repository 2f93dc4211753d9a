"""Lower bounds on the seconds of all strategies with one variant, before any split is looked at.

Let W be the least seconds of work of one microbatch, S ≥ W the same with messages and gathered weights, m the slowest
stage's load. Then m ≥ S/p and m ≥ the longest layer, and an iteration takes at least (M − 1/v)·m + S/v + tail (zero-
bubble: less twice the weight gradients, of which no stage can hide more than a third of its load). The tail is at least
what the first stage needs after its last backward pass. That stage holds at least W − (p − 1)·m seconds of work, so at
least a share κ of that in seconds of synchronisation and update: collectives are concave in their size. For a given
strategy this is linear in m between S/p and W/(p − 1), so the lesser of both ends bounds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intarsia.graph import Pattern
from intarsia.place.contents import Floats
from intarsia.place.memory import BUCKET_BYTES, FRAGMENTATION, RUNTIME_BYTES, STATE_BYTES, WEIGHT_BYTES
from intarsia.place.profile import Profile
from intarsia.place.space import Degrees, Task
from intarsia.place.strategy import Pipeline
from intarsia.place.sums import Network, Work

SLACK = 1e-9
"""Relative: bounds are sums in another order than what they bound."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Everything but the variant, one entry a strategy."""

    own: tuple[Degrees, ...]
    pipeline: Floats
    data: Floats
    chunks: Floats
    bubbles: NDArray[np.bool_]
    zero: NDArray[np.int64]


def grid(own: Iterator[Degrees]) -> Grid:
    """The grid of degrees."""
    listed = tuple(own)
    table = np.array(
        [(d.pipeline, d.data, d.interleave, d.order is Pipeline.ONE_F_ONE_B, d.zero) for d in listed], dtype=np.float64
    ).reshape(len(listed), 5)
    pipeline, data, chunks, bubbles, zero = table.T
    return Grid(listed, pipeline, data, chunks, bubbles > 0, zero.astype(np.int64))


@dataclass(frozen=True, slots=True)
class Lower:
    """Coefficients of the bound, one entry a strategy; of many profiles at once in rows.

    Attributes:
        slope: seconds of an iteration for each second of the slowest stage.
        rest: seconds that do not depend on it; infinite where memory does not suffice.
        tail: seconds for each second of work in the first stage.
        work: seconds of work of one microbatch.
        least: what the slowest stage takes at least.
        behind: stages but the first.
    """

    slope: Floats
    rest: Floats
    tail: Floats
    work: Floats
    least: Floats
    behind: Floats

    def seconds(self, least: Floats | float = 0.0, which: slice | int = slice(None)) -> Floats:
        """The bounds.

        Args:
            least: what the slowest stage takes at least, if more is known.
            which: of which strategies.
        """
        m = np.maximum(self.least[which], least)
        behind = self.behind[which]
        slope, tail = self.slope[which], self.tail[which]
        here = slope * m + tail * np.maximum(self.work - behind * m, 0)
        without = slope * np.maximum(m, self.work / np.maximum(behind, 1e-9))
        found: Floats = self.rest[which] + np.where(behind > 0, np.minimum(here, without), here)
        return found * (1 - SLACK)


def lower(profile: Profile, task: Task, entries: Grid, work: Work, network: Network, whole_layers: Floats) -> Lower:
    """The bounds of a variant's strategies; of many profiles that differ in seconds alone, where ``work`` is of many.

    Args:
        profile: the layers.
        task: the question.
        entries: its strategies.
        work: the profile's sums.
        network: of the cluster.
        whole_layers: what the slowest stage takes at least, without messages.
    """
    variant, stages, chunks = profile.variant, entries.pipeline, entries.chunks
    microbatches = np.ceil(task.global_batch / (entries.data * variant.microbatch))
    total, longest = work.seconds.sum(axis=-1)[..., None], work.seconds.max(axis=-1)[..., None]
    backward, weights = (np.asarray(seconds)[..., None] for seconds in (work.backward, work.weights))
    one = np.where(stages > 1, _messages(profile, entries, work, network), 0.0)
    tail, scatter, whole = _exchanges(profile, task, entries, work, network)
    layers = work.layers - stages + 1
    # what ZeRO gathers: at least one layer's share of each stage shows, and so does what no computing hides
    share = np.where(entries.zero == 2, 1 - 1 / microbatches, 1)
    every = np.where(entries.zero == 3, whole, np.where(entries.zero == 2, scatter, 0))
    hides = np.where(entries.zero == 3, total, backward)
    sent = one * (2 * (chunks - 1) * stages + 2 * (stages - 1))
    sum_ = total + share * np.maximum(every / layers, every - hides) + sent
    least = np.maximum(sum_ / stages, np.maximum(longest, whole_layers) + one * (2 * chunks - 1))
    often = 1 + (np.minimum(microbatches, stages) - 1) / np.maximum(stages - 1, 1)
    hidden = np.where(entries.bubbles, 0, often * np.minimum(weights, np.maximum(sum_ - least, 0) / 3))
    return Lower(
        slope=microbatches - 1 / chunks,
        rest=np.where(_holds(task, entries, work, profile), sum_ / chunks - hidden, np.inf),
        tail=tail,
        work=total,
        least=least,
        behind=stages - 1,
    )


def _messages(profile: Profile, entries: Grid, work: Work, network: Network) -> Floats:
    variant = profile.variant
    size = work.crossing / (1 if variant.sequence_parallel else variant.tensor)
    different, at = _unlike(entries, profile, network, entries.data * variant.tensor * variant.context)
    lines = np.array([network.line(*key) for key in different]).reshape(-1, 2)
    found: Floats = (lines[:, 0] + lines[:, 1] * size)[at]
    return found


def _unlike(
    entries: Grid, profile: Profile, network: Network, numbers: Floats
) -> tuple[list[tuple[int, int]], NDArray[np.intp]]:
    """The different pairs of a number and the levels of network that an entry needs, and which one each entry has."""
    devices = entries.pipeline * entries.data * profile.variant.tensor * profile.variant.context
    pairs = np.stack([numbers.astype(np.int64), network.levels(devices)], axis=1)
    different, at = np.unique(pairs, axis=0, return_inverse=True)
    return [(int(number), int(levels)) for number, levels in different], at.reshape(-1)


def _exchanges(
    profile: Profile, task: Task, entries: Grid, work: Work, network: Network
) -> tuple[Floats, Floats, Floats]:
    """Seconds of the tail for each second of work in the first stage; scattering all gradients; all of ZeRO 3."""
    variant, chip = profile.variant, profile.cluster.chip
    element = task.choices.gradient_bytes
    update = (3 * element + 24 + WEIGHT_BYTES) / (chip.hbm_bandwidth * profile.efficiency.memory)
    tail, scatter, whole = (np.zeros(len(entries.own)) for _ in range(3))
    total = work.seconds.sum(axis=-1)[..., None]
    different, at = _unlike(entries, profile, network, entries.data * variant.context)
    for each, expert in ((work.shared, 1), (work.experts, variant.expert)):
        size = float(each.sum())
        if not size:
            continue
        density = _density(each, work.seconds)
        groups = [(max(n // expert, 1), variant.tensor * expert, levels) for n, levels in different]
        reduce = np.array([network.collective(Pattern.ALL_REDUCE, size * element, *group) for group in groups])[at]
        scattered = np.array([network.collective(Pattern.REDUCE_SCATTER, size * element, *g) for g in groups])[at]
        gathered = np.array([network.collective(Pattern.ALL_GATHER, size * WEIGHT_BYTES, *g) for g in groups])[at]
        parts = np.array([group[0] for group in groups])[at]
        synchronised = np.choose(np.minimum(entries.zero, 3), [reduce, *[scattered + gathered] * 2, np.zeros(len(at))])
        share = np.where(entries.pipeline == 1, size / total, density)
        tail = tail + share * (synchronised / size + update / np.where(entries.zero > 0, parts, 1))
        scatter += scattered
        whole += 2 * gathered + scattered
    return tail, scatter, whole


def _density(each: Floats, seconds: Floats) -> Floats:
    """The least parameters for each second of work over what a first stage can hold."""
    first = max(len(each) - 1, 1)
    held = each.cumsum()[:first] / seconds.cumsum(axis=-1)[..., :first]
    return np.asarray(held.min(axis=-1))[..., None]


def _holds(task: Task, entries: Grid, work: Work, profile: Profile) -> NDArray[np.bool_]:
    """Whether all devices of one replica together can hold the states and one microbatch's activations."""
    variant = profile.variant
    ranks = entries.data * variant.context
    shared, experts = work.shared.sum(), work.experts.sum()
    own, cut = shared + experts, shared / ranks + experts / np.maximum(ranks // variant.expert, 1)
    needed = STATE_BYTES * np.where(entries.zero >= 1, cut, own)
    needed += task.choices.gradient_bytes * np.where(entries.zero >= 2, cut, own)
    needed += WEIGHT_BYTES * np.where(entries.zero >= 3, cut, own)
    needed += work.kept.sum() * (1 + FRAGMENTATION) - entries.pipeline
    fixed = RUNTIME_BYTES + np.where(entries.zero >= 2, BUCKET_BYTES, 0)
    capacity = profile.cluster.chip.hbm_bytes
    found: NDArray[np.bool_] = needed <= entries.pipeline * (capacity - fixed)
    return found
