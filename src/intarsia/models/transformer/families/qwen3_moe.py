"""Qwen 3 with routed experts."""

from __future__ import annotations

from dataclasses import replace

from intarsia.models.transformer.config import Config
from intarsia.models.transformer.families import qwen3
from intarsia.models.transformer.kinds import Experts
from intarsia.models.transformer.transformer import Transformer
from intarsia.models.transformer.words import chosen_of, every_block


def read(config: Config, name: str) -> Transformer:
    """Every block has experts."""
    every_block(config, "decoder_sparse_step", "mlp_only_layers")
    count, chosen = chosen_of(config, "num_experts")
    return replace(qwen3.read(config, name), experts=Experts(count, chosen, config.size("moe_intermediate_size")))
