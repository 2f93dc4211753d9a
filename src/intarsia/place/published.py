"""The placement problem as it was published with PHAZE (Wang et al., ICML 2024): a chain of layers over K devices.

All stages have one tensor width t, a replica of S stages has t·S devices, and d = ⌊K / (t·S)⌋ replicas share the batch.
An iteration takes maxload · (⌈M/d⌉ + S − 1) and the reduction of gradients over the replicas. The published recurrence
also counts devices, which say nothing that stages do not: with one width, k devices are k/t stages. Without them it is
one minimum over a matrix for each number of stages.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ChainProblem:
    """A chain of layers and what it runs on; a row of each table for each width.

    Attributes:
        widths: of tensor parallelism that may be chosen.
        seconds: of each layer and microbatch, forward and backward; shape [width, layer].
        states: bytes of weights, gradients and optimizer of each layer on one device; shape [width, layer].
        activations: bytes that one microbatch in flight keeps of each layer; shape [width, layer].
        gradients: bytes that are reduced for each layer; shape [width, layer].
        devices: K.
        microbatches: M, of an iteration, all replicas together.
        capacity: bytes of a device.
        bandwidth: bytes per second of a device when gradients are reduced.
    """

    widths: tuple[int, ...]
    seconds: Floats
    states: Floats
    activations: Floats
    gradients: Floats
    devices: int
    microbatches: int
    capacity: float
    bandwidth: float

    @property
    def layers(self) -> int:
        """Of the chain."""
        return int(self.seconds.shape[1])

    def iteration(self, width: int, stages: int, slowest: float) -> float:
        """Seconds of an iteration; infinite if the devices do not suffice for one replica.

        Args:
            width: index in ``widths``.
            stages: S.
            slowest: seconds of the slowest stage.
        """
        replicas = self.devices // (self.widths[width] * stages)
        if not replicas:
            return float("inf")
        share = float(self.gradients[width].sum()) / stages
        reduced = 2 * (replicas - 1) / replicas * share / self.bandwidth
        return slowest * (-(-self.microbatches // replicas) + stages - 1) + reduced


@dataclass(frozen=True, slots=True)
class Chain:
    """The best placement of a chain.

    Attributes:
        seconds: of an iteration.
        width: of tensor parallelism.
        replicas: d.
        starts: first layer of each stage.
    """

    seconds: float
    width: int
    replicas: int
    starts: tuple[int, ...]


def place_chain(problem: ChainProblem) -> Chain | None:
    """The best placement, or nothing where none fits."""
    best: tuple[float, int, int] | None = None
    tables = [_least_slowest(problem, width) for width in range(len(problem.widths))]
    for width, (least, _) in enumerate(tables):
        for stages in range(1, len(least)):
            seconds = problem.iteration(width, stages, float(least[stages, 0]))
            if np.isfinite(seconds) and (best is None or seconds < best[0]):
                best = seconds, width, stages
    if best is None:
        return None
    seconds, width, stages = best
    nexts = tables[width][1]
    starts = [0]
    for left in range(stages, 1, -1):
        starts.append(int(nexts[left, starts[-1]]))
    return Chain(seconds, problem.widths[width], problem.devices // (problem.widths[width] * stages), tuple(starts))


def _least_slowest(problem: ChainProblem, width: int) -> tuple[Floats, NDArray[np.int64]]:
    """Seconds of the slowest of S stages that hold all layers from a on, and where the second of them starts; [S, a].

    The stage that is S-th from the end keeps S microbatches in flight (1F1B).
    """
    layers = problem.layers
    most = min(layers, problem.devices // problem.widths[width])
    load, states, kept = (_runs(table[width]) for table in (problem.seconds, problem.states, problem.activations))
    least = np.full((most + 1, layers + 1), np.inf)
    least[0, layers] = 0.0
    nexts = np.zeros((most + 1, layers), dtype=np.int64)
    for stages in range(1, most + 1):
        fits = states + stages * kept <= problem.capacity
        slowest = np.where(fits, np.maximum(load, least[stages - 1]), np.inf)
        nexts[stages] = slowest.argmin(axis=1)
        least[stages, :layers] = np.take_along_axis(slowest, nexts[stages][:, None], axis=1)[:, 0]
    return least, nexts


def _runs(each: Floats) -> Floats:
    """Sums over the layers from a up to b, infinite where there are none; shape [a, b]."""
    until = np.concatenate([[0.0], each.cumsum()])
    sums = until[None, :] - until[:-1, None]
    at = np.arange(len(until))
    return np.where(at[None, :] > at[:-1, None], sums, np.inf)
