"""A second bound for one strategy: what the slowest stage takes at least when no stage holds more than fits.

Only the most laborious kind of layer is dealt out. A stage that holds n such layers and computes them again in mode r
takes at least what they take, and n is at most what its memory has room for in that mode. Where the slowest stage takes
m, the first stage holds what the others have no room or no time for, and needs to synchronise and update that much at
least.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from intarsia.graph import Recompute
from intarsia.place.contents import MODES, Floats
from intarsia.place.exchange import data_group, expert_group, gather, message, optimizer, synchronise
from intarsia.place.lower import SLACK
from intarsia.place.memory import BUCKET_BYTES, FRAGMENTATION, RUNTIME_BYTES, STATE_BYTES, WEIGHT_BYTES, in_flight
from intarsia.place.profile import LayerProfile, Profile
from intarsia.place.space import block_of, units_of
from intarsia.place.strategy import Strategy

NEAR = 0.5
"""How far above its bound the slowest stage's load is looked for at first."""


@dataclass(frozen=True, slots=True)
class Dominant:
    """The kind of layer that takes most of the seconds.

    Attributes:
        item: the kind.
        number: how many.
        forward, backward: seconds of one, by mode; shape [r].
        kept, working: bytes by mode; shape [r].
        first, last: seconds of the one unit before, and of the one behind; 0 where there are several.
        lead: parameters of the one unit before.
        others: layers that a stage can hold besides, at most: in the first, in the last, in one between.
        crossing: the least bytes that a cut can send.
        chunked: interleaved stages hold whole chunks of it, for it is the one kind that repeats.
    """

    item: LayerProfile
    number: int
    forward: Floats
    backward: Floats
    kept: Floats
    working: Floats
    first: float
    last: float
    lead: int
    others: tuple[int, int, int]
    crossing: int
    chunked: bool


def dominant(profile: Profile, recompute: tuple[Recompute, ...]) -> Dominant:
    """The kind of layer that takes most of the seconds of a profile."""
    modes = [mode for mode in MODES if mode in recompute]
    items = profile.layers
    at = max(range(len(items)), key=lambda i: items[i].layer.repeat * min(items[i].cost[m].seconds for m in modes))
    units = units_of([item.layer for item in profile.layers])
    inside = [index for index, unit in enumerate(units) if at in unit]
    opens, closes = inside[0] == 1, inside[-1] == len(units) - 2
    besides = sum(item.layer.repeat for item in items) - items[at].layer.repeat

    def least(unit: tuple[int, ...]) -> float:
        return min(sum(items[kind].cost[mode].seconds for kind in unit) for mode in modes)

    return Dominant(
        item=items[at],
        number=items[at].layer.repeat,
        forward=np.array([items[at].cost[mode].forward.seconds for mode in modes]),
        backward=np.array([items[at].cost[mode].backward.seconds for mode in modes]),
        kept=np.array([items[at].kept[mode] for mode in modes], dtype=np.float64),
        working=np.array([items[at].kept[Recompute.NONE] - items[at].kept[mode] for mode in modes], dtype=np.float64),
        first=least(units[0]) if opens else 0.0,
        last=least(units[-1]) if closes else 0.0,
        lead=items[0].layer.parameters - items[0].layer.tied_parameters if opens else 0,
        others=(besides, len(units[-1]), 0) if opens and closes else (besides, besides, besides),
        crossing=min((items[unit[-1]].layer.output_bytes for unit in units[:-1]), default=0),
        chunked=at == block_of([item.layer for item in items]),
    )


def roomy_seconds(
    profile: Profile, strategy: Strategy, main: Dominant, slope: float, rest: float, least: float
) -> float:
    """Seconds of an iteration at least; infinite if the layers have no room.

    Args:
        profile: the layers.
        strategy: degrees and switches.
        main: the layers that are dealt out.
        slope: seconds of an iteration for each second of the slowest stage (see ``lower``).
        rest: seconds beyond.
        least: what the slowest stage takes at least.
    """
    dealt = _Dealt(profile, strategy, main)
    if dealt.most.max(axis=1).sum() < main.number:
        return float("inf")
    levels = dealt.levels()
    # what stages can hold changes at levels only: the last one before ``least`` stands for all loads up to the next
    levels = levels[max(int(levels.searchsorted(least, side="right")) - 1, 0) :]
    near = int(levels.searchsorted(least * (1 + NEAR), side="right"))
    best = dealt.seconds(levels[:near], slope, rest, least)
    if near < len(levels) and best > slope * float(levels[near]) + rest:
        best = dealt.seconds(levels, slope, rest, least)
    return best * (1 - SLACK)


class _Dealt:
    """How many of the main layers each stage can hold."""

    def __init__(self, profile: Profile, strategy: Strategy, main: Dominant) -> None:
        stages = strategy.pipeline
        self.number, self.step = main.number, strategy.interleave if main.chunked else 1
        flight = np.array([in_flight(strategy, stage) for stage in range(stages)])
        self.most = np.floor(_most(profile, strategy, main, flight) + 1e-6)
        sent = 0.0
        if stages > 1:
            sent = (2 * strategy.interleave - 1) * message(profile, strategy, main.crossing)
        # the first stage, the last one, those between; a single one is both
        self.before = np.full(3, sent)
        self.kinds = np.full(stages, 2)
        self.kinds[-1], self.kinds[0] = 1, 0
        self.loads = self._loads(profile, strategy, main)
        self.tail = self._tail(profile, strategy, main)

    def seconds(self, levels: Floats, slope: float, rest: float, least: float) -> float:
        """The least over some loads of the slowest stage."""
        if not len(levels):
            return float("inf")
        held = self._held(levels)
        left = np.maximum(self.number - held[1:].sum(axis=0), 0).astype(np.int64)
        seconds = slope * np.maximum(levels, least) + rest + self.tail[left]
        return float(np.where(held.sum(axis=0) >= self.number, seconds, np.inf).min())

    def _held(self, levels: Floats) -> Floats:
        """How many layers each stage can hold if none takes longer; shape [stage, level]."""
        slack = levels * (1 + SLACK) - self.before[:, None]
        held = np.zeros((len(self.kinds), len(levels)))
        for mode in range(self.loads.shape[1]):
            timed = np.stack([self.loads[kind, mode].searchsorted(slack[kind], side="right") for kind in range(3)])
            np.maximum(held, np.minimum(self.most[:, mode, None], timed[self.kinds]), out=held)
        return held // self.step * self.step if self.step > 1 else held

    def _loads(self, profile: Profile, strategy: Strategy, main: Dominant) -> Floats:
        """Seconds of n layers at least, never falling with n: shape [kind of stage, r, n]."""
        number = np.arange(1, main.number + 1, dtype=np.float64)
        ends = np.array([main.first + (main.last if strategy.pipeline == 1 else 0.0), main.last, 0.0])
        forward = np.broadcast_to(main.forward[:, None] * number, (3, len(main.forward), main.number))
        # what else the ends compute counts as backward, which hides most of what ZeRO exchanges
        backward = main.backward[:, None] * number + ends[:, None, None]
        if strategy.zero < 2:
            return np.asarray(forward + backward)
        layer = main.item.layer
        shared, experts = (
            np.broadcast_to(n * number, forward.shape) for n in (layer.parameters, layer.expert_parameters)
        )
        layers = number + np.array(main.others)[:, None, None]
        rows = forward + backward + gather(profile, strategy, shared, experts, forward, backward, layers)
        return np.minimum.accumulate(rows[..., ::-1], axis=-1)[..., ::-1]

    def _tail(self, profile: Profile, strategy: Strategy, main: Dominant) -> Floats:
        """Seconds of synchronisation and update of a first stage with n layers at least."""
        number = np.arange(main.number + 1)
        layer = main.item.layer
        shared: Floats = ((layer.parameters - layer.tied_parameters) * number + main.lead).astype(np.float64)
        experts: Floats = (layer.expert_parameters * number).astype(np.float64)
        return synchronise(profile, strategy, shared, experts) + optimizer(profile, strategy, shared, experts)

    def levels(self) -> Floats:
        """What the slowest stage may take."""
        return np.unique(self.loads + self.before[:, None, None])


def _most(profile: Profile, strategy: Strategy, main: Dominant, flight: Floats) -> Floats:
    """How many layers each stage has room for, by mode; shape [stage, r]."""
    layer = main.item.layer
    own = float(layer.parameters + layer.expert_parameters)
    cut = layer.parameters / data_group(strategy).ranks + layer.expert_parameters / expert_group(strategy).ranks
    states = STATE_BYTES * (cut if strategy.zero >= 1 else own)
    states += strategy.gradient_bytes * (cut if strategy.zero >= 2 else own)
    states += WEIGHT_BYTES * (cut if strategy.zero >= 3 else own)
    fixed = RUNTIME_BYTES + (BUCKET_BYTES if strategy.zero >= 2 else 0) - 2
    gathered = 2 * WEIGHT_BYTES * own if strategy.zero == 3 else 0.0
    each = states + (1 + FRAGMENTATION) * main.kept * flight[:, None]
    found: Floats = (profile.cluster.chip.hbm_bytes - fixed - gathered - main.working) / np.maximum(each, 1.0)
    return np.maximum(found, 0.0)
