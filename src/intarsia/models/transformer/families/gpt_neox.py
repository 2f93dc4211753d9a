"""GPT-NeoX and Pythia."""

from __future__ import annotations

from intarsia.models.transformer.config import Config
from intarsia.models.transformer.kinds import Norm, Positions
from intarsia.models.transformer.transformer import Transformer
from intarsia.models.transformer.words import activation


def read(config: Config, name: str) -> Transformer:
    """Both branches from the same tokens, each with its norm; a part of each head is rotated."""
    hidden, heads = config.size("hidden_size"), config.size("num_attention_heads")
    width = config.divided("hidden_size", hidden, "num_attention_heads", heads)
    attention_bias = config.flag("attention_bias", default=True)
    return Transformer(
        name=name,
        hidden=hidden,
        blocks=config.size("num_hidden_layers"),
        heads=heads,
        kv_heads=heads,
        head_width=width,
        ffn=config.size("intermediate_size"),
        vocab=config.size("vocab_size"),
        sequence=config.size("max_position_embeddings", default=2048),
        activation=activation(config, "hidden_act", default="gelu"),
        norm=Norm.LAYER,
        qkv_bias=attention_bias,
        projection_bias=attention_bias,
        ffn_bias=True,
        positions=Positions.ROTARY,
        rotary_width=int(width * config.number("rotary_pct", default=0.25)),
        tied=config.flag("tie_word_embeddings", default=False),
        parallel=config.flag("use_parallel_residual", default=True),
        dropout=config.number("hidden_dropout", default=0.0) > 0,
        attention_dropout=config.number("attention_dropout", default=0.0) > 0,
    )
