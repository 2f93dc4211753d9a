"""Are layers cut, folded, given their backward pass and fused as they should be?"""

from __future__ import annotations

import pytest
from graphs import layers, linear, named, vector, view

from intarsia.graph import (
    Attention,
    Contraction,
    Elementwise,
    FusedAttention,
    Gather,
    Lookup,
    Product,
    Recompute,
    SelfAttention,
    Step,
    check_layers,
)


def block(*steps, elements=8, **variant):
    """The layer of steps that start at ``in``, closed by a sum with it."""
    end = vector("a.end", "add", steps[-1].name, "in", elements=elements)
    _, layer = layers(linear("in", "x", elements, 8), *steps, end, **variant)
    assert not check_layers((layer,))
    return layer


def test_a_product_has_an_input_and_a_weight_gradient_and_the_first_has_no_input_gradient():
    first, second = layers(linear("a", "x", 6, 8, m=5), linear("b", "a", 3, 6, m=5), microbatch=2)
    assert named(first.forward)["a"].work == Contraction(1, 10, 6, 8)
    assert [n.name for n in first.backward] == ["a.weight"]
    back = named(second.backward)
    assert back["b.input"].work == Contraction(1, 10, 6, 3)
    assert back["b.weight"].work == Contraction(1, 6, 3, 10, result_bytes=4, accumulates=True)
    assert back["b.weight"].needs == ()
    assert not check_layers((first, second))


def test_a_product_of_two_activations_has_more_products_for_more_samples():
    a, b = linear("a.left", "in", 12, 8), linear("a.right", "in", 12, 8)
    scores = Step("a.scores", Product(2, 3, 3, 2, weight=False), ("a.left", "a.right"), 18)
    layer = block(a, b, scores, linear("a.out", "a.scores", 8, 18), microbatch=5)
    assert named(layer.forward)["scores"].work == Contraction(10, 3, 3, 2)
    back = named(layer.backward)
    assert back["scores.left"].work == Contraction(10, 3, 2, 3)
    assert back["scores.right"].work == Contraction(10, 2, 3, 3)


def test_gradients_of_a_tensor_that_two_steps_read_are_summed():
    steps = (
        linear("in", "x", 8, 8),
        linear("block.a", "in", 8, 8),
        vector("block.add", "add", "block.a", "in", elements=8),
    )
    _, block = layers(*steps)
    total = named(block.backward)["gradient of the input"]
    assert isinstance(total.work, Elementwise)
    assert total.work.functions == (("add", 8),)
    assert total.needs == ("a.input",)


def test_parts_of_a_tensor_need_no_sum():
    steps = (linear("in", "x", 8, 8), view("left", "in", 4), view("right", "in", 4))
    *_, end = layers(*steps, vector("out", "multiply", "left", "right", elements=4))
    assert "in.sum" not in named(end.backward)


def test_a_branch_that_is_spread_over_more_elements_gets_the_sum_of_the_gradient():
    """Squeeze and excitation: one factor for each channel."""
    gate = (linear("g.gate", "a", 2, 8), vector("g.scale", "multiply", "a", "g.gate", elements=8))
    _, block = layers(linear("a", "x", 8, 8), *gate)
    work = named(block.backward)["scale.back"].work
    assert (work.read_bytes, work.written_bytes) == (2 * (8 + 8 + 2), 2 * (8 + 2))


def test_what_is_kept_is_counted_once_and_with_the_layer_that_reads_it():
    first, second = layers(
        linear("a.linear", "x", 6, 8), vector("a.relu", "relu", "a.linear", elements=6), linear("b", "a.relu", 4, 6)
    )
    assert first.kept_bytes(Recompute.NONE) == 2 * 8  # its input; the result of relu is the next layer's input
    assert second.kept_bytes(Recompute.NONE) == 2 * 6


def test_the_last_layer_keeps_its_own_result_if_its_derivative_needs_it():
    (layer,) = layers(linear("a.linear", "x", 6, 8), vector("a.sigmoid", "sigmoid", "a.linear", elements=6))
    assert layer.kept_bytes(Recompute.NONE) == 2 * (8 + 6)


def test_a_chain_behind_a_product_costs_no_bytes_and_a_kept_input_does():
    relu, gelu = (
        layers(linear("a.linear", "x", 6, 8), vector("a.act", rule, "a.linear", elements=6), linear("b", "a.act", 4, 6))
        for rule in ("relu", "gelu")
    )
    work = named(relu[0].forward)["act"].work
    assert (work.functions, work.bytes_moved) == ((("relu", 6),), 0)
    work = named(gelu[0].forward)["act"].work  # the product's result must be in memory, gelu's beside it
    assert (work.read_bytes, work.written_bytes) == (0, 2 * 6)


def test_pointwise_neighbours_are_one_kernel_and_reductions_are_not_joined_to_what_comes_before():
    norm = vector("n.norm", "batch-norm", "n.linear", elements=6, weights=(("scale", 6),))
    act = vector("n.act", "relu", "n.norm", elements=6)
    (layer,) = layers(linear("n.linear", "x", 6, 8), norm, act)
    assert [n.name for n in layer.forward] == ["linear", "norm+act"]
    work = layer.forward[1].work
    assert work.functions == (("norm", 6), ("add", 6), ("relu", 6))
    assert (work.read_bytes, work.written_bytes) == (2 * 2 * 6 + 2 * 6, 2 * 6)  # twice for the statistics


def test_equal_neighbours_are_folded_also_in_pairs():
    steps = [linear("in", "x", 8, 8)]
    for i in range(5):
        last = steps[-1].name
        steps += [
            linear(f"block{i}.attn", last, 8, 8),
            vector(f"block{i}.sum", "add", f"block{i}.attn", last, elements=8),
        ]
        last = steps[-1].name
        steps += [linear(f"block{i}.wide", last, 16, 8), linear(f"block{i}.narrow", f"block{i}.wide", 8, 16)]
        steps += [vector(f"block{i}.sum2", "add", f"block{i}.narrow", last, elements=8)]
    found = layers(*steps, linear("out", steps[-1].name, 3, 8))
    assert [(layer.name, layer.repeat, layer.parameters) for layer in found] == [
        ("in", 1, 64),
        ("block0", 5, 64 + 256),
        ("out", 1, 24),
    ]


def test_layers_that_differ_are_not_folded():
    found = layers(*(linear(f"l{i}", f"l{i - 1}" if i else "x", 8, 8) for i in range(3)), linear("l3", "l2", 4, 8))
    assert [(layer.name, layer.repeat) for layer in found] == [("l0", 1), ("l1", 2), ("l3", 1)]


def test_a_head_with_the_weights_of_the_embedding_is_tied_and_both_have_gradients():
    table = (("table", 80),)
    steps = (
        Step("tokens", Gather(4, 8), ("ids",), 32, table),
        linear("body", "tokens", 8, 8, m=4),
        Step("logits", Product(1, 4, 10, 8, weight=True), ("body",), 40, table),
    )
    embedding, body, head = layers(*steps, inputs=(("ids", 4),))
    assert (head.tied, head.tied_parameters, head.parameters) == ("tokens", 80, 80)
    assert (body.tied, embedding.tied) == ("", "")
    assert isinstance(named(embedding.backward)["tokens.weight"].work, Lookup)
    assert named(head.backward)["logits.weight"].work.flops == named(head.forward)["logits"].work.flops


@pytest.mark.parametrize("attention", Attention)
def test_attention_is_fused_or_written_out(attention):
    kind = SelfAttention(2, 1, 5, 5, 4, 4, causal=True)
    steps = (linear("a.qkv", "in", 80, 8), *(view(f"a.{x}", "a.qkv", n) for x, n in (("q", 40), ("k", 20), ("v", 20))))
    core = Step("a.core", kind, ("a.q", "a.k", "a.v"), 40)
    layer = block(*steps, core, linear("a.out", "a.core", 8, 40), microbatch=3, attention=attention)
    cores = [node for node in layer.forward if node.core]
    extra = layer.kept_bytes(Recompute.NONE) - layer.kept_bytes(Recompute.SELECTIVE)
    if attention is Attention.FLASH:
        assert [node.work for node in cores] == [FusedAttention(6, 5, 5, 4, 4, 3, causal=True, products=2)]
        assert extra == 4 * 3 * 2 * 5
    else:
        assert [node.name for node in cores] == ["core.scores", "core.softmax", "core.values"]
        assert extra == 2 * 3 * 2 * 5 * 5
        assert layer.backward_flops == 2 * layer.forward_flops


def test_attention_that_is_written_out_in_the_graph_is_the_core_too():
    steps = (
        *(linear(f"a.{x}", "in", 12, 8) for x in "qkv"),
        Step("a.scores", Product(2, 3, 3, 2, weight=False), ("a.q", "a.k"), 18),
        vector("a.softmax", "softmax", "a.scores", elements=18),
        Step("a.values", Product(2, 3, 2, 3, weight=False), ("a.softmax", "a.v"), 12),
    )
    layer = block(*steps, linear("a.out", "a.values", 8, 12))
    assert [node.name for node in layer.forward if node.core] == ["scores", "softmax", "values"]
    assert layer.kept_bytes(Recompute.NONE) - layer.kept_bytes(Recompute.SELECTIVE) == 2 * 18
