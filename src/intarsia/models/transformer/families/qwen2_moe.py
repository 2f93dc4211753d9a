"""Qwen 2 with routed experts, and a gated shared one beside them."""

from __future__ import annotations

from dataclasses import replace

from intarsia.models.transformer.config import Config
from intarsia.models.transformer.families import qwen2
from intarsia.models.transformer.kinds import Experts
from intarsia.models.transformer.transformer import Transformer
from intarsia.models.transformer.words import chosen_of, every_block


def read(config: Config, name: str) -> Transformer:
    """Every block has experts."""
    every_block(config, "decoder_sparse_step", "mlp_only_layers")
    count, chosen = chosen_of(config, "num_experts")
    width, shared = config.size("moe_intermediate_size"), config.size("shared_expert_intermediate_size")
    experts = Experts(count, chosen, width, shared_ffn=shared, shared_gate=True)
    return replace(qwen2.read(config, name), experts=experts)
