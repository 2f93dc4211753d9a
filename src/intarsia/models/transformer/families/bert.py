"""BERT as it is pre-trained: masked tokens, and sentence pairs unless ``architectures`` says masked tokens only."""

from __future__ import annotations

from intarsia.models.transformer.config import Config
from intarsia.models.transformer.kinds import Norm, Positions
from intarsia.models.transformer.transformer import Transformer
from intarsia.models.transformer.words import activation

WITHOUT_SENTENCES = "ForMaskedLM"


def read(config: Config, name: str) -> Transformer:
    """Norms after the additions, every token sees all others, three tables, a product before the logits."""
    hidden, heads = config.size("hidden_size"), config.size("num_attention_heads")
    rows = config.size("max_position_embeddings")
    sentences = not any(word.endswith(WITHOUT_SENTENCES) for word in config.words("architectures"))
    return Transformer(
        name=name,
        hidden=hidden,
        blocks=config.size("num_hidden_layers"),
        heads=heads,
        kv_heads=heads,
        head_width=config.divided("hidden_size", hidden, "num_attention_heads", heads),
        ffn=config.size("intermediate_size"),
        vocab=config.size("vocab_size"),
        sequence=rows,
        activation=activation(config, "hidden_act", default="gelu"),
        norm=Norm.LAYER,
        qkv_bias=True,
        projection_bias=True,
        ffn_bias=True,
        head_bias=True,
        positions=Positions.LEARNED,
        position_rows=rows,
        tied=config.flag("tie_word_embeddings", default=True),
        causal=False,
        token_types=config.size("type_vocab_size", default=2),
        sentence_head=sentences,
        transform_head=True,
        embedding_norm=True,
        final_norm=False,
        post_norm=True,
        dropout=config.number("hidden_dropout_prob", default=0.1) > 0,
        attention_dropout=config.number("attention_probs_dropout_prob", default=0.1) > 0,
    )
