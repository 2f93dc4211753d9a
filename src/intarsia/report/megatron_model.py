"""The sizes of a transformer as arguments of Megatron-LM's GPT; see ``megatron.py`` for which version."""

from __future__ import annotations

from collections.abc import Iterator

from intarsia.ground import InputError
from intarsia.models.transformer import Transformer
from intarsia.models.transformer.kinds import Activation, Experts, Norm, Positions


def refuse_model(model: Transformer) -> None:
    """Says nothing where GPT with the right switches is the model.

    Raises:
        InputError: it cannot be, with all reasons.
    """
    reasons = ", ".join(_reasons(model))
    if reasons:
        raise InputError("Megatron-LM's GPT cannot be this model", where=model.name, value=reasons)


def _reasons(model: Transformer) -> Iterator[str]:
    if not model.causal:
        yield "tokens see those behind them"
    if model.positions is Positions.ALIBI:
        yield "positions by ALiBi"
    if model.parallel:
        yield "attention and feed-forward side by side"
    if model.post_norm or model.branch_norms:
        yield "norms behind the branches"
    if model.embedding_width or model.embedding_norm or model.token_types:
        yield "an embedding of its own kind"


def model_arguments(model: Transformer, sequence: int) -> tuple[list[str], list[str]]:
    """The arguments, and notes on what they leave open.

    Args:
        model: one that is not refused.
        sequence: tokens.
    """
    arguments = [
        f"--num-layers {model.blocks}",
        f"--hidden-size {model.hidden}",
        f"--ffn-hidden-size {model.ffn or (model.experts.ffn if model.experts else 4 * model.hidden)}",
        f"--num-attention-heads {model.heads}",
        *_attention(model),
        f"--max-position-embeddings {max(sequence, model.position_rows)}",
        *_positions(model),
        f"--normalization {'RMSNorm' if model.norm is Norm.RMS else 'LayerNorm'}",
        *_biases(model),
        f"--hidden-dropout {0.1 if model.dropout else 0.0}",
        f"--attention-dropout {0.1 if model.attention_dropout else 0.0}",
    ]
    if not model.tied:
        arguments.append("--untie-embeddings-and-output-weights")
    if model.gated and model.activation is Activation.SILU:
        arguments.append("--swiglu")
    elif model.gated:
        arguments.append("--quick-geglu")
    if model.experts:
        arguments += _experts(model.experts, model.blocks)
    return arguments, list(_notes(model))


def _notes(model: Transformer) -> Iterator[str]:
    plain = model.activation in {Activation.GELU, Activation.GELU_TANH}
    if model.gated and model.activation is not Activation.SILU:
        yield f"--quick-geglu stands for a gated {model.activation}: equal shapes, another function"
    if not model.gated and not plain:
        yield f"the activation is GELU where the model has {model.activation}: equal shapes, another function"
    if model.positions is Positions.ROTARY:
        yield "--rotary-base (and scaling of positions) are the defaults: set the model's"
    if model.capped:
        yield "logits are not capped"
    if model.experts and model.experts.shared_gate:
        yield "the shared experts have no gate"
    if model.dropout or model.attention_dropout:
        yield "dropout is 0.1 where the model has any"


def _attention(model: Transformer) -> Iterator[str]:
    if model.latent:
        yield "--multi-latent-attention"
        if model.latent.query_rank:
            yield f"--q-lora-rank {model.latent.query_rank}"
        yield f"--kv-lora-rank {model.latent.key_rank}"
        yield f"--qk-head-dim {model.latent.content_width}"
        yield f"--qk-pos-emb-head-dim {model.latent.rotary_width}"
        yield f"--v-head-dim {model.latent.value_width}"
        return
    if model.kv_heads != model.heads:
        yield "--group-query-attention"
        yield f"--num-query-groups {model.kv_heads}"
    if model.head_width * model.heads != model.hidden:
        yield f"--kv-channels {model.head_width}"
    if model.head_norms:
        yield "--qk-layernorm"


def _positions(model: Transformer) -> Iterator[str]:
    if model.positions is Positions.LEARNED:
        yield "--position-embedding-type learned_absolute"
        return
    yield "--position-embedding-type rope"
    if not model.latent and 0 < model.rotary_width < model.head_width:
        yield f"--rotary-percent {model.rotary_width / model.head_width:g}"


def _biases(model: Transformer) -> Iterator[str]:
    if model.projection_bias or model.ffn_bias:
        return
    yield "--disable-bias-linear"
    if model.qkv_bias:
        yield "--add-qkv-bias"


def _experts(experts: Experts, blocks: int) -> Iterator[str]:
    yield f"--num-experts {experts.count}"
    yield f"--moe-router-topk {experts.chosen}"
    yield f"--moe-ffn-hidden-size {experts.ffn}"
    if experts.shared_ffn:
        yield f"--moe-shared-expert-intermediate-size {experts.shared_ffn}"
    if experts.dense_first:
        yield f'--moe-layer-freq "([0]*{experts.dense_first}+[1]*{blocks - experts.dense_first})"'
    if experts.router_bias:
        yield "--moe-router-score-function sigmoid"
        yield "--moe-router-enable-expert-bias"
    yield "--moe-grouped-gemm"
    yield "--moe-token-dispatcher-type alltoall"
