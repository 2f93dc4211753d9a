"""The layers of a graph at a variant: cut, folded, given a backward pass, fused."""

from __future__ import annotations

import re
from dataclasses import replace

from intarsia.graph.backward import backward
from intarsia.graph.cut import cut
from intarsia.graph.draft import finished
from intarsia.graph.fold import fold, is_tied
from intarsia.graph.forward import forward, mask_of, scale_of
from intarsia.graph.fuse import fuse
from intarsia.graph.layer import Layer, Node
from intarsia.graph.names import common, distinct
from intarsia.graph.part import ACTIVATION_BYTES, Part, is_heavy, kept_of
from intarsia.graph.step import Steps
from intarsia.graph.variant import Variant

NamedPart = tuple[str, Part, int]
"""A layer's name, its steps, and how often it repeats."""


def parts_of(graph: Steps) -> tuple[NamedPart, ...]:
    """The chain of a graph, which no variant changes."""
    folded = fold(cut(graph))
    names = distinct([common([step.name for step in part.steps]) for part, _ in folded])
    return tuple((name, part, repeat) for name, (part, repeat) in zip(names, folded, strict=True))


def layers_of(parts: tuple[NamedPart, ...], variant: Variant) -> tuple[Layer, ...]:
    """The same chain as layers, of which no device shares another's work."""
    owners: dict[str, str] = {}
    layers: list[Layer] = []
    for name, part, repeat in parts:
        shared = {weight: size for weight, size in part.weights.items() if weight in owners}
        layer = _layer(name, part, repeat, variant)
        if is_tied(part, owners):
            owner = owners[max(shared, key=lambda weight: shared[weight])]
            layer = replace(layer, tied=owner, tied_parameters=sum(shared.values()))
        layers.append(layer)
        owners |= {weight: name for weight in part.weights if weight not in owners}
    return tuple(layers)


def _layer(name: str, part: Part, repeat: int, variant: Variant) -> Layer:
    scale = scale_of(part, variant)
    kept: dict[str, int] = {root: scale.bytes_of(root) for root in part.kept_inputs}
    for step in part.steps:
        if step.name in part.trained:
            kept |= {tensor: scale.bytes_of(tensor) for tensor in kept_of(step, scale.roots, part.trained)}
            kept |= dict(mask_of(step, scale))
    if not part.last:
        kept.pop(part.output, None)  # the next layer keeps it as its input
    ahead = fuse(forward(part, scale), frozenset((*kept, part.output)))
    back = fuse(backward(part, scale), frozenset({f"gradient of {part.boundary}"}))
    inputs = [size for tensor, size in part.inputs if tensor == part.boundary] or [size for _, size in part.inputs]
    return Layer(
        name,
        repeat,
        _shortened(finished(ahead, kept), part, name),
        _shortened(finished(back, {}), part, name),
        sum(part.weights.values()),
        0,
        ACTIVATION_BYTES * variant.microbatch * sum(inputs),
        scale.bytes_of(part.output),
        checkpointed=sum(map(is_heavy, part.steps)) > 1,
    )


def _shortened(nodes: tuple[Node, ...], part: Part, layer: str) -> tuple[Node, ...]:
    """Nodes without the name of their layer in their own, unless it is a node's whole name."""
    if any(step.name.strip("./") == layer for step in part.steps):
        return nodes
    names = {node.name: re.sub(rf"^[./]*{re.escape(layer)}[./]", "", node.name) for node in nodes}
    return tuple(
        Node(names[n.name], n.work, tuple(names[need] for need in n.needs), n.kept_bytes, n.core) for n in nodes
    )
