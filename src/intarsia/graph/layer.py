"""A layer as a small graph of nodes, forward and backward, and the chain of layers that a model is."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.graph.variant import Recompute
from intarsia.graph.work import Contraction, FusedAttention, Work


@dataclass(frozen=True, slots=True)
class Node:
    """One kernel of a layer.

    Attributes:
        name: unique in its pass of its layer.
        work: what it does.
        needs: names of nodes of the same pass that come before it.
        kept_bytes: what it leaves for the backward pass, each tensor counted once, where nothing is recomputed.
        core: it belongs to the attention core, which selective recomputation computes again.
    """

    name: str
    work: Work
    needs: tuple[str, ...] = ()
    kept_bytes: int = 0
    core: bool = False


@dataclass(frozen=True, slots=True)
class Layer:
    """Equal layers of a model, kept once, as one device of a variant sees them.

    Attributes:
        name: what it is (embedding, attention and feed-forward block, head, …).
        repeat: how many equal ones follow each other.
        forward: nodes in an order that respects ``needs``.
        backward: the same, for the gradients of inputs and of weights.
        parameters: weights on one device that all data-parallel devices share, elements.
        expert_parameters: weights on one device that are cut over the expert group, elements.
        input_bytes: the layer's input, all that full recomputation keeps.
        output_bytes: what the next pipeline stage is sent.
        tied: name of an earlier layer whose weights this one uses (an LM head that is the embedding), or empty;
            its ``tied_parameters`` are then counted only where the two are on different stages.
        tied_parameters: how many of ``parameters`` are those.
        checkpointed: full recomputation applies to it, as it does to blocks; embedding, head and loss keep what they
            keep and compute nothing again.
    """

    name: str
    repeat: int
    forward: tuple[Node, ...]
    backward: tuple[Node, ...]
    parameters: int
    expert_parameters: int
    input_bytes: int
    output_bytes: int
    tied: str = ""
    tied_parameters: int = 0
    checkpointed: bool = True

    def kept_bytes(self, recompute: Recompute) -> int:
        """Activations of one microbatch that one such layer keeps for its backward pass."""
        if recompute is Recompute.FULL and self.checkpointed:
            return self.input_bytes
        again = {node.name for node in self.recomputed(recompute)}
        return sum(node.kept_bytes for node in self.forward if node.name not in again)

    def recomputed(self, recompute: Recompute) -> tuple[Node, ...]:
        """The nodes of the forward pass that the backward pass computes again."""
        match recompute:
            case Recompute.FULL:
                return self.forward if self.checkpointed else ()
            case Recompute.SELECTIVE:
                return tuple(node for node in self.forward if node.core)
            case Recompute.NONE:
                return ()

    @property
    def forward_flops(self) -> int:
        """Operations of the contractions of one such layer, forward."""
        return _flops(self.forward)

    @property
    def backward_flops(self) -> int:
        """Operations of the contractions of one such layer, backward, without recomputation."""
        return _flops(self.backward)


def _flops(nodes: tuple[Node, ...]) -> int:
    return sum(node.work.flops for node in nodes if isinstance(node.work, Contraction | FusedAttention))
