"""Megatron's BERT: norms at the start of the branches and after the last block, none after the embedding."""

from __future__ import annotations

from dataclasses import replace

from intarsia.models.transformer.config import Config
from intarsia.models.transformer.families import bert
from intarsia.models.transformer.transformer import Transformer


def read(config: Config, name: str) -> Transformer:
    """BERT's keys."""
    return replace(bert.read(config, name), embedding_norm=False, final_norm=True, post_norm=False)
