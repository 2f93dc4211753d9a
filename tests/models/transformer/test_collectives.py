"""Which messages does a variant send, and how large are they?"""

from collections import Counter

import pytest

from intarsia.graph import Collective, Group, Pattern, Variant
from intarsia.models.transformer import find_model

B, S = 2, 4096


def sent(nodes):
    return Counter((n.work.pattern, n.work.group, n.work.bytes_whole) for n in nodes if isinstance(n.work, Collective))


def block(name, **cut):
    return next(x for x in find_model(name).layers(Variant(B, S, **cut)) if x.repeat > 3)


@pytest.mark.parametrize("name", ["llama3-8b", "gpt3-175b"])
def test_nothing_is_sent_where_nothing_is_shared(name):
    for layer in find_model(name).layers(Variant(B, 2048, sequence_parallel=True)):
        assert not sent(layer.forward + layer.backward)


def test_tensor_parallel_reduces_twice_each_way():
    layer, size = block("llama3-8b", tensor=8), 2 * B * S * 4096
    reduced = Counter({(Pattern.ALL_REDUCE, Group.TENSOR, size): 2})
    assert sent(layer.forward) == reduced
    assert sent(layer.backward) == reduced


def test_sequence_parallel_gathers_the_saved_input_again():
    layer, size = block("llama3-8b", tensor=8, sequence_parallel=True), 2 * B * S * 4096
    gather, scatter = (Pattern.ALL_GATHER, Group.TENSOR, size), (Pattern.REDUCE_SCATTER, Group.TENSOR, size)
    assert sent(layer.forward) == Counter({gather: 2, scatter: 2})
    assert sent(layer.backward) == Counter({gather: 4, scatter: 2})


def test_parallel_branches_reduce_once_forward():
    layer, size = block("gpt-neox-20b", tensor=8), 2 * B * S * 6144
    assert sent(layer.forward) == Counter({(Pattern.ALL_REDUCE, Group.TENSOR, size): 1})
    assert sent(layer.backward) == Counter({(Pattern.ALL_REDUCE, Group.TENSOR, size): 2})


def test_context_parallel_passes_keys_and_values_round():
    layer = block("llama3-8b", context=4, tensor=2)
    size = 2 * B * S * 2 * 4 * 128  # keys and values of four heads
    ring = (Pattern.RING, Group.CONTEXT)
    assert sent(layer.forward)[*ring, size] == 1
    assert sent(layer.backward)[*ring, 2 * size] == 1


def test_expert_parallel_dispatches_and_combines():
    layer, size = block("mixtral-8x7b", expert=4), 2 * B * S * 2 * 4096
    exchange = Counter({(Pattern.ALL_TO_ALL, Group.EXPERT, size): 2})
    assert sent(layer.forward) == exchange
    assert sent(layer.backward) == exchange


def test_experts_and_tensor_ranks():
    # Each tensor rank dispatches its part of the tokens; those that arrive are gathered before the experts.
    layer = block("mixtral-8x7b", expert=4, tensor=2, sequence_parallel=True)
    routed = 2 * B * S * 2 * 4096
    messages = sent(layer.forward)
    assert messages[Pattern.ALL_TO_ALL, Group.EXPERT, routed // 2] == 2
    assert messages[Pattern.ALL_GATHER, Group.TENSOR, routed] == 1
    assert messages[Pattern.REDUCE_SCATTER, Group.TENSOR, routed] == 1


def test_loss_over_a_shared_vocabulary():
    loss = find_model("llama3-8b").layers(Variant(B, S, tensor=8))[-1]
    assert sent(loss.forward) == Counter({(Pattern.ALL_REDUCE, Group.TENSOR, 4 * B * S): 3})
    assert not sent(loss.backward)


def test_latent_attention_gathers_what_is_narrow():
    layer = block("deepseek-v3", tensor=8, sequence_parallel=True)
    gathered = {size for pattern, _, size in sent(layer.forward) if pattern is Pattern.ALL_GATHER}
    assert {2 * B * S * width for width in (1536, 512, 64)} <= gathered


def test_ring_goes_beside_attention():
    forward = {node.name: node for node in block("llama3-8b", context=4).forward}
    assert "ring" not in forward["attention"].needs
    assert "ring" in forward["projection"].needs
