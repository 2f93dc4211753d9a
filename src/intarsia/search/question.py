"""What a search is asked: which chips, for which training, on which network."""

from __future__ import annotations

from dataclasses import dataclass, replace

from intarsia.graph import Model
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.clusters import Cluster
from intarsia.machines.template import Point, TemplateSpace, chip_of
from intarsia.place.choices import Choices
from intarsia.place.space import Task


@dataclass(frozen=True)
class Question:
    """The chip of a space, and the plan on it, with which an iteration takes the fewest seconds.

    Attributes:
        model: what is trained.
        space: the chips.
        cluster: devices and network; its chip stands for any of the space.
        efficiency: of every chip of the space.
        global_batch: sequences of an iteration.
        sequence: tokens of a sequence.
        choices: what a plan may choose.
    """

    model: Model
    space: TemplateSpace
    cluster: Cluster
    efficiency: Efficiency
    global_batch: int
    sequence: int
    choices: Choices

    def on(self, point: Point) -> Task:
        """The training on a cluster of one chip."""
        return Task(
            self.model, replace(self.cluster, chip=chip_of(point)), self.global_batch, self.sequence, self.choices
        )
