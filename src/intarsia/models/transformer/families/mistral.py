"""Mistral: Llama's block with a sliding window, which training counts as if it were as long as the sequence."""

from __future__ import annotations

from dataclasses import replace

from intarsia.models.transformer.config import Config
from intarsia.models.transformer.families import llama
from intarsia.models.transformer.transformer import Transformer


def read(config: Config, name: str) -> Transformer:
    """Llama's keys."""
    return replace(llama.read(config, name), window=config.size("sliding_window", default=0))
