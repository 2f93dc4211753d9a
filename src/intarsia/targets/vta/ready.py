"""Compiling what every program of VTA needs: once, before several processes would each do it."""

from __future__ import annotations

import numpy as np

from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.isa import Finish
from intarsia.targets.vta.simulator import simulate
from intarsia.targets.vta.stream import Stream
from intarsia.targets.vta.timing import time_program


def get_ready() -> None:
    """Has the simulator, the timing model and the estimate of tilings compiled, where they are not kept."""
    from intarsia.targets.vta.lowering.pipeline import FIELDS, estimate

    config, nothing = VtaConfig.default(), Stream.of(Finish())
    simulate(nothing, np.zeros(64, dtype=np.uint8), config)
    time_program(nothing, config)
    one = np.ones((1, len(FIELDS)), dtype=np.int64)
    estimate(one[:, :1].copy(), np.ones((3, 1), dtype=np.bool_), 1, one)
