"""For any graph: do layers pass the check, and does nothing get lost by cutting, folding and fusing?"""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from intarsia.graph import (
    Contraction,
    Elementwise,
    Product,
    Recompute,
    Step,
    Steps,
    Variant,
    Vector,
    View,
    check_layers,
    layers_of,
    live,
    parts_of,
)
from intarsia.graph.backward import backward
from intarsia.graph.cut import cut
from intarsia.graph.fold import fold
from intarsia.graph.forward import forward, scale_of
from intarsia.graph.part import trained_of
from intarsia.graph.rules import RULES

WIDTH = 8


@st.composite
def graphs(draw):
    """Steps of one width, each reading one or two recent tensors; runs of equal steps, so that there is folding."""
    linear = Product(1, 1, WIDTH, WIDTH, weight=True)
    steps = [Step("s0", linear, ("x",), WIDTH, (("s0.w", WIDTH * WIDTH),))]
    names = ["s0"]
    for i in range(1, draw(st.integers(1, 14))):
        name = f"s{i}"
        recent = st.sampled_from(names[-3:])
        match draw(st.sampled_from(["linear", "linear", "unary", "binary", "view", "product"])):
            case "linear":
                steps.append(Step(name, linear, (names[-1],), WIDTH, ((f"{name}.w", WIDTH * WIDTH),)))
            case "unary":
                rule = draw(st.sampled_from(["relu", "gelu", "norm", "softmax", "dropout", "batch-norm", "scale"]))
                steps.append(Step(name, Vector(rule, WIDTH), (draw(recent),), WIDTH))
            case "binary":
                rule = draw(st.sampled_from(["add", "multiply", "divide"]))
                steps.append(Step(name, Vector(rule, WIDTH), (draw(recent), names[-1]), WIDTH))
            case "view":
                steps.append(Step(name, View(), (draw(recent),), draw(st.sampled_from([WIDTH, WIDTH // 2]))))
            case _:
                kind = Product(2, 2, 2, 2, weight=False)
                steps.append(Step(name, kind, (draw(recent), names[-1]), WIDTH))
        names.append(name)
    steps.append(Step("end", Product(1, 1, 4, WIDTH, weight=True), (names[-1],), 4, (("end.w", 4 * WIDTH),)))
    return live(Steps((("x", WIDTH),), tuple(steps), "end"))


@given(graphs(), st.integers(1, 3))
@settings(max_examples=60)
def test_layers_pass_the_check_and_keep_all_operations(graph, microbatch):
    layers = layers_of(parts_of(graph), Variant(microbatch, 0))
    assert check_layers(layers) == ()
    products = [step for step in graph.steps if isinstance(step.kind, Product)]
    expected = sum(2 * s.kind.batch * s.kind.m * s.kind.n * s.kind.k for s in products)
    assert sum(layer.repeat * layer.forward_flops for layer in layers) == microbatch * expected


@given(graphs())
@settings(max_examples=60)
def test_every_product_has_all_its_gradients(graph):
    trained = trained_of(graph.steps)
    expected = 0
    for step in graph.steps:
        if isinstance(step.kind, Product):
            expected += step.kind.weight + sum(name in trained for name in step.inputs)
    layers = layers_of(parts_of(graph), Variant(1, 0))
    found = sum(layer.repeat * sum(isinstance(n.work, Contraction) for n in layer.backward) for layer in layers)
    assert found == expected


@given(graphs())
@settings(max_examples=60)
def test_fusing_keeps_the_functions_and_saves_bytes(graph):
    variant = Variant(2, 0)
    for (_, part, _), layer in zip(parts_of(graph), layers_of(parts_of(graph), variant), strict=True):
        scale = scale_of(part, variant)
        for drafts, nodes in ((forward(part, scale), layer.forward), (backward(part, scale), layer.backward)):
            alone = [d for d in drafts if isinstance(d.work, Elementwise)]
            fused = [n.work for n in nodes if isinstance(n.work, Elementwise)]
            assert Counter(f for d in alone for f in d.work.functions) == Counter(f for w in fused for f in w.functions)
            assert sum(w.bytes_moved for w in fused) <= sum(n for d in alone for _, n in (*d.reads, *d.writes))


@given(graphs())
@settings(max_examples=60)
def test_what_is_kept_is_each_tensor_once_however_the_graph_is_cut(graph):
    """The twin: every tensor that some derivative needs, over the whole graph."""
    trained, roots = trained_of(graph.steps), {"x": "x"}
    kept: dict[str, int] = {}
    for step in graph.steps:
        roots[step.name] = roots[step.inputs[0]] if isinstance(step.kind, View) else step.name
        inputs = {roots[name] for name in step.inputs}
        rule = RULES[step.kind.rule] if isinstance(step.kind, Vector) else None
        if step.name not in trained or isinstance(step.kind, View):
            continue
        needed = inputs if rule is None or rule.keeps_inputs else set()
        needed |= {step.name} if rule and rule.keeps_result else set()
        kept |= dict.fromkeys(needed, 2 * WIDTH)
        if rule and rule.mask_bytes:
            kept[f"{step.name}.mask"] = rule.mask_bytes * WIDTH
    layers = layers_of(tuple((str(i), part, n) for i, (part, n) in enumerate(fold(cut(graph)))), Variant(1, 0))
    assert sum(layer.repeat * layer.kept_bytes(Recompute.NONE) for layer in layers) == sum(kept.values())
