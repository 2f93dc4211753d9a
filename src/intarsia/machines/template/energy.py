"""What work costs in joules, from published tables: for each multiplication, lane, byte of a memory, and second.

Tables are those of 45 nm at 0.9 V (Horowitz, ISSCC 2014, figure 1.1.9) and of 7 nm (Jouppi et al., "Ten lessons from
three generations shaped Google's TPUv4i", ISCA 2021, table 2). Between the two nodes, energies lie on a straight line
of their logarithms. Not counted: registers between multipliers, clock trees, instructions, wires across the chip.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import exp, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.ground import InputError
from intarsia.ground.units import hertz_text

Floats = NDArray[np.float64]
NODE = 22.0
"""Of the template, nm (Wang et al., ICML 2024)."""
CLOCK = 1.05e9
"""Published clock of the template, hertz."""
PICO = 1e-12
FLOAT32_MULTIPLY, FLOAT32_ADD = (3.7, 1.31), (0.9, 0.38)
"""Picojoules at 45 and 7 nm, from the two tables."""
BFLOAT16_MULTIPLY = (1.1 * 0.21 / 0.34, 0.21)
"""The same; at 45 nm no bf16 is published, so that it is to IEEE half precision (1.1) as at 7 nm (0.21 to 0.34)."""
INT8_MULTIPLY, INT32_ADD = (0.2, 0.07), (0.1, 0.03)
"""The same of an 8-bit multiplier and its accumulator."""
SRAM = {8: (10.0, 7.5), 32: (20.0, 8.5), 1024: (100.0, 14.0)}
"""KiB of a memory to picojoules for 8 bytes. Smaller ones cost as the smallest, larger ones are of banks of 1 MiB."""
HBM = 8 * 3.97 * PICO
"""Joules a byte from HBM2 (O'Connor et al., MICRO 2017: 3.97 pJ a bit, stack and its interface); TPUv4i's table has 250
to 450 pJ for 8 bytes, that is, 3.9 to 7 pJ a bit."""
LINK = 8 * 5.5 * PICO
"""Joules a byte sent to another chip, both ends: 5.5 pJ a bit for a long-reach SerDes (the figure that NVLink-C2C's 1.3
is set beside, second-hand); NVIDIA's ground-referenced links on a board measured 1.17 (Turner et al., CICC 2018)."""
STATIC = 90 / 600
"""Watts of each mm² of a die that does nothing: TPUv4's measured least power (Cloud TPU documentation: 90, 170, 192 W
least, mean, most) over its die (below 600 mm², Jouppi et al., ISCA 2023); its HBM's rest is in it."""
VOLTAGE, THRESHOLD, ALPHA = 0.9, 0.35, 1.3
"""Supply at which the energies hold and the clock is reached, threshold, exponent of the alpha-power law (Sakurai and
Newton, 1990; 1.3 for short channels): clock ~ (V - threshold)^alpha ÷ V. The threshold is judged."""
LEAST_VOLTAGE, MOST_VOLTAGE = 0.6, 1.2
"""Between these; memories lose their bits below, transistors their lives above (judged)."""


@dataclass(frozen=True)
class Technology:
    """Energies of a node.

    Attributes:
        node: nm, 7 to 45.
        clock: hertz that are reached at the supply for which the energies hold.
    """

    node: float = NODE
    clock: float = CLOCK

    @cached_property
    def multiply(self) -> float:
        """Joules of a bf16 multiplication that is added in float32."""
        return self._between(BFLOAT16_MULTIPLY) + self._between(FLOAT32_ADD)

    @cached_property
    def multiply_int8(self) -> float:
        """Joules of an 8-bit multiplication that is added in 32 bits."""
        return self._between(INT8_MULTIPLY) + self._between(INT32_ADD)

    @cached_property
    def lane(self) -> float:
        """Joules of a lane's float32 multiplication and addition."""
        return self._between(FLOAT32_MULTIPLY) + self._between(FLOAT32_ADD)

    def sram(self, kib: NDArray[Any]) -> Floats:
        """Joules a byte of a memory of so many KiB; between the published sizes a line of logarithms."""
        sizes, costs = [log(size) for size in SRAM], [log(self._between(pair) / 8) for pair in SRAM.values()]
        return np.asarray(np.exp(np.interp(np.log(kib), sizes, costs)), dtype=np.float64)

    def voltage(self, clock: Floats) -> Floats:
        """The supply that a clock needs, relative to the one of the energies; never below the least.

        Raises:
            InputError: a clock needs more than the highest supply.
        """
        supply, reached = self._curve
        if float(np.max(clock, initial=0.0)) > reached[-1]:
            raise InputError(
                f"a clock needs more than {MOST_VOLTAGE} V at {self.node:g} nm",
                value=hertz_text(float(np.max(clock))),
                allowed=f"at most {hertz_text(float(int(reached[-1])))}",
            )
        return np.asarray(np.interp(clock, reached, supply) / VOLTAGE, dtype=np.float64)

    @cached_property
    def _curve(self) -> tuple[Floats, Floats]:
        """Supplies, and the clock that each reaches."""
        supply = np.linspace(LEAST_VOLTAGE, MOST_VOLTAGE, 6001)
        return supply, self.clock * _speed(supply) / _speed(np.array(VOLTAGE))

    def _between(self, at: tuple[float, float]) -> float:
        """Joules, from picojoules at 45 and at 7 nm."""
        share = log(45 / self.node) / log(45 / 7)
        return PICO * exp((1 - share) * log(at[0]) + share * log(at[1]))


def _speed(supply: Floats) -> Floats:
    return np.asarray((supply - THRESHOLD) ** ALPHA / supply, dtype=np.float64)
