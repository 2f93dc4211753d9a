"""Weights and operations of a transformer, whole or one tensor rank's share, counted from its sizes.

A tensor rank holds 1/tensor of the products, rounded to whole key heads; norms, biases after a reduction and the
narrow products of latent attention stand on every rank.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from intarsia.models.transformer.kinds import Norm, Positions

if TYPE_CHECKING:
    from intarsia.models.transformer.transformer import Transformer


def norm_parameters(model: Transformer, width: int) -> int:
    """A scale, and a shift in a layer norm."""
    return width * (2 if model.norm is Norm.LAYER else 1)


def key_heads(model: Transformer, tensor: int) -> int:
    """Key heads of one tensor rank; several ranks hold the same one where there are fewer heads than ranks."""
    return max(model.kv_heads // tensor, 1)


def attention_parameters(model: Transformer, tensor: int = 1) -> int:
    """Of one block's attention on one tensor rank."""
    hidden, heads = model.hidden, model.heads // tensor
    projection = heads * model.value_width * hidden + (hidden if model.projection_bias else 0)
    latent = model.latent
    if latent:
        queries = heads * model.query_width
        if latent.query_rank:
            down = hidden * latent.query_rank + norm_parameters(model, latent.query_rank)
            query = down + latent.query_rank * queries
        else:
            query = hidden * queries
        keys = hidden * (latent.key_rank + latent.rotary_width) + norm_parameters(model, latent.key_rank)
        keys += latent.key_rank * heads * (latent.content_width + latent.value_width)
        return query + keys + projection
    rows = (heads + 2 * key_heads(model, tensor)) * model.head_width
    head_norms = 2 * norm_parameters(model, model.head_width) if model.head_norms else 0
    return rows * (hidden + model.qkv_bias) + projection + head_norms


def feed_parameters(model: Transformer, ffn: int, tensor: int = 1) -> int:
    """Of one feed-forward part on one tensor rank."""
    inner = ffn // tensor
    up = 2 if model.gated else 1
    bias = up * inner + model.hidden if model.ffn_bias else 0
    return (up + 1) * inner * model.hidden + bias


def block_norms(model: Transformer) -> int:
    """Norms of a block as wide as the model."""
    if model.parallel and model.shared_norm:
        return 1
    return 4 if model.branch_norms else 2


def block_parameters(model: Transformer, tensor: int = 1, *, sparse: bool = False) -> int:
    """Of one block on one tensor rank, without routed experts."""
    norms = block_norms(model) * norm_parameters(model, model.hidden)
    rest = norms + attention_parameters(model, tensor)
    experts = model.experts
    if not sparse or experts is None:
        return rest + feed_parameters(model, model.ffn, tensor)
    router = experts.count * (model.hidden + experts.router_bias) + (model.hidden if experts.shared_gate else 0)
    shared = feed_parameters(model, experts.shared_ffn, tensor) if experts.shared_ffn else 0
    return rest + router + shared


def expert_parameters(model: Transformer, tensor: int = 1) -> int:
    """Of one routed expert on one tensor rank."""
    return feed_parameters(model, model.experts.ffn, tensor) if model.experts else 0


def embedding_parameters(model: Transformer, rows: int, positions: int) -> int:
    """Of the embedding with so many rows of tokens and of positions."""
    tables = rows * model.table_width + (positions + model.token_types) * model.hidden
    norm = norm_parameters(model, model.hidden) if model.embedding_norm else 0
    wide = model.embedding_width * model.hidden
    return tables + norm + wide


def head_parameters(model: Transformer, rows: int) -> int:
    """Of the head with so many rows of logits, without the logits' weights."""
    hidden = model.hidden
    norm = norm_parameters(model, hidden) if model.final_norm else 0
    transform = hidden * (hidden + 1) + norm_parameters(model, hidden) if model.transform_head else 0
    sentence = hidden * (hidden + 1) + 2 * (hidden + 1) if model.sentence_head else 0
    bias = rows if model.head_bias else 0
    return norm + transform + sentence + model.embedding_width * hidden + bias


def position_rows(model: Transformer, sequence: int = 0) -> int:
    """Rows of the table of positions; as many as the sequence needs where that is longer."""
    return max(model.position_rows, sequence) if model.positions is Positions.LEARNED else 0


def all_parameters(model: Transformer) -> int:
    """All weights, tied ones once."""
    sparse = model.blocks - model.dense_blocks
    blocks = model.dense_blocks * block_parameters(model) + sparse * block_parameters(model, sparse=True)
    experts = sparse * model.experts.count * expert_parameters(model) if model.experts else 0
    ends = embedding_parameters(model, model.vocab, position_rows(model)) + head_parameters(model, model.vocab)
    return blocks + experts + ends + (0 if model.tied else model.vocab * model.table_width)


def active_parameters(model: Transformer) -> int:
    """All weights, less the experts that a token's router does not choose."""
    if model.experts is None:
        return all_parameters(model)
    idle = model.experts.count - model.experts.chosen
    return all_parameters(model) - (model.blocks - model.dense_blocks) * idle * expert_parameters(model)


def training_flops(model: Transformer, sequence: int) -> int:
    """Forward and backward of one sequence: three times the forward products; vectors are not counted."""
    width = model.query_width + model.value_width
    attention = model.blocks * 2 * sequence * sequence * model.heads * width
    return 3 * (2 * sequence * _product_weights(model) + attention)


def _product_weights(model: Transformer) -> int:
    """Weights of all products that a token meets: all but tables, norms and biases."""
    hidden, latent, experts = model.hidden, model.latent, model.experts
    attention = model.heads * model.value_width * hidden
    up = 2 if model.gated else 1
    if latent:
        queries = model.heads * model.query_width
        attention += latent.query_rank * (hidden + queries) if latent.query_rank else hidden * queries
        attention += hidden * (latent.key_rank + latent.rotary_width)
        attention += latent.key_rank * model.heads * (latent.content_width + latent.value_width)
    else:
        attention += (model.heads + 2 * model.kv_heads) * model.head_width * hidden
    total = model.blocks * attention + model.dense_blocks * (up + 1) * hidden * model.ffn
    if experts:
        inner = experts.chosen * experts.ffn + experts.shared_ffn
        total += (model.blocks - model.dense_blocks) * hidden * ((up + 1) * inner + experts.count)
    ends = 2 * model.embedding_width * hidden + (hidden * hidden if model.transform_head else 0)
    return total + ends + model.vocab * model.table_width
