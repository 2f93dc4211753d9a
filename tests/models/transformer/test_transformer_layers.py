"""Are the layers of any transformer at any variant well formed, and what is in them?"""

from dataclasses import fields, replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intarsia.graph import Attention, Contraction, Dtype, Elementwise, Variant, check_model
from intarsia.ground import InputError
from intarsia.models.transformer import find_model, from_sizes, model_names
from intarsia.models.transformer.kinds import Activation, Experts, Latent, Norm, Positions
from intarsia.models.transformer.transformer import Transformer
from intarsia.models.transformer.vit import VISION

FORWARD = """\
attention-norm qkv scores softmax attention-dropout values copy projection projection.reduce attention-add
feed-norm up activation down down.reduce feed-add"""
BACKWARD = """\
feed-add.back feed-add.bias down.input down.weight activation.back up.bias up.input up.weight up.reduce
feed-norm.scale feed-norm.back feed-join
attention-add.back attention-add.bias projection.input projection.weight values.right values.left
attention-dropout.back softmax.back scores.right scores.left merge qkv.bias qkv.input qkv.weight qkv.reduce
attention-norm.scale attention-norm.back attention-join"""


@pytest.mark.parametrize("name", [*model_names(), *VISION])
def test_every_model_at_many_variants(name):
    model = VISION[name] if name in VISION else find_model(name)
    sequence = min(1024, model.sequence or 1024)
    dtypes = (Dtype.BF16, Dtype.FP8)
    legal = 0
    for tensor, scattered, context, expert, attention, dtype in product(
        (1, 8), (False, True), (1, 2), (1, 4), Attention, dtypes
    ):
        variant = Variant(2, sequence, tensor, scattered, context, expert, attention, dtype)
        if not model.refusal(variant):
            legal += 1
            assert check_model(model, variant) == ()
    assert legal >= 4


@st.composite
def transformers(draw):
    kv, group, width = (
        draw(st.sampled_from([1, 2, 4])),
        draw(st.sampled_from([1, 2, 4])),
        draw(st.sampled_from([8, 64])),
    )
    hidden = kv * group * width
    flags = {field.name: draw(st.booleans()) for field in fields(Transformer) if field.type == "bool"}
    experts = draw(
        st.sampled_from([None, Experts(8, 2, 64), Experts(4, 3, 32, 64, 1, router_bias=True, shared_gate=True)])
    )
    flags["parallel"] = flags["parallel"] and not flags["post_norm"] and experts is None
    flags["branch_norms"] = flags["branch_norms"] and not flags["parallel"]
    latent = draw(st.sampled_from([None, None, Latent(0, 16, 8, 4, 8), Latent(24, 16, 8, 4, 16)]))
    return Transformer(
        name="any",
        hidden=hidden,
        blocks=draw(st.integers(1, 4)),
        heads=kv * group,
        kv_heads=kv * group if latent else kv,
        head_width=width,
        ffn=draw(st.sampled_from([64, 192])),
        vocab=draw(st.integers(1, 3000)),
        sequence=64,
        activation=draw(st.sampled_from(Activation)),
        norm=draw(st.sampled_from(Norm)),
        positions=draw(st.sampled_from(Positions)),
        position_rows=64,
        rotary_width=width,
        token_types=draw(st.sampled_from([0, 2])),
        embedding_width=draw(st.sampled_from([0, 16])),
        latent=latent,
        experts=experts,
        **flags,
    )


@st.composite
def variants(draw):
    power = st.sampled_from([1, 2, 4])
    return Variant(
        draw(st.integers(1, 3)),
        64,
        draw(power),
        draw(st.booleans()),
        draw(power),
        draw(power),
        draw(st.sampled_from(Attention)),
        draw(st.sampled_from(Dtype)),
    )


@settings(max_examples=60, deadline=None)
@given(transformers(), variants())
def test_any_transformer_at_any_variant(model, variant):
    reason = model.refusal(variant)
    if reason:
        with pytest.raises(InputError, match="any: cannot be cut so"):
            model.layers(variant)
    else:
        assert check_model(model, variant) == ()


def test_kernels_of_a_gpt_block():
    block = find_model("gpt2-xl")
    block = replace(block, heads=24, kv_heads=24, head_width=64, hidden=1536).layers(
        Variant(1, 1024, tensor=2, attention=Attention.EAGER)
    )[1]
    assert [node.name for node in block.forward] == FORWARD.split()
    assert [node.name for node in block.backward] == BACKWARD.split()


def test_equal_blocks_are_one_layer():
    names = [(layer.name, layer.repeat) for layer in find_model("deepseek-v3").layers(Variant(1, 4096, expert=8))]
    assert names == [("embedding", 1), ("block", 3), ("expert-block", 58), ("head", 1), ("loss", 1)]


def test_weight_gradients_are_added_in_four_bytes():
    backward = find_model("llama3-8b").layers(Variant(1, 4096))[1].backward
    weights = [n.work for n in backward if isinstance(n.work, Contraction) and n.name.endswith(".weight")]
    assert [(w.m, w.n, w.k, w.result_bytes, w.accumulates) for w in weights] == [
        (4096, 14336, 4096, 4, True),
        (28672, 4096, 4096, 4, True),
        (4096, 4096, 4096, 4, True),
        (6144, 4096, 4096, 4, True),
    ]


def test_vocabulary_is_padded_only_for_tensor_ranks():
    model = find_model("gpt3-175b")
    for tensor, rows in ((1, 50257), (2, 50432 // 2), (8, 51200 // 8)):
        logits = next(n for n in model.layers(Variant(1, 2048, tensor=tensor))[2].forward if n.name == "logits")
        assert logits.work.n == rows


def test_key_heads_fewer_than_tensor_ranks_are_repeated():
    model = find_model("llama3-70b")
    qkv = [next(n for n in model.layers(Variant(1, 4096, tensor=t))[1].forward if n.name == "qkv") for t in (8, 16)]
    assert [node.work.n for node in qkv] == [(8 + 2) * 128, (4 + 2) * 128]


def test_experts_are_batched_and_balanced():
    forward = find_model("mixtral-8x7b").layers(Variant(1, 4096, expert=4))[1].forward
    up = next(n.work for n in forward if n.name == "experts-up")
    assert (up.batch, up.m, up.n, up.k) == (2, 4096 * 2 * 4 // 8, 2 * 14336, 4096)


def test_expert_weights_are_cut_over_the_expert_group():
    model = find_model("mixtral-8x7b")
    whole, part = (model.layers(Variant(1, 4096, expert=e))[1] for e in (1, 8))
    assert whole.expert_parameters == 8 * part.expert_parameters == 8 * 3 * 4096 * 14336
    assert whole.parameters == part.parameters


def test_tied_head():
    head = find_model("gpt2").layers(Variant(1, 1024))[2]
    assert (head.tied, head.tied_parameters, head.parameters) == ("embedding", 50257 * 768, 50257 * 768 + 2 * 768)
    head = find_model("llama3-8b").layers(Variant(1, 1024))[2]
    assert (head.tied, head.tied_parameters) == ("", 0)


def test_positions_grow_with_the_sequence():
    short, long = (find_model("gpt2").layers(Variant(1, s))[0].parameters for s in (1024, 4096))
    assert long - short == 3072 * 768


def test_eight_bit_operands_are_cast():
    plain, small = (find_model("llama3-8b").layers(Variant(1, 4096, dtype=d))[1] for d in (Dtype.BF16, Dtype.FP8))
    casts = [n.name for n in small.forward if n.name.endswith(".cast")]
    assert casts == ["qkv.cast", "projection.cast", "up.cast", "down.cast"]
    assert len(small.forward) == len(plain.forward) + len(casts)
    assert {n.work.element_bytes for n in small.forward if isinstance(n.work, Contraction)} == {1}


def test_bytes_of_the_fused_addition():
    add = next(n for n in find_model("gpt2").layers(Variant(1, 1024))[1].forward if n.name == "feed-add")
    count = 1024 * 768
    assert add.work == Elementwise((("add", count), ("dropout", count), ("add", count)), 4 * count, 3 * count)


@pytest.mark.parametrize(
    ("name", "cut", "reason"),
    [
        ("gpt2", {"tensor": 8}, "12 heads do not divide by tensor 8"),
        ("llama3-8b", {"context": 3}, "sequence 4096 does not divide by context 3"),
        ("llama3-8b", {"expert": 2}, "expert 2 for a model without experts"),
        ("mixtral-8x7b", {"expert": 3}, "8 experts do not divide by expert 3"),
        ("llama3-8b", {"tensor": 0}, "microbatch, sequence, tensor, context and expert must be at least 1"),
        (
            "bert-large",
            {"tensor": 16, "sequence_parallel": True, "context": 512},
            "8 tokens of a sequence do not divide by tensor 16",
        ),
    ],
)
def test_refusals(name, cut, reason):
    model, variant = find_model(name), Variant(1, 4096, **cut)
    assert model.refusal(variant) == reason
    with pytest.raises(InputError) as error:
        model.layers(variant)
    assert str(error.value) == f"{name}: cannot be cut so: {reason}"


def test_refusals_of_odd_sizes():
    model = from_sizes(hidden=768, heads=12, kv_heads=6, layers=2, sequence=64, vocab=100, ffn=100, gated=True)
    assert model.refusal(Variant(1, 64, tensor=4)) == "6 key heads neither divide by tensor 4 nor divide it"
    assert model.refusal(Variant(1, 64, tensor=3)) == "feed-forward width 100 does not divide by tensor 3"
