"""What do layers cost and keep when a model answers?"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product
from math import ceil

import pytest

from intarsia.graph import (
    Collective,
    Contraction,
    Dtype,
    FusedAttention,
    Group,
    Pattern,
    Phase,
    Serving,
    Variant,
    check_served,
)
from intarsia.ground import InputError
from intarsia.models.transformer import find_model, from_sizes, model_names
from intarsia.models.transformer.experts import missed_experts
from intarsia.models.transformer.kinds import Experts

CAUSAL = [name for name in model_names() if find_model(name).causal]
PHASES = list(Phase)


def layers(name, phase, sequences=3, context=500, **cut):
    return find_model(name).served(Serving(phase, sequences, context, **cut))


def work(layer, node):
    return next(n.work for n in layer.nodes if n.name == node)


def blocks(name, phase, **cut):
    return [layer for layer in layers(name, phase, **cut) if layer.block]


def shared(name):
    """A tensor degree that the model has."""
    return 5 if name == "gpt2-xl" else 2


def flops(chain):
    works = [(layer.repeat, n.work) for layer in chain for n in layer.nodes]
    return sum(times * w.flops for times, w in works if isinstance(w, Contraction | FusedAttention))


@pytest.mark.parametrize(
    ("name", "published"),
    [("deepseek-v3", 70_272), ("llama3-405b", 516_096), ("llama3-70b", 327_680), ("llama3-8b", 128 << 10)],
)
def test_bytes_of_the_cache_are_the_published_ones(name, published):
    # Zhao et al. 2025 (arXiv 2505.09343), table 1; Llama-3 70B has the layers and key heads of its Qwen-2.5 72B
    # Llama-3 8B: 128 KiB (news.future-shock.ai, The weight of remembering)
    assert sum(layer.repeat * layer.cache_bytes for layer in layers(name, Phase.DECODE)) == published


def test_latent_attention_keeps_576_values_a_token_and_layer_on_every_rank():
    # DeepSeek-AI 2024 (arXiv 2412.19437), section 4.2: 512 of keys and values, 64 of the rotated key
    for tensor in (1, 8, 64):
        assert {layer.cache_bytes for layer in blocks("deepseek-v3", Phase.DECODE, tensor=tensor)} == {2 * 576}


def test_key_heads_are_cut_over_tensor_ranks_until_one_is_left():
    found = [blocks("llama3-70b", Phase.DECODE, tensor=t)[0].cache_bytes for t in (1, 2, 4, 8, 16, 32)]
    assert found == [4096, 2048, 1024, 512, 512, 512]


def test_a_window_of_4096_keeps_an_eighth_of_32768_tokens():
    # Jiang et al. 2023 (arXiv 2310.06825), section 2
    (block,) = blocks("mistral-7b", Phase.DECODE)
    assert block.kept_tokens(32768) * 8 == 32768
    assert block.kept_tokens(100) == 100
    assert work(blocks("mistral-7b", Phase.DECODE, context=32768)[0], "attention").keys == 4096


def test_every_other_block_of_gemma_2_sees_everything():
    kinds = [(layer.window, layer.repeat) for layer in blocks("gemma2-9b", Phase.DECODE, context=8000)]
    assert kinds == [(4096, 1), (0, 1)] * 21
    seen = [work(layer, "attention").keys for layer in blocks("gemma2-9b", Phase.DECODE, context=8000)]
    assert seen == [4096, 8000] * 21


@pytest.mark.parametrize("tensor", [1, 4, 16])
def test_decode_has_the_query_heads_of_a_key_head_as_rows(tensor):
    attention = work(blocks("llama3-70b", Phase.DECODE, tensor=tensor)[0], "attention")
    heads, keys = 64 // tensor, max(8 // tensor, 1)
    assert (attention.batch, attention.queries, attention.keys) == (3 * keys, heads // keys, 500)
    assert attention.flops == 2 * 3 * heads * 500 * (128 + 128)
    assert attention.bytes_moved == 2 * (3 * heads * 256 + 3 * keys * 500 * 256)


def test_latent_decode_reads_the_narrow_vectors_once():
    attention = work(blocks("deepseek-v3", Phase.DECODE)[0], "attention")
    assert (attention.batch, attention.queries, attention.query_width, attention.value_width) == (3, 128, 576, 512)
    queries = 3 * 128 * (576 + 512)
    assert attention.bytes_moved == 2 * (queries + 3 * 500 * 576)


@pytest.mark.parametrize("name", CAUSAL)
@pytest.mark.parametrize("phase", PHASES)
def test_layers_are_what_they_claim(name, phase):
    for cut in ({}, {"tensor": shared(name)}, {"dtype": Dtype.FP8, "cache": Dtype.FP8}):
        assert check_served(layers(name, phase, **cut)) == ()


@pytest.mark.parametrize("name", [name for name in CAUSAL if not find_model(name).experts])
def test_reading_a_prompt_computes_what_training_does_forward(name):
    model = replace(find_model(name), window=0)
    tensor = shared(name)
    trained = [layer for layer in model.layers(Variant(3, 500, tensor=tensor)) if layer.checkpointed]
    served = [layer for layer in model.served(Serving(Phase.PREFILL, 3, 500, tensor=tensor)) if layer.block]
    assert flops(served) == sum(layer.repeat * layer.forward_flops for layer in trained)


@pytest.mark.parametrize("name", ["llama3-8b", "gpt3-175b", "gpt-neox-20b", "qwen3-8b"])
def test_decode_multiplies_each_weight_once_for_each_sequence(name):
    model = find_model(name)
    chain = layers(name, Phase.DECODE)
    products = sum(
        layer.repeat * n.work.n * n.work.k for layer in chain for n in layer.nodes if isinstance(n.work, Contraction)
    )
    attention = model.blocks * 2 * 500 * model.heads * 2 * model.head_width
    assert flops(chain) == 3 * (2 * products + attention)
    tables = 0 if model.tied else model.vocab * model.hidden
    assert products == pytest.approx(model.parameters - tables, rel=0.01)


def test_latent_decode_multiplies_the_same_weights_as_training():
    (block, *_) = blocks("deepseek-v3", Phase.DECODE)
    trained = next(layer for layer in find_model("deepseek-v3").layers(Variant(1, 500)) if layer.repeat == 3)
    per_token = sum(n.work.n * n.work.k for n in trained.forward if isinstance(n.work, Contraction))
    absorbed = sum(n.work.batch * n.work.n * n.work.k for n in block.nodes if isinstance(n.work, Contraction))
    assert absorbed == per_token


def test_the_head_works_on_the_last_token_of_each_sequence():
    for phase in PHASES:
        head = layers("llama3-8b", phase, tensor=4)[-1]
        assert work(head, "logits").m == 3
        vocab = work(head, "logits").n
        assert work(head, "logits.gather") == Collective(Pattern.ALL_GATHER, Group.TENSOR, 2 * 3 * vocab * 4)
        assert work(head, "next-token").functions == (("compare", 3 * vocab * 4),)


@pytest.mark.parametrize(("count", "chosen", "tokens"), [(6, 2, 3), (5, 1, 4), (4, 3, 2)])
def test_experts_that_are_met_are_those_of_all_choices_counted(count, chosen, tokens):
    choices = list(combinations(range(count), chosen))
    drawn = list(product(choices, repeat=tokens))
    mean = sum(len(set().union(*draw)) for draw in drawn) / len(drawn)
    missed = missed_experts(Experts(count, chosen, 1), tokens, 1)
    assert count * (1 - missed) == pytest.approx(mean)


@pytest.mark.parametrize(("sequences", "expert", "met"), [(1, 1, 8), (4, 1, 31), (4, 8, 21), (4000, 8, 32)])
def test_decode_reads_the_experts_that_are_met(sequences, expert, met):
    chain = layers("deepseek-v3", Phase.DECODE, sequences=sequences, expert=expert)
    (block,) = [layer for layer in chain if layer.experts]
    up = work(block, "experts-up")
    assert (block.experts, block.hit, up.batch) == (256 // expert, met, met)
    assert met == ceil(256 // expert * (1 - (1 - 8 / 256) ** (sequences * expert)) - 1e-9)
    assert up.batch * (up.m - 1) < sequences * 8 <= up.batch * up.m


def test_a_window_skips_the_pairs_outside_it():
    chain = replace(find_model("mistral-7b"), window=16).served(Serving(Phase.PREFILL, 1, 64))
    attention = work(chain[1], "attention")
    pairs = sum(min(i + 1, 16) for i in range(64))
    # half of the diagonal counts, as without a window
    assert attention.flops == 2 * attention.batch * (pairs - 16 // 2) * 2 * 128
    assert replace(attention, window=0).flops == attention.batch * 64 * 64 * 2 * 128


def test_bytes_follow_the_types():
    plain, small = (blocks("llama3-70b", Phase.DECODE, dtype=d)[0] for d in (Dtype.BF16, Dtype.FP8))
    assert plain.weight_bytes == 2 * small.weight_bytes
    assert work(small, "up").element_bytes == 1
    assert small.cache_bytes == plain.cache_bytes
    cached = blocks("llama3-70b", Phase.DECODE, cache=Dtype.FP8)[0]
    assert 2 * cached.cache_bytes == plain.cache_bytes
    assert work(cached, "attention").element_bytes == 1
    ends = [layers("llama3-70b", Phase.DECODE, dtype=d)[-1].weight_bytes for d in (Dtype.BF16, Dtype.FP8)]
    assert ends[0] == ends[1]


def test_all_weights_are_there():
    for name in ("llama3-8b", "gemma2-9b", "deepseek-v3", "gpt2-xl"):
        model = find_model(name)
        chain = layers(name, Phase.PREFILL, context=100)
        held = sum(layer.repeat * (layer.weight_bytes + layer.experts * layer.expert_bytes) for layer in chain)
        assert held - sum(layer.tied_bytes for layer in chain) == 2 * model.parameters


def test_what_cannot_answer_is_refused():
    with pytest.raises(InputError, match="its tokens see those behind them"):
        find_model("bert-large").served(Serving(Phase.PREFILL, 1, 10))
    with pytest.raises(InputError, match="64 heads do not divide by tensor 3"):
        find_model("llama3-70b").served(Serving(Phase.DECODE, 1, 10, tensor=3))
    with pytest.raises(InputError, match="sequences and context must be at least 1"):
        find_model("llama3-70b").served(Serving(Phase.DECODE, 0, 10))


def test_nothing_drops_out_and_nothing_is_kept():
    model = from_sizes(hidden=256, heads=4, layers=2, sequence=64, vocab=1000)
    assert model.dropout
    for phase in PHASES:
        nodes = [n for layer in model.served(Serving(phase, 2, 64)) for n in layer.nodes]
        assert not any("dropout" in n.name for n in nodes)
        assert not any(n.kept_bytes or n.core for n in nodes)
