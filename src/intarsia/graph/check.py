"""A solver-free proof that layers are what they claim to be, whoever made them; an empty answer is a good one.

Kernels of a backward pass are named after the product X that they differentiate: ``X.input`` and ``X.weight``, or
``X.left`` and ``X.right`` where neither operand is a weight. Rows added into a table T are ``T.weight``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from intarsia.graph.layer import Layer, Node
from intarsia.graph.model import Model
from intarsia.graph.serving import ServedLayer
from intarsia.graph.variant import Variant
from intarsia.graph.work import Collective, Contraction, Elementwise, FusedAttention, Lookup, Work

DERIVATIVES = frozenset({"input", "weight", "left", "right"})
OPTIONAL = frozenset({"accumulates", "causal", "latent", "unique_bytes", "window"})
VECTORS = 16
"""Biases, scales and shifts that a layer may have for each side of a product."""


def check_model(model: Model, variant: Variant) -> tuple[str, ...]:
    """What is wrong with a model's layers at a variant.

    Uncut, and at a sequence that no table has to grow for, the weights of the layers must be the model's.
    """
    layers = model.layers(variant)
    wrong = list(check_layers(layers))
    if variant.tensor == variant.expert == 1 and variant.sequence <= model.sequence:
        own = sum(x.repeat * (x.parameters + x.expert_parameters) - x.tied_parameters for x in layers)
        if own != model.parameters:
            wrong.append(f"{model.name}: layers have {own} parameters, the model {model.parameters}")
    return tuple(wrong)


def check_layers(layers: tuple[Layer, ...]) -> tuple[str, ...]:
    """What is wrong with a chain of layers."""
    names = [layer.name for layer in layers]
    wrong = [f"two layers are named {name}" for name in dict.fromkeys(names) if names.count(name) > 1]
    for i, layer in enumerate(layers):
        if layer.tied and layer.tied not in names[:i]:
            wrong.append(f"{layer.name}: tied to {layer.tied}, which does not come before it")
        wrong += [f"{layer.name}: {text}" for text in _layer(layer)]
    return tuple(wrong)


def check_served(layers: tuple[ServedLayer, ...]) -> tuple[str, ...]:
    """What is wrong with a chain of layers that a model answers with."""
    wrong: list[str] = []
    for i, layer in enumerate(layers):
        found = [f"repeats {layer.repeat} times"] if layer.repeat < 1 else []
        found += [f"{name} is {value}" for name, value in layer.sizes().items() if value < 0]
        if layer.tied and layer.tied not in [before.name for before in layers[:i]]:
            found.append(f"tied to {layer.tied}, which does not come before it")
        if layer.missed > 1:
            found.append(f"misses an expert with the chance {layer.missed}")
        held = layer.weight_bytes + layer.experts * layer.expert_bytes
        read = layer.read_bytes
        if read > held:
            found.append(f"products read {read} bytes of weights, the layer has {held}")
        found += [f"keeps {node.kept_bytes} bytes in {node.name}" for node in layer.nodes if node.kept_bytes]
        wrong += [f"{layer.name}: {text}" for text in (*found, *_pass(layer.nodes))]
    return tuple(wrong)


def _layer(layer: Layer) -> Iterator[str]:
    if layer.repeat < 1:
        yield f"repeats {layer.repeat} times"
    for name in ("parameters", "expert_parameters", "input_bytes", "output_bytes", "tied_parameters"):
        if getattr(layer, name) < 0:
            yield f"{name} is {getattr(layer, name)}"
    if layer.tied_parameters > layer.parameters:
        yield f"{layer.tied_parameters} of {layer.parameters} parameters are tied"
    for title, nodes in (("forward", layer.forward), ("backward", layer.backward)):
        yield from (f"{title}: {text}" for text in _pass(nodes))
    yield from _derivatives(layer)
    yield from _weights(layer)


def _pass(nodes: tuple[Node, ...]) -> Iterator[str]:
    seen: set[str] = set()
    for node in nodes:
        if node.name in seen:
            yield f"two nodes are named {node.name}"
        for need in node.needs:
            if need not in seen:
                yield f"{node.name} needs {need}, which does not come before it"
        seen.add(node.name)
        if node.kept_bytes < 0:
            yield f"{node.name} keeps {node.kept_bytes} bytes"
        yield from (f"{node.name}: {text}" for text in _sizes(node.work))


def _sizes(work: Work) -> Iterator[str]:
    match work:
        case Elementwise(functions, read, written):
            yield from (f"{name} of {count} elements" for name, count in functions if count < 1)
            if min(read, written) < 0:  # none where another kernel has them on the chip
                yield f"reads {read} bytes, writes {written}"
        case Contraction() | FusedAttention() | Lookup() | Collective():
            given = {field.name: getattr(work, field.name) for field in fields(work)}
            sizes = {name: n for name, n in given.items() if isinstance(n, int) and name not in OPTIONAL}
            yield from (f"{name} is {size}" for name, size in sizes.items() if size < 1)


def _derivatives(layer: Layer) -> Iterator[str]:
    """Each derivative of a product costs what the product costs, so that a product with weights costs twice that."""
    forward = {node.name: node.work for node in layer.forward if isinstance(node.work, Contraction)}
    for node in layer.backward:
        stem, _, what = node.name.rpartition(".")
        if not isinstance(node.work, Contraction) or what not in DERIVATIVES:
            continue
        if what == "input" and node.work.spec:
            continue  # a window's input gradient may also meet zeros
        product = forward.get(stem)
        if product is None:
            yield f"backward: {node.name} differentiates no product of the forward pass"
        elif node.work.flops != product.flops:
            yield f"backward: {node.name} has {node.work.flops} operations, {stem} has {product.flops}"


def _weights(layer: Layer) -> Iterator[str]:
    """Weights of products are the shapes of their gradients; the rest are tables, biases and norms."""
    products = [n.work for n in layer.backward if isinstance(n.work, Contraction) and n.work.accumulates]
    inside = sum(work.batch * work.m * work.n for work in products)
    held = layer.parameters + layer.expert_parameters
    if inside > held:
        yield f"products have {inside} weights, the layer has {held} parameters"
    tables = any(not isinstance(node.work, Contraction) and node.name.endswith(".weight") for node in layer.backward)
    vectors = VECTORS * sum(work.batch * (work.m + work.n) for work in products)
    if held - inside > vectors and not tables:
        yield f"of {held} parameters, {held - inside} belong to no product"
