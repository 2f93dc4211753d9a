"""The chain of layers of a transformer that answers: embedding, blocks, head and choice of the next token.

The nodes are those of the training chain's forward pass with a cache (``cached.py``), so that both count alike.
Weights of blocks are kept in the type of their products, norms and biases of blocks counted with them; the ends keep 2
bytes. Activations are 2 bytes.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from intarsia.graph import Collective, Elementwise, Group, Node, Pattern, Phase, ServedLayer, Serving
from intarsia.models.transformer.block import block_forward
from intarsia.models.transformer.cached import cache_width
from intarsia.models.transformer.count import (
    block_parameters,
    embedding_parameters,
    expert_parameters,
    head_parameters,
    position_rows,
)
from intarsia.models.transformer.ends import embedding_forward, head_forward
from intarsia.models.transformer.experts import missed_experts
from intarsia.models.transformer.share import Share, served_share

if TYPE_CHECKING:
    from intarsia.models.transformer.transformer import Transformer

END_BYTES = 2
"""Of a weight of the embedding and of the head, and of an activation."""


def served_chain(model: Transformer, serving: Serving) -> tuple[ServedLayer, ...]:
    """The layers, as one device of legal shapes sees them."""
    kinds = [(block >= model.dense_blocks, _window(model, block)) for block in range(model.blocks)]
    one = {
        (sparse, window): _block(served_share(model, serving, window), sparse=sparse)
        for sparse, window in dict.fromkeys(kinds)
    }
    blocks = [replace(one[kind], repeat=len(list(equal))) for kind, equal in groupby(kinds)]
    share = served_share(model, serving, 0)
    return (_embedding(share), *blocks, _head(share))


def _window(model: Transformer, block: int) -> int:
    """Of a block, the first one being number 0."""
    everything = model.global_every and (block + 1) % model.global_every == 0
    return 0 if everything else model.window


def _embedding(share: Share) -> ServedLayer:
    model = share.model
    rows = embedding_parameters(model, share.vocab, position_rows(model, share.sequence))
    nodes = embedding_forward(replace(share, operand_bytes=END_BYTES))
    size = END_BYTES * share.tokens * model.hidden
    return _end("embedding", nodes, END_BYTES * rows, 2 * size, size)


def _block(share: Share, *, sparse: bool) -> ServedLayer:
    model, experts = share.model, share.model.experts if sparse else None
    return ServedLayer(
        name="-".join(("expert",) * sparse + ("window",) * bool(share.window) + ("block",)),
        repeat=1,
        nodes=_forgotten(block_forward(share, sparse=sparse)),
        weight_bytes=share.operand_bytes * block_parameters(model, share.tensor, sparse=sparse),
        experts=experts.count // share.expert if experts else 0,
        expert_bytes=share.operand_bytes * expert_parameters(model, share.tensor) if experts else 0,
        missed=missed_experts(experts, share.tokens, share.expert) if experts else 1.0,
        cache_bytes=share.cache_bytes * cache_width(share),
        window=share.window,
        working_bytes=END_BYTES * share.tokens * (model.hidden + _widest(share, sparse=sparse)),
        output_bytes=END_BYTES * share.tokens * model.hidden,
    )


def _head(share: Share) -> ServedLayer:
    """From the last token of each sequence to its successor: logits, those of all ranks gathered, and the largest."""
    model, sequences = share.model, share.sequences
    last = replace(share, tokens=sequences, thin=sequences, operand_bytes=END_BYTES)
    nodes = _forgotten(head_forward(last))
    count = sequences * share.vocab * share.tensor
    if share.tensor > 1:
        gather = Collective(Pattern.ALL_GATHER, Group.TENSOR, END_BYTES * count)
        nodes = (*nodes, Node("logits.gather", gather, (nodes[-1].name,)))
    choice = Elementwise((("compare", count),), END_BYTES * count, 8 * sequences)
    nodes = (*nodes, Node("next-token", choice, (nodes[-1].name,)))
    logits = share.vocab * model.table_width
    return replace(
        _end(
            "head",
            nodes,
            END_BYTES * (head_parameters(model, share.vocab) + logits),
            END_BYTES * (count + sequences * model.hidden),
            8 * sequences,
        ),
        tied="embedding" if model.tied else "",
        tied_bytes=END_BYTES * logits if model.tied else 0,
    )


def _end(name: str, nodes: tuple[Node, ...], weights: int, working: int, output: int) -> ServedLayer:
    return ServedLayer(
        name, 1, _forgotten(nodes), weights, 0, 0, 1.0, cache_bytes=0, window=0, working_bytes=working,
        output_bytes=output, block=False,
    )  # fmt: skip


def _forgotten(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """Nodes that keep nothing for a backward pass."""
    return tuple(replace(node, kept_bytes=0, core=False) for node in nodes)


def _widest(share: Share, *, sparse: bool) -> int:
    """Channels of a token before and after the kernel with the most of them."""
    model, heads, hidden = share.model, share.heads, share.model.hidden
    latent, experts = model.latent, model.experts
    values = heads * model.value_width
    if latent and share.phase is Phase.DECODE:
        core = heads * (2 * latent.key_rank + latent.rotary_width)
    else:
        core = heads * model.query_width + share.kv_heads * (model.query_width + model.value_width) + values
    up = 2 if model.gated else 1
    inner = model.ffn // share.tensor
    if sparse and experts:
        inner = experts.chosen * experts.ffn // share.tensor
        feed = max(experts.chosen * hidden + up * inner, (up + 1) * inner)
    else:
        feed = max(hidden + up * inner, (up + 1) * inner)
    return max(core, values + hidden, feed)
