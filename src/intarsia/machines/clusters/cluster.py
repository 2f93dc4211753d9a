"""Chips joined by levels of network: within a node, between nodes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from intarsia.machines.chips.chip import Chip


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a network.

    Attributes:
        name: node, cluster, …
        devices: how many chips are within reach at this level, at most.
        bandwidth: bytes per second, of one chip in one direction, all its links of this level together.
        latency: seconds of one hop.
        topology: a phrase (switched, full mesh, 3-D torus).
    """

    name: str
    devices: int
    bandwidth: float
    latency: float
    topology: str = "switched"


@dataclass(frozen=True, slots=True)
class Cluster:
    """``devices`` chips; the levels go from the innermost outwards, the last one reaches them all.

    Nodes are filled in order: rank r is in node r // (devices of the first level).
    """

    name: str
    chip: Chip
    devices: int
    levels: tuple[Level, ...]
    source: str

    def first(self, devices: int) -> Cluster:
        """Its first so many chips, without the levels that they do not need."""
        if devices >= self.devices:
            return self
        needed = 1 + sum(level.devices < devices for level in self.levels[:-1])
        return replace(self, devices=devices, levels=self.levels[:needed])
