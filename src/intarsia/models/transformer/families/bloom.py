"""BLOOM."""

from __future__ import annotations

from intarsia.models.transformer.config import Config
from intarsia.models.transformer.kinds import Activation, Norm, Positions
from intarsia.models.transformer.transformer import Transformer


def read(config: Config, name: str) -> Transformer:
    """A slope on the scores instead of positions, and a norm after the embedding."""
    hidden, heads = config.size("hidden_size", "n_embed"), config.size("n_head", "num_attention_heads")
    return Transformer(
        name=name,
        hidden=hidden,
        blocks=config.size("n_layer", "num_hidden_layers"),
        heads=heads,
        kv_heads=heads,
        head_width=config.divided("hidden_size", hidden, "n_head", heads),
        ffn=4 * hidden,
        vocab=config.size("vocab_size"),
        sequence=config.size("seq_length", default=2048),
        activation=Activation.GELU_TANH,
        norm=Norm.LAYER,
        qkv_bias=True,
        projection_bias=True,
        ffn_bias=True,
        positions=Positions.ALIBI,
        tied=config.flag("tie_word_embeddings", default=True),
        embedding_norm=True,
        dropout=config.number("hidden_dropout", default=0.0) > 0,
        attention_dropout=config.number("attention_dropout", default=0.0) > 0,
    )
