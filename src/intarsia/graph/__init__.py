"""A model as a chain of layers, each a small graph of nodes with what they do, forward and backward."""

from intarsia.graph.check import check_layers, check_model, check_served
from intarsia.graph.convolution import Convolution
from intarsia.graph.derive import NamedPart, layers_of, parts_of
from intarsia.graph.layer import Layer, Node
from intarsia.graph.live import live
from intarsia.graph.model import Model
from intarsia.graph.serving import Phase, Servable, ServedLayer, Serving, met_experts
from intarsia.graph.step import Gather, Kind, Product, SelfAttention, Step, Steps, Vector, View
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
    "Convolution",
    "Dtype",
    "Elementwise",
    "FusedAttention",
    "Gather",
    "Group",
    "Kind",
    "Layer",
    "Lookup",
    "Model",
    "NamedPart",
    "Node",
    "Pattern",
    "Phase",
    "Product",
    "Recompute",
    "SelfAttention",
    "Servable",
    "ServedLayer",
    "Serving",
    "Step",
    "Steps",
    "Variant",
    "Vector",
    "View",
    "Work",
    "check_layers",
    "check_model",
    "check_served",
    "layers_of",
    "live",
    "met_experts",
    "parts_of",
]
