"""What each run of layers would cost as a stage of one strategy, and in which stages it fits.

The seconds of a split are M·max + (sum − max)/v + tail (``step_time``), which for stages that hold runs become: the
seconds that a run adds as the slowest stage, those that it adds in any case (its *share*), when its weights are ready,
and by how much it delays those before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intarsia.graph import Recompute
from intarsia.place.contents import MODES, Contents, Floats, Integers
from intarsia.place.exchange import data_group, expert_group, gather, message, optimizer, synchronise, tied
from intarsia.place.memory import BUCKET_BYTES, FRAGMENTATION, RUNTIME_BYTES, STATE_BYTES, WEIGHT_BYTES, in_flight
from intarsia.place.profile import Profile
from intarsia.place.step import drain, fills
from intarsia.place.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Stages:
    """Runs as stages of a strategy; all shapes [r, a, k].

    Attributes:
        number: of stages.
        modes: index in ``MODES`` of each r.
        load: seconds of one microbatch; infinite where the run is no stage.
        share: what it adds to an iteration, whether or not it is the slowest.
        slow: what it adds besides if it is the slowest, which is the one of which this is the most; infinite as load.
        after: seconds of synchronisation and update.
        drain: what later stages' synchronisation has time for while this one still runs backward.
        room: bytes that its activations may take.
        kept: bytes of one microbatch's activations.
        flight: microbatches in flight, by stage.
        constant: seconds that no split changes.
    """

    number: int
    modes: tuple[int, ...]
    load: Floats
    share: Floats
    slow: Floats
    after: Floats
    drain: Floats
    room: Integers
    kept: Integers
    flight: tuple[float, ...]
    constant: float

    def fits(self, stage: int) -> NDArray[np.bool_]:
        """Which runs fit into a stage's devices."""
        # the same rounding as in ``stage_memory``: both are whole numbers of bytes
        fits: NDArray[np.bool_] = np.floor(self.kept * self.flight[stage]) <= self.room
        return fits


def stages(
    profile: Profile, here: Contents, strategy: Strategy, recompute: tuple[Recompute, ...], capacity: int
) -> Stages:
    """The runs of a profile as stages.

    Args:
        profile: the layers.
        here: its runs.
        strategy: degrees and switches.
        recompute: what stages may choose from.
        capacity: bytes of a device; what exceeds it in every stage has an infinite load.
    """
    modes = tuple(index for index, mode in enumerate(MODES) if mode in recompute)
    pick = list(modes)
    units = here.units
    longest = units - strategy.pipeline + 1
    forward, backward = here.forward[pick, :, :longest], here.backward[pick, :, :longest]
    weights, kept = here.weights[pick, :, :longest], here.kept[pick, :, :longest]
    shared = here.shared[:, :longest].astype(np.float64)
    experts = here.experts[:, :longest].astype(np.float64)
    layers = here.counts[:, :longest].sum(axis=-1).astype(np.float64)
    load = forward + backward + _messages(profile, here, strategy)[None, :, :longest]
    gathers = np.zeros(load.shape)
    if strategy.zero >= 2:
        own, routed = np.broadcast_to(shared, load.shape), np.broadcast_to(experts, load.shape)
        gathers = gather(profile, strategy, own, routed, forward, backward, layers[None])
        load = load + gathers
    room = _room(here, strategy, pick, longest, capacity)
    legal = here.valid[:, :longest] & _whole_chunks(here, strategy)[:, :longest] & (room >= 0)
    gaps = fills(strategy, weights, load)
    return Stages(
        number=strategy.pipeline,
        modes=modes,
        load=np.where(legal, load, np.inf),
        share=load / strategy.interleave - gaps,
        slow=np.where(legal, (strategy.microbatches - 1 / strategy.interleave) * load + gaps, np.inf),
        after=np.broadcast_to(
            (synchronise(profile, strategy, shared, experts) + optimizer(profile, strategy, shared, experts))[None],
            load.shape,
        ),
        drain=drain(strategy, backward, gathers),
        room=room,
        kept=kept,
        flight=tuple(in_flight(strategy, stage) for stage in range(strategy.pipeline)),
        constant=tied(profile, strategy),
    )


def _messages(profile: Profile, here: Contents, strategy: Strategy) -> Floats:
    """Seconds of a microbatch's messages, shape [a, k]; see ``step_time``."""
    seconds = {int(size): message(profile, strategy, int(size)) for size in set(here.crossing.tolist())}
    bytes_before, bytes_after = _crossings(here)
    lookup = np.vectorize(seconds.__getitem__, otypes=[np.float64])
    at_cut = lookup(here.crossing)
    before, after = at_cut[:-1, None], at_cut[_stops(here)]
    wide = np.where(bytes_before >= bytes_after, before, after)
    return np.asarray(2 * (strategy.interleave - 1) * wide + before + after)


def _stops(here: Contents) -> Integers:
    at = np.arange(here.units)
    stops: Integers = np.minimum(at[:, None] + at[None, :] + 1, here.units)
    return stops


def _crossings(here: Contents) -> tuple[Integers, Integers]:
    before: Integers = here.crossing[:-1, None]
    return before, here.crossing[_stops(here)]


def _whole_chunks(here: Contents, strategy: Strategy) -> NDArray[np.bool_]:
    """Interleaved stages hold the same number of blocks in each chunk."""
    if strategy.interleave == 1:
        return here.valid
    blocks = here.counts[..., here.block]
    return np.asarray((blocks > 0) & (blocks % strategy.interleave == 0))


def _room(here: Contents, strategy: Strategy, pick: list[int], longest: int, capacity: int) -> Integers:
    """The most bytes that activations in flight may have; the sums of ``stage_memory`` solved for them."""
    left = capacity - fixed_bytes(here, strategy)[None, :, :longest] - here.working[pick, :, :longest]
    # the largest x with x + ⌊FRAGMENTATION · x⌋ ≤ left
    most = np.floor(left / (1 + FRAGMENTATION)).astype(np.int64) - 2
    for _ in range(4):
        most = most + ((most + 1) + np.floor(FRAGMENTATION * (most + 1)).astype(np.int64) <= left)
    return np.asarray(np.where(left >= 0, most, -1))


def fixed_bytes(here: Contents, strategy: Strategy) -> Integers:
    """Bytes of a run's device but for activations and what is computed again; shape [a, k]."""
    shared, experts = here.shared, here.experts
    own = shared + experts
    cut = -(-shared // data_group(strategy).ranks) - (-experts // expert_group(strategy).ranks)
    states = STATE_BYTES * (cut if strategy.zero >= 1 else own)
    states = states + strategy.gradient_bytes * (cut if strategy.zero >= 2 else own)
    states = states + WEIGHT_BYTES * (cut if strategy.zero >= 3 else own)
    used = states + 2 * np.maximum(*_crossings(here)) + RUNTIME_BYTES
    used = used + (BUCKET_BYTES if strategy.zero >= 2 else 0)
    if strategy.zero == 3:
        used = used + 2 * WEIGHT_BYTES * here.largest
    return np.asarray(used)
