"""Which variants a transformer cannot be cut into, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from intarsia.graph import Serving, Variant

if TYPE_CHECKING:
    from intarsia.models.transformer.transformer import Transformer


def refusal(model: Transformer, variant: Variant) -> str:
    """The first reason why the model cannot be cut so, or empty."""
    return next(_reasons(model, variant), "")


def serving_refusal(model: Transformer, serving: Serving) -> str:
    """The first reason why the model cannot answer so, or empty."""
    if not model.causal:
        return "its tokens see those behind them, so that it does not answer token by token"
    if min(serving.sequences, serving.context) < 1:
        return "sequences and context must be at least 1"
    return refusal(model, Variant(1, serving.context, tensor=serving.tensor, expert=serving.expert))


def _reasons(model: Transformer, variant: Variant) -> Iterator[str]:
    tensor, context, expert = variant.tensor, variant.context, variant.expert
    if min(variant.microbatch, variant.sequence, tensor, context, expert) < 1:
        yield "microbatch, sequence, tensor, context and expert must be at least 1"
        return
    if model.heads % tensor:
        yield f"{model.heads} heads do not divide by tensor {tensor}"
    if model.kv_heads % tensor and tensor % model.kv_heads:
        yield f"{model.kv_heads} key heads neither divide by tensor {tensor} nor divide it"
    if model.dense_blocks and model.ffn % tensor:
        yield f"feed-forward width {model.ffn} does not divide by tensor {tensor}"
    if variant.sequence % context:
        yield f"sequence {variant.sequence} does not divide by context {context}"
    if variant.sequence_parallel and (variant.sequence // context) % tensor:
        yield f"{variant.sequence // context} tokens of a sequence do not divide by tensor {tensor}"
    yield from _expert_reasons(model, tensor, expert)


def _expert_reasons(model: Transformer, tensor: int, expert: int) -> Iterator[str]:
    experts = model.experts
    if experts is None:
        if expert > 1:
            yield f"expert {expert} for a model without experts"
        return
    if experts.count % expert:
        yield f"{experts.count} experts do not divide by expert {expert}"
    if experts.ffn % tensor:
        yield f"expert width {experts.ffn} does not divide by tensor {tensor}"
    if experts.shared_ffn % tensor:
        yield f"shared expert width {experts.shared_ffn} does not divide by tensor {tensor}"
