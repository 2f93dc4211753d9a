"""Llama 1 to 3."""

from __future__ import annotations

from intarsia.models.transformer.config import Config
from intarsia.models.transformer.kinds import Norm, Positions
from intarsia.models.transformer.transformer import Transformer
from intarsia.models.transformer.words import activation, heads


def read(config: Config, name: str) -> Transformer:
    """RMS norms, rotary positions, a gated feed-forward part, no dropout; biases where ``attention_bias`` says so."""
    hidden = config.size("hidden_size")
    count, keys, width = heads(config, hidden)
    attention_bias = config.flag("attention_bias", default=False)
    return Transformer(
        name=name,
        hidden=hidden,
        blocks=config.size("num_hidden_layers"),
        heads=count,
        kv_heads=keys,
        head_width=width,
        ffn=config.size("intermediate_size"),
        vocab=config.size("vocab_size"),
        sequence=config.size("max_position_embeddings", default=2048),
        gated=True,
        activation=activation(config, "hidden_act", default="silu"),
        norm=Norm.RMS,
        qkv_bias=attention_bias,
        projection_bias=attention_bias,
        ffn_bias=config.flag("mlp_bias", default=False),
        positions=Positions.ROTARY,
        rotary_width=width,
        tied=config.flag("tie_word_embeddings", default=False),
        attention_dropout=config.number("attention_dropout", default=0.0) > 0,
    )
