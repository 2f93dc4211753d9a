"""How long the slowest stage takes at least since layers are whole: for many strategies at once.

Stages of p hold ⌊x/ℓ⌋ main layers each in x seconds, the first and the last fewer by what else they hold. What they
hold together changes at multiples of ℓ, and at those beyond what the ends take; the first of these that suffices is the
bound.
"""

from __future__ import annotations

import numpy as np

from intarsia.place.contents import Floats
from intarsia.place.room import Dominant

STEPS = 3
"""Layers more than the average that are tried."""


def whole_layers(main: Dominant, stages: Floats, chunks: Floats) -> Floats:
    """Seconds of the slowest stage at least, without messages.

    Args:
        main: the layers that are dealt out.
        stages: of each strategy.
        chunks: of each stage; each has the same number of layers.
    """
    layer = float((main.forward + main.backward).min())
    if layer <= 0:
        return np.zeros(len(stages))
    chunks = chunks if main.chunked else np.ones(len(chunks))
    step = chunks * layer
    average = (main.number * layer + main.first + main.last) / stages
    before = np.floor(average / step * (1 - 1e-9))
    ends = np.sort(np.stack([np.zeros(len(step)), main.first % step, main.last % step]), axis=0)
    candidates = [(before + more) * step + end for more in range(STEPS) for end in ends]
    found = (before + STEPS) * step
    for limit in reversed(candidates):
        found = np.where(_held(main, limit * (1 + 1e-9), stages, chunks, step) >= main.number, limit, found)
    return np.where(stages > 1, found, average)


def _held(main: Dominant, limit: Floats, stages: Floats, chunks: Floats, step: Floats) -> Floats:
    first, last = (np.maximum(np.floor((limit - end) / step), 0) for end in (main.first, main.last))
    held: Floats = chunks * ((stages - 2) * np.floor(limit / step) + first + last)
    return held
