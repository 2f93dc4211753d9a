"""A model as a chain of layers, each a small graph of nodes with what they do, forward and backward."""

from intarsia.graph.layer import Layer, Node
from intarsia.graph.model import Model
from intarsia.graph.variant import Attention, Dtype, Recompute, Variant
from intarsia.graph.work import (
    Collective,
    Contraction,
    Elementwise,
    FusedAttention,
    Group,
    Lookup,
    Pattern,
    Work,
)

__all__ = [
    "Attention",
    "Collective",
    "Contraction",
    "Dtype",
    "Elementwise",
    "FusedAttention",
    "Group",
    "Layer",
    "Lookup",
    "Model",
    "Node",
    "Pattern",
    "Recompute",
    "Variant",
    "Work",
]
