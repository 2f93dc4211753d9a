"""Qwen 3: Llama's block with norms on the queries and keys of each head."""

from __future__ import annotations

from dataclasses import replace

from intarsia.models.transformer.config import Config
from intarsia.models.transformer.families import llama
from intarsia.models.transformer.transformer import Transformer


def read(config: Config, name: str) -> Transformer:
    """Llama's keys."""
    return replace(llama.read(config, name), head_norms=True)
