"""A serving plan: how a model is deployed on a cluster, how fast it answers, and why nothing answers faster."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

from intarsia.place.predict import INTERVAL_DEVIATIONS
from intarsia.place.serving.memory import ServingMemory
from intarsia.place.serving.pace import Pace
from intarsia.place.serving.task import Deployment

SERVING_ERROR = 0.2
"""Deviation that is added to that of the efficiencies, which were fitted to training: with it nine in ten of 42
published figures of serving lie within (``benchmarks/serving.py``)."""


@dataclass(frozen=True, slots=True)
class Served:
    """A deployment and its pace."""

    deployment: Deployment
    pace: Pace


@dataclass(frozen=True, slots=True)
class Considered:
    """How many ways to cut a replica there were, and what became of them.

    Attributes:
        degrees: all.
        full: not even one sequence fits.
        late: the limits cannot be met.
        slower: their bound is below the plan, or below its runners-up.
        solved: best number of sequences and prompts known.
    """

    degrees: int
    full: int
    late: int
    slower: int
    solved: int


@dataclass(frozen=True, slots=True)
class Parts:
    """Where the time of the slowest stage goes, seconds of one round; they add up to it.

    Attributes:
        memory: kernels that the HBM bounds.
        compute: kernels that the cores bound.
        kernels: what kernels take beyond their work.
        communication: collectives, and messages between stages.
    """

    memory: float
    compute: float
    kernels: float
    communication: float

    def kinds(self) -> dict[str, float]:
        """Seconds by name."""
        names = ("memory", "compute", "kernels", "communication")
        return {name: getattr(self, name) for name in names}

    def __add__(self, other: Parts) -> Parts:
        """Both, one after the other."""
        mine, its = self.kinds(), other.kinds()
        return Parts(**{name: mine[name] + its[name] for name in mine})

    def __mul__(self, times: float) -> Parts:
        """So many times."""
        return Parts(**{name: times * seconds for name, seconds in self.kinds().items()})


@dataclass(frozen=True, slots=True)
class ServingPlan:
    """The best deployment.

    Attributes:
        model, cluster: names.
        devices: of the cluster.
        best: the deployment and its pace.
        memory: bytes of a device of each stage.
        capacity: bytes of a device.
        decode, prefill: parts of a step, and of one prompt in the slowest stage.
        hbm_step: seconds of a step in which the HBM's full bandwidth moves the weights that are read and the cache.
        error: standard deviation of ln(measured ÷ predicted).
        considered: what the search did.
        runners_up: the best deployments with other degrees, the best first.
    """

    model: str
    cluster: str
    devices: int
    best: Served
    memory: tuple[ServingMemory, ...]
    capacity: int
    decode: Parts
    prefill: Parts
    hbm_step: float
    error: float
    considered: Considered
    runners_up: tuple[Served, ...]

    @property
    def deployment(self) -> Deployment:
        """The best."""
        return self.best.deployment

    @property
    def pace(self) -> Pace:
        """Of the best."""
        return self.best.pace

    @property
    def interval(self) -> tuple[float, float]:
        """Tokens per second between which nine measurements in ten are expected."""
        spread = exp(INTERVAL_DEVIATIONS * self.error)
        return self.pace.tokens_per_second / spread, self.pace.tokens_per_second * spread

    @property
    def idle(self) -> int:
        """Devices that are not used."""
        return self.devices - self.deployment.devices

    @property
    def fullest(self) -> int:
        """The stage whose devices hold the most."""
        return max(range(len(self.memory)), key=lambda stage: self.memory[stage].total)

    @property
    def tie(self) -> bool:
        """Whether the best runner-up lies within the interval."""
        return bool(self.runners_up) and self.runners_up[0].pace.tokens_per_second >= self.interval[0]
