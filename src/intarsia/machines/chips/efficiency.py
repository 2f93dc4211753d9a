"""How much of a chip's published figures is reached: a few numbers, each with a physical meaning."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Measured or borrowed factors of a chip and its software.

    Attributes:
        matmul: fraction of the tensor cores' peak that a long product reaches inside its tiles.
        flash: the same for fused attention.
        memory: fraction of the HBM bandwidth that a long pass reaches.
        misaligned: factor on a product's rate where a dimension in memory is no multiple of 16 bytes.
        kernel: seconds that a kernel takes beyond its work: filling and draining the chip.
        host: seconds that the host needs to issue one kernel; a pass cannot be faster than its kernels are issued.
        link: fraction of a link's bandwidth that a long collective reaches.
        collective: seconds that a collective takes beyond its messages.
        straggle: seconds for which a host waits for the slowest one at a collective, for each doubling of its group.
        error: standard deviation of the logarithm of (measured ÷ predicted).
        source: what it was fitted on, or whom it was borrowed from.
    """

    matmul: float
    flash: float
    memory: float
    misaligned: float
    kernel: float
    host: float
    link: float
    collective: float
    straggle: float
    error: float
    source: str
