"""Do the bytes kept for the backward pass agree with Korthikanti et al. 2022?"""

import pytest

from intarsia.graph import Attention, Recompute, Variant
from intarsia.models.transformer import find_model, from_sizes

SIZES = [(1024, 16, 512, 4), (6144, 48, 2048, 2), (12288, 96, 2048, 1)]


def block_of(hidden, heads, sequence, variant):
    model = from_sizes(hidden=hidden, heads=heads, layers=4, sequence=sequence, vocab=51200)
    return model.layers(variant)[1]


@pytest.mark.parametrize(("h", "a", "s", "b"), SIZES)
@pytest.mark.parametrize("t", [1, 2, 8])
def test_tensor_parallel(h, a, s, b, t):
    # Equation 2; with t = 1 equation 1: sbh (34 + 5as/h).
    block = block_of(h, a, s, Variant(b, s, tensor=t, attention=Attention.EAGER))
    assert block.kept_bytes(Recompute.NONE) == s * b * h * (10 + 24 / t + 5 * a * s / (h * t))
    assert block.kept_bytes(Recompute.SELECTIVE) == s * b * h * (10 + 24 / t)
    assert block.kept_bytes(Recompute.FULL) == 2 * s * b * h


@pytest.mark.parametrize(("h", "a", "s", "b"), SIZES)
@pytest.mark.parametrize("t", [2, 8])
def test_sequence_parallel(h, a, s, b, t):
    # Equations 4 and, selective, 6.
    block = block_of(h, a, s, Variant(b, s, tensor=t, sequence_parallel=True, attention=Attention.EAGER))
    assert block.kept_bytes(Recompute.NONE) == s * b * h / t * (34 + 5 * a * s / h)
    assert block.kept_bytes(Recompute.SELECTIVE) == s * b * h * 34 / t
    assert block.kept_bytes(Recompute.FULL) == 2 * s * b * h / t


@pytest.mark.parametrize(("h", "a", "s", "b"), SIZES)
def test_flash_keeps_a_number_for_each_row_instead_of_scores(h, a, s, b):
    block = block_of(h, a, s, Variant(b, s))
    assert block.kept_bytes(Recompute.NONE) == 34 * s * b * h + 4 * a * s * b
    assert block.kept_bytes(Recompute.SELECTIVE) == 34 * s * b * h


def test_embedding_head_and_loss():
    # Section 4.3: sbh of the embedding's dropout, 4sbh (1 + v/h) of last norm, logits and loss; all over t.
    h, s, b, t, v = 12288, 2048, 1, 8, 51200
    model = from_sizes(hidden=h, heads=96, layers=96, sequence=s, vocab=v)
    embedding, _, head, loss = model.layers(Variant(b, s, tensor=t, sequence_parallel=True))
    for recompute in Recompute:
        assert embedding.kept_bytes(recompute) == s * b * h / t
        assert head.kept_bytes(recompute) + loss.kept_bytes(recompute) == 4 * s * b * h * (1 + v / h) / t


def test_what_recomputes():
    embedding, block, head, loss = find_model("gpt2").layers(Variant(1, 1024, attention=Attention.EAGER))
    names = [node.name for node in block.recomputed(Recompute.SELECTIVE)]
    assert names == ["scores", "softmax", "attention-dropout", "values", "copy"]
    assert block.recomputed(Recompute.FULL) == block.forward
    for layer in (embedding, head, loss):
        assert layer.recomputed(Recompute.FULL) == ()
