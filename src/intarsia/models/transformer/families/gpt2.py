"""GPT-2, and Megatron's GPT, which has the same block."""

from __future__ import annotations

from intarsia.models.transformer.config import Config
from intarsia.models.transformer.kinds import Norm, Positions
from intarsia.models.transformer.transformer import Transformer
from intarsia.models.transformer.words import activation


def read(config: Config, name: str) -> Transformer:
    """Layer norms, learned positions, biases everywhere, dropout, the head tied to the embedding."""
    hidden, heads = config.size("n_embd", "hidden_size"), config.size("n_head", "num_attention_heads")
    rows = config.size("n_positions", "n_ctx", "max_position_embeddings")
    return Transformer(
        name=name,
        hidden=hidden,
        blocks=config.size("n_layer", "num_hidden_layers"),
        heads=heads,
        kv_heads=heads,
        head_width=config.divided("n_embd", hidden, "n_head", heads),
        ffn=config.size("n_inner", default=4 * hidden),
        vocab=config.size("vocab_size"),
        sequence=rows,
        activation=activation(config, "activation_function", default="gelu_new"),
        norm=Norm.LAYER,
        qkv_bias=True,
        projection_bias=True,
        ffn_bias=True,
        positions=Positions.LEARNED,
        position_rows=rows,
        tied=config.flag("tie_word_embeddings", default=True),
        dropout=config.number("resid_pdrop", default=0.1) > 0,
        attention_dropout=config.number("attn_pdrop", default=0.1) > 0,
    )
