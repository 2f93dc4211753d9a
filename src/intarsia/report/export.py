"""What every launch file of a training framework is made from, and what it becomes."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.graph import Model, Recompute
from intarsia.ground.units import seconds_text
from intarsia.machines.clusters import Cluster
from intarsia.models.transformer import Transformer
from intarsia.place.plan_file import PlanFile

BLOCKS = frozenset({"block", "expert-block"})
"""Names of the kinds of layers that frameworks count; what is before them is the embedding, what is after the head."""
STRENGTH = (Recompute.NONE, Recompute.SELECTIVE, Recompute.FULL)


@dataclass(frozen=True, slots=True)
class Launch:
    """A plan to be started.

    Attributes:
        plan: the plan.
        model: its model.
        cluster: its devices.
    """

    plan: PlanFile
    model: Model
    cluster: Cluster

    @property
    def transformer(self) -> Transformer | None:
        """The model, if it is one that the frameworks know how to build."""
        return self.plan.transformer

    @property
    def blocks(self) -> tuple[int, ...]:
        """Blocks of each stage."""
        kinds = [index for index, (name, _) in enumerate(self.plan.layers) if name in BLOCKS]
        return tuple(sum(counts[kind] for kind in kinds) for counts in self.plan.split.counts)

    @property
    def parts(self) -> tuple[int, ...] | None:
        """Blocks of each part of the chain, chunk by chunk through the stages; None where they are not blocks."""
        chunks = self.plan.strategy.interleave
        if not any(self.blocks) or any(count % chunks for count in self.blocks):
            return None
        return tuple(count // chunks for count in self.blocks) * chunks

    @property
    def recompute(self) -> Recompute:
        """The strongest of all stages, with which every stage fits that fits as planned."""
        return max(self.plan.split.recompute, key=STRENGTH.index)

    @property
    def per_node(self) -> int:
        """Devices of a node that are used."""
        return min(self.cluster.levels[0].devices, self.plan.strategy.devices)

    @property
    def nodes(self) -> int:
        """Nodes that are used, the last one maybe in part."""
        return -(-self.plan.strategy.devices // self.per_node)

    def recompute_notes(self, framework: str) -> list[str]:
        """What a framework with one setting for all stages does otherwise."""
        if len(set(self.plan.split.recompute)) == 1:
            return []
        planned = ", ".join(f"{stage}: {mode}" for stage, mode in enumerate(self.plan.split.recompute))
        return [
            f"{framework} recomputes the same in every stage: {self.recompute} everywhere, planned by stage {planned}"
        ]

    def heading(self) -> list[str]:
        """What the plan is, for the head of a file."""
        plan, strategy = self.plan, self.plan.strategy
        low, high = plan.interval
        return [
            f"{plan.model} on {strategy.devices} devices of {plan.cluster}, written by intarsia with plan.json.",
            f"Predicted: {seconds_text(plan.seconds)} an iteration ({seconds_text(low)} to {seconds_text(high)}).",
        ]


@dataclass(frozen=True, slots=True)
class Export:
    """A launch file.

    Attributes:
        text: of the file.
        notes: what the framework does otherwise than planned, and what the reader must add.
    """

    text: str
    notes: tuple[str, ...]


def commented(lines: list[str], notes: list[str]) -> list[str]:
    """A heading and notes as comments of shell or TOML."""
    told = ["# Not as planned, or to be added:", *(f"# - {note}" for note in notes)] if notes else []
    return [*(f"# {line}" for line in lines), *told]
