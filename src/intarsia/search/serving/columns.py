"""Seconds that layers take at least, of a model that answers, on many chips at once."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.cost import message_seconds
from intarsia.graph import Node, ServedLayer, Serving
from intarsia.place.serving import Chains, ServingTask
from intarsia.place.serving.floor import ROUTED
from intarsia.place.serving.prices import groups_of, served_efficiency
from intarsia.search.question import linked
from intarsia.search.rough import Rough
from intarsia.search.serving.question import ServingQuestion

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Nodes = tuple[Node, ...]


@dataclass
class Columns:
    """Layers on some chips, whatever their schedules; all columns are [rows].

    Attributes:
        question: what is asked.
        chains: of its model.
        rows: the chips.
    """

    question: ServingQuestion
    chains: Chains
    rows: Ints
    _known: dict[tuple[Serving, int], tuple[Floats, ...]] = field(default_factory=dict)
    _smallest: dict[tuple[Serving, int], tuple[Nodes, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        task, points = self.question.task, self.question.space.points.rows(self.rows)
        efficiency = served_efficiency(task.efficiency)
        self._exact = Rough(points, task.cluster, efficiency)
        self._monotone = Rough(points, task.cluster, efficiency, monotone=True)
        self._links, self._linked = np.unique(points.link_bandwidth, return_inverse=True)

    @property
    def task(self) -> ServingTask:
        """The question, on no chip of its own."""
        return self.question.task

    def seconds(self, serving: Serving) -> tuple[Floats, ...]:
        """Of one layer of each kind of the chain."""
        return self.seconds_to(serving, serving.sequences)

    def seconds_to(self, serving: Serving, last: int) -> tuple[Floats, ...]:
        """The same, of as many sequences or more, up to ``last``."""
        key = serving, last
        if key not in self._known:
            rough = self._exact if last == serving.sequences else self._monotone
            groups, every = groups_of(serving), np.arange(len(self.rows))
            chains = self._nodes(serving, last)
            took = {nodes: rough.seconds(nodes, groups, every) for nodes in dict.fromkeys(chains)}
            self._known[key] = tuple(took[nodes] for nodes in chains)
        return self._known[key]

    def sent(self, size: int, stride: int, stages: int) -> Floats:
        """Seconds in which one of so many stages sends a message of ``size`` bytes to the next, ``stride`` away."""
        task = self.task
        on = [linked(task.cluster, own) for own in self._links.tolist()]
        took = [message_seconds(size, stride, cluster, task.efficiency, stages) for cluster in on]
        return np.array(took)[self._linked.ravel()]

    def to(self, last: int) -> ColumnsTo:
        """Of any number of sequences from the one that is asked for up to ``last``."""
        return ColumnsTo(self, last)

    def _nodes(self, serving: Serving, last: int) -> tuple[Nodes, ...]:
        """Of each kind of layer the kernels, none of which is larger than with any of the numbers of sequences."""
        layers = self.chains.of(serving)
        if last == serving.sequences or not any(layer.experts for layer in layers):
            return tuple(layer.nodes for layer in layers)  # without experts no size falls as sequences are added
        key = serving, last
        if key not in self._smallest:
            middle = (serving.sequences + last) // 2
            above = replace(serving, sequences=middle + 1)
            halves = self._nodes(serving, middle), self._nodes(above, last)
            self._smallest[key] = tuple(
                _smaller(own, other, layer) for own, other, layer in zip(*halves, layers, strict=True)
            )
        return self._smallest[key]


@dataclass(frozen=True, slots=True)
class ColumnsTo:
    """Layers that take no less for any number of sequences from the one that is asked for up to ``last``."""

    columns: Columns
    last: int

    @property
    def task(self) -> ServingTask:
        """The question."""
        return self.columns.task

    @property
    def chains(self) -> Chains:
        """Of its model."""
        return self.columns.chains

    def seconds(self, serving: Serving) -> tuple[Floats, ...]:
        """Of one layer of each kind of the chain."""
        return self.columns.seconds_to(serving, self.last)

    def sent(self, size: int, stride: int, stages: int) -> Floats:
        """Seconds of a message of the fewest sequences."""
        return self.columns.sent(size, stride, stages)


def _smaller(own: Nodes, other: Nodes, layer: ServedLayer) -> Nodes:
    """Of each kernel what is smaller of its sizes."""
    if not layer.experts:
        return own
    pairs = zip(own, other, strict=True)
    return tuple(
        replace(one, work=_least(one.work, more.work)) if one.name.startswith(ROUTED) else one for one, more in pairs
    )


def _least(one: Any, other: Any) -> Any:  # works, and what they are made of
    """Numbers become the smaller ones; all else is equal."""
    if isinstance(one, tuple):
        return tuple(_least(*pair) for pair in zip(one, other, strict=True))
    if isinstance(one, int) and not isinstance(one, bool):
        return min(one, other)
    if isinstance(one, (bool, str)):
        assert one == other, "sizes alone differ"
        return one
    return replace(
        one, **{each.name: _least(*(getattr(own, each.name) for own in (one, other))) for each in fields(one)}
    )
