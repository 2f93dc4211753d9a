"""Do operations agree with the formulas that people count utilisation with?"""

from dataclasses import replace

import pytest

from intarsia.graph import Attention, Variant
from intarsia.models.transformer import find_model, from_sizes, model_names


@pytest.mark.parametrize(("hidden", "heads", "layers"), [(2304, 24, 24), (6144, 48, 40), (12288, 96, 80)])
def test_gpt_is_narayanans_formula(hidden, heads, layers):
    # Narayanan et al., SC'21, eq. 3: 96 B s l h² (1 + s/6h + V/16lh) computes each block twice forward. Without that
    # the blocks' 96 become 72 and the logits, never computed again, keep their 6 B s h V.
    s, vocab = 2048, 51200
    model = from_sizes(hidden=hidden, heads=heads, layers=layers, sequence=s, vocab=vocab)
    whole = 96 * s * layers * hidden**2 * (1 + s / (6 * hidden) + vocab / (16 * layers * hidden))
    once = 72 * s * layers * hidden**2 * (1 + s / (6 * hidden) + vocab / (12 * layers * hidden))
    assert model.flops(s) == pytest.approx(once, rel=1e-12)
    chain = model.layers(Variant(1, s, attention=Attention.EAGER))
    again = sum(layer.repeat * layer.forward_flops for layer in chain if layer.checkpointed)
    assert model.flops(s) + again == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("name", model_names())
def test_layers_add_up_to_the_model(name):
    model = find_model(name)
    s = min(model.sequence, 4096)
    layers = model.layers(Variant(2, s, attention=Attention.EAGER))
    forward = sum(layer.repeat * layer.forward_flops for layer in layers)
    backward = sum(layer.repeat * layer.backward_flops for layer in layers)
    assert backward == 2 * forward
    assert forward + backward == pytest.approx(2 * model.flops(s), rel=2e-3)  # BERT's pooler; whole tokens per expert


@pytest.mark.parametrize("name", model_names())
def test_six_operations_for_each_active_parameter(name):
    model = find_model(name)
    s = min(model.sequence, 4096)
    attention = 6 * model.blocks * s * model.heads * (model.query_width + model.value_width)
    tables = model.vocab * model.table_width * (not model.tied) + model.position_rows * model.hidden
    products = 6 * (model.active_parameters - tables)
    assert model.flops(s) / s == pytest.approx(products + attention, rel=0.01)


@pytest.mark.parametrize("tensor", [2, 4, 8])
def test_tensor_ranks_share_the_work(tensor):
    model = replace(find_model("llama3-8b"), vocab=128 * 8 * 16)
    whole = model.layers(Variant(1, 4096))
    parts = model.layers(Variant(1, 4096, tensor=tensor, sequence_parallel=True))
    for one, part in zip(whole, parts, strict=True):
        assert one.forward_flops == tensor * part.forward_flops
        assert one.backward_flops == tensor * part.backward_flops


def test_context_ranks_share_the_work():
    model = find_model("llama3-8b")
    for attention in Attention:
        whole = model.layers(Variant(1, 8192, attention=attention))
        parts = model.layers(Variant(1, 8192, context=4, attention=attention))
        assert [x.forward_flops for x in whole] == [4 * x.forward_flops for x in parts]


def test_flash_skips_half_of_the_scores():
    model = find_model("llama3-8b")
    s = 8192
    eager = model.layers(Variant(1, s, attention=Attention.EAGER))[1].forward_flops
    flash = model.layers(Variant(1, s))[1].forward_flops
    assert eager - flash == 2 * s * s * model.heads * model.head_width
