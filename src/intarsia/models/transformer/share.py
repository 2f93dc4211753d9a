"""The sizes that one device sees of a transformer at a variant: what every node's shape is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from intarsia.graph import Attention, Dtype, Phase, Serving, Variant
from intarsia.models.transformer.count import key_heads

if TYPE_CHECKING:
    from intarsia.models.transformer.transformer import Transformer

VOCABULARY_STEP = 128


@dataclass(frozen=True, slots=True)
class Share:
    """One device's sizes.

    Attributes:
        model: whose.
        tensor: devices that share each weight matrix.
        context: devices that share the tokens of a sequence.
        expert: devices that share the experts.
        scattered: norms and dropouts work on 1/tensor of the tokens.
        tokens: of a microbatch that products work on.
        thin: tokens that norms, dropouts and the stream between blocks have.
        sequences: of a microbatch.
        sequence: tokens of a sequence before it is cut.
        queries: tokens of a sequence on this device.
        heads: of queries.
        kv_heads: of keys and values.
        vocab: rows of the token table, padded.
        flash: attention's scores stay on chip.
        operand_bytes: of an element that a product with weights reads.
        phase: of serving; None in training. Sequence is then what attention sees, queries the new tokens of it.
        cache_bytes: of an element of a key or value in the cache.
        window: tokens that attention sees back to, 0 for all; only of serving.
    """

    model: Transformer
    tensor: int
    context: int
    expert: int
    scattered: bool
    tokens: int
    thin: int
    sequences: int
    sequence: int
    queries: int
    heads: int
    kv_heads: int
    vocab: int
    flash: bool
    operand_bytes: int
    phase: Phase | None = None
    cache_bytes: int = 2
    window: int = 0


def served_share(model: Transformer, serving: Serving, window: int) -> Share:
    """The sizes of a phase for blocks with a window (0 for none); nothing drops out."""
    sure = replace(model, dropout=False, attention_dropout=False)
    one = share_of(sure, Variant(serving.sequences, 1, tensor=serving.tensor, expert=serving.expert))
    return replace(
        one,
        tokens=serving.tokens,
        thin=serving.tokens,
        sequence=serving.context,
        queries=serving.context if serving.phase is Phase.PREFILL else 1,
        operand_bytes=element_bytes(serving.dtype),
        phase=serving.phase,
        cache_bytes=element_bytes(serving.cache),
        window=window,
    )


def element_bytes(dtype: Dtype) -> int:
    """Of an element that is kept in a type."""
    return 1 if dtype is Dtype.FP8 else 2


def share_of(model: Transformer, variant: Variant) -> Share:
    """The sizes of a legal variant."""
    tensor = variant.tensor
    scattered = variant.sequence_parallel and tensor > 1
    tokens = variant.tokens
    return Share(
        model=model,
        tensor=tensor,
        context=variant.context,
        expert=variant.expert,
        scattered=scattered,
        tokens=tokens,
        thin=tokens // tensor if scattered else tokens,
        sequences=variant.microbatch,
        sequence=variant.sequence,
        queries=variant.sequence // variant.context,
        heads=model.heads // tensor,
        kv_heads=key_heads(model, tensor),
        vocab=padded_rows(model.vocab, tensor),
        flash=variant.attention is Attention.FLASH,
        operand_bytes=element_bytes(variant.dtype),
    )


def padded_rows(vocab: int, tensor: int) -> int:
    """Rows of the token table on one tensor rank, padded as Megatron does; as they are on a single one."""
    return vocab if tensor == 1 else -(-vocab // (VOCABULARY_STEP * tensor)) * VOCABULARY_STEP
