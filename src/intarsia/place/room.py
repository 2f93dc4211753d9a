"""A second bound for one strategy: how long the slowest stage takes at least when no stage holds more than fits.

Only the most laborious kind of layer is dealt out. A stage that holds n such layers and computes them again in mode r takes
n·ℓ(r) or longer, and n is at most what its memory has room for in that mode. The slowest stage takes at least the least m for
which all stages together hold all layers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from intarsia.graph import Recompute
from intarsia.place.contents import MODES, Floats, units_of
from intarsia.place.exchange import data_group, expert_group, message
from intarsia.place.memory import BUCKET_BYTES, FRAGMENTATION, RUNTIME_BYTES, STATE_BYTES, WEIGHT_BYTES, in_flight
from intarsia.place.profile import LayerProfile, Profile
from intarsia.place.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Dominant:
    """The kind of layer that takes most of the seconds.

    Attributes:
        item: the kind.
        number: how many.
        seconds: of one, by mode; shape [r].
        kept, working: bytes by mode; shape [r].
        first, last: seconds of the one unit before, and of the one behind; 0 where there are several.
        crossing: the least bytes that a cut can send.
    """

    item: LayerProfile
    number: int
    seconds: Floats
    kept: Floats
    working: Floats
    first: float
    last: float
    crossing: int


def dominant(profile: Profile, recompute: tuple[Recompute, ...]) -> Dominant:
    """The kind of layer that takes most of the seconds of a profile."""
    modes = [mode for mode in MODES if mode in recompute]
    items = profile.layers
    at = max(range(len(items)), key=lambda i: items[i].layer.repeat * min(items[i].cost[m].seconds for m in modes))
    units = units_of(profile)
    inside = [index for index, unit in enumerate(units) if at in unit]

    def least(unit: tuple[int, ...]) -> float:
        return min(sum(items[kind].cost[mode].seconds for kind in unit if kind != at) for mode in modes)

    return Dominant(
        item=items[at],
        number=items[at].layer.repeat,
        seconds=np.array([items[at].cost[mode].seconds for mode in modes]),
        kept=np.array([items[at].kept[mode] for mode in modes], dtype=np.float64),
        working=np.array([items[at].kept[Recompute.NONE] - items[at].kept[mode] for mode in modes], dtype=np.float64),
        first=least(units[0]) if inside[0] == 1 else 0.0,
        last=least(units[-1]) if inside[-1] == len(units) - 2 else 0.0,
        crossing=min((items[unit[-1]].layer.output_bytes for unit in units[:-1]), default=0),
    )


def least_slowest(profile: Profile, strategy: Strategy, main: Dominant) -> float:
    """Seconds that the slowest stage takes at least; infinite if the layers have no room."""
    flight = np.array([in_flight(strategy, stage) for stage in range(strategy.pipeline)])
    most = np.floor(_most(profile, strategy, main, flight) + 1e-6)
    if most.max(axis=1).sum() < main.number:
        return float("inf")
    before = np.zeros(strategy.pipeline)
    if strategy.pipeline > 1:
        sent = message(profile, strategy, main.crossing)
        before += (2 * strategy.interleave - 1) * sent
    before[0] += main.first
    before[-1] += main.last
    candidates = np.sort((main.seconds[:, None] * np.arange(1, main.number + 1)).ravel())
    every = np.unique(np.concatenate([candidates + extra for extra in set(before.tolist())]))

    def held(limit: float) -> float:
        timed = np.floor((limit - before)[:, None] / main.seconds + 1e-6)
        return float(np.maximum(np.minimum(most, timed).max(axis=1), 0).sum())

    low, high = 0, len(every) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if held(every[middle]) >= main.number else (middle + 1, high)
    return float(every[low])


def _most(profile: Profile, strategy: Strategy, main: Dominant, flight: Floats) -> Floats:
    """How many layers each stage has room for, by mode; shape [stage, r]."""
    layer = main.item.layer
    own = float(layer.parameters + layer.expert_parameters)
    cut = layer.parameters / data_group(strategy).ranks + layer.expert_parameters / expert_group(strategy).ranks
    states = STATE_BYTES * (cut if strategy.zero >= 1 else own)
    states += strategy.gradient_bytes * (cut if strategy.zero >= 2 else own)
    states += WEIGHT_BYTES * (cut if strategy.zero >= 3 else own)
    fixed = RUNTIME_BYTES + (BUCKET_BYTES if strategy.zero >= 2 else 0) - 2
    fixed += 2 * WEIGHT_BYTES * own if strategy.zero == 3 else 0
    each = states + (1 + FRAGMENTATION) * main.kept * flight[:, None]
    found: Floats = (profile.cluster.chip.hbm_bytes - fixed - main.working) / np.maximum(each, 1.0)
    return np.maximum(found, 0.0)
