"""OPT."""

from __future__ import annotations

from intarsia.models.transformer.config import Config
from intarsia.models.transformer.kinds import Norm, Positions
from intarsia.models.transformer.transformer import Transformer
from intarsia.models.transformer.words import activation

UNUSED_POSITIONS = 2
"""Rows at the start of the table of positions that no token of a full sequence uses."""


def read(config: Config, name: str) -> Transformer:
    """GPT's block with ReLU; OPT-350M alone has narrow rows of tokens and norms after the additions."""
    hidden, heads = config.size("hidden_size"), config.size("num_attention_heads")
    sequence = config.size("max_position_embeddings")
    row = config.size("word_embed_proj_dim", default=hidden)
    before = config.flag("do_layer_norm_before", default=True)
    bias = config.flag("enable_bias", default=True)
    return Transformer(
        name=name,
        hidden=hidden,
        blocks=config.size("num_hidden_layers"),
        heads=heads,
        kv_heads=heads,
        head_width=config.divided("hidden_size", hidden, "num_attention_heads", heads),
        ffn=config.size("ffn_dim"),
        vocab=config.size("vocab_size"),
        sequence=sequence,
        activation=activation(config, "activation_function", default="relu"),
        norm=Norm.LAYER,
        qkv_bias=bias,
        projection_bias=bias,
        ffn_bias=bias,
        positions=Positions.LEARNED,
        position_rows=sequence + UNUSED_POSITIONS,
        tied=config.flag("tie_word_embeddings", default=True),
        embedding_width=0 if row == hidden else row,
        final_norm=before and not config.flag("_remove_final_layer_norm", default=False),
        post_norm=not before,
        dropout=config.number("dropout", default=0.1) > 0,
        attention_dropout=config.number("attention_dropout", default=0.0) > 0,
    )
