"""DeepSeek-V2: latent attention, and routed experts beside shared ones behind a few plain blocks."""

from __future__ import annotations

from intarsia.models.transformer.config import Config
from intarsia.models.transformer.kinds import Experts, Latent, Norm, Positions
from intarsia.models.transformer.transformer import Transformer
from intarsia.models.transformer.words import activation, chosen_of, every_block


def read(config: Config, name: str) -> Transformer:
    """``q_lora_rank`` null: queries are not compressed."""
    heads, blocks = config.size("num_attention_heads"), config.size("num_hidden_layers")
    latent = Latent(
        query_rank=config.size("q_lora_rank", default=0),
        key_rank=config.size("kv_lora_rank"),
        content_width=config.size("qk_nope_head_dim"),
        rotary_width=config.size("qk_rope_head_dim"),
        value_width=config.size("v_head_dim"),
    )
    return Transformer(
        name=name,
        hidden=config.size("hidden_size"),
        blocks=blocks,
        heads=heads,
        kv_heads=heads,
        head_width=latent.value_width,
        ffn=config.size("intermediate_size"),
        vocab=config.size("vocab_size"),
        sequence=config.size("max_position_embeddings", default=2048),
        gated=True,
        activation=activation(config, "hidden_act", default="silu"),
        norm=Norm.RMS,
        positions=Positions.ROTARY,
        rotary_width=latent.rotary_width,
        tied=config.flag("tie_word_embeddings", default=False),
        attention_dropout=config.number("attention_dropout", default=0.0) > 0,
        latent=latent,
        experts=_experts(config, blocks),
    )


def _experts(config: Config, blocks: int) -> Experts:
    every_block(config, "moe_layer_freq", "")
    count, chosen = chosen_of(config, "n_routed_experts")
    width = config.size("moe_intermediate_size")
    return Experts(
        count=count,
        chosen=chosen,
        ffn=width,
        shared_ffn=width * config.size("n_shared_experts", default=0, least=0),
        dense_first=min(config.size("first_k_dense_replace", default=0, least=0), blocks),
    )
