"""Qwen 2 and 2.5: Llama's block with biases on queries, keys and values."""

from __future__ import annotations

from dataclasses import replace

from intarsia.models.transformer.config import Config
from intarsia.models.transformer.families import llama
from intarsia.models.transformer.transformer import Transformer


def read(config: Config, name: str) -> Transformer:
    """Llama's keys."""
    return replace(llama.read(config, name), qkv_bias=True, projection_bias=False)
