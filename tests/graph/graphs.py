"""Small graphs for tests, in one line each."""

from __future__ import annotations

from intarsia.graph import Product, Step, Steps, Variant, Vector, View, layers_of, parts_of


def linear(name, x, n, k, m=1, weight=None):
    return Step(name, Product(1, m, n, k, weight=True), (x,), m * n, ((weight or f"{name}.weight", n * k),))


def vector(name, rule, *inputs, elements, weights=()):
    return Step(name, Vector(rule, elements), inputs, elements, weights)


def view(name, x, elements):
    return Step(name, View(), (x,), elements)


def layers(*steps, inputs=(("x", 8),), microbatch=1, **variant):
    graph = Steps(inputs, steps, steps[-1].name)
    return layers_of(parts_of(graph), Variant(microbatch, 0, **variant))


def named(nodes):
    return {node.name: node for node in nodes}
