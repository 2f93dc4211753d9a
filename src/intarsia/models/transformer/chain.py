"""The chain of layers of a transformer at a variant: embedding, blocks, head, loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intarsia.graph import Layer, Variant
from intarsia.models.transformer.block import block_backward, block_forward
from intarsia.models.transformer.count import (
    block_parameters,
    embedding_parameters,
    expert_parameters,
    head_parameters,
    position_rows,
)
from intarsia.models.transformer.ends import (
    embedding_backward,
    embedding_forward,
    head_backward,
    head_forward,
    loss_backward,
    loss_forward,
)
from intarsia.models.transformer.share import Share, share_of

if TYPE_CHECKING:
    from intarsia.models.transformer.transformer import Transformer


def chain(model: Transformer, variant: Variant) -> tuple[Layer, ...]:
    """The layers, as one device of a legal variant sees them."""
    share = share_of(model, variant)
    dense, sparse = model.dense_blocks, model.blocks - model.dense_blocks
    return (
        _embedding(share),
        *((_block(share, dense, sparse=False),) if dense else ()),
        *((_block(share, sparse, sparse=True),) if sparse else ()),
        _head(share),
        _loss(share),
    )


def _embedding(share: Share) -> Layer:
    return Layer(
        name="embedding",
        repeat=1,
        forward=embedding_forward(share),
        backward=embedding_backward(share),
        parameters=embedding_parameters(share.model, share.vocab, position_rows(share.model, share.sequence)),
        expert_parameters=0,
        input_bytes=8 * share.tokens,
        output_bytes=2 * share.thin * share.model.hidden,
        checkpointed=False,
    )


def _block(share: Share, repeat: int, *, sparse: bool) -> Layer:
    model, size = share.model, 2 * share.thin * share.model.hidden
    local = model.experts.count // share.expert if sparse and model.experts else 0
    return Layer(
        name="expert-block" if sparse else "block",
        repeat=repeat,
        forward=block_forward(share, sparse=sparse),
        backward=block_backward(share, sparse=sparse),
        parameters=block_parameters(model, share.tensor, sparse=sparse),
        expert_parameters=local * expert_parameters(model, share.tensor),
        input_bytes=size,
        output_bytes=size,
    )


def _head(share: Share) -> Layer:
    model = share.model
    logits = share.vocab * model.table_width
    return Layer(
        name="head",
        repeat=1,
        forward=head_forward(share),
        backward=head_backward(share),
        parameters=head_parameters(model, share.vocab) + logits,
        expert_parameters=0,
        input_bytes=2 * share.thin * model.hidden,
        output_bytes=2 * share.tokens * share.vocab,
        tied="embedding" if model.tied else "",
        tied_parameters=logits if model.tied else 0,
        checkpointed=False,
    )


def _loss(share: Share) -> Layer:
    return Layer(
        name="loss",
        repeat=1,
        forward=loss_forward(share),
        backward=loss_backward(share),
        parameters=0,
        expert_parameters=0,
        input_bytes=2 * share.tokens * share.vocab,
        output_bytes=4 * share.tokens,
        checkpointed=False,
    )
