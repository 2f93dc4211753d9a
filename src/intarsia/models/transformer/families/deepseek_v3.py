"""DeepSeek-V3 and R1: V2's block with a bias in the router. The layer that predicts a second token is left out."""

from __future__ import annotations

from dataclasses import replace

from intarsia.models.transformer.config import Config
from intarsia.models.transformer.families import deepseek_v2
from intarsia.models.transformer.transformer import Transformer


def read(config: Config, name: str) -> Transformer:
    """DeepSeek-V2's keys."""
    model = deepseek_v2.read(config, name)
    return replace(model, experts=replace(model.experts, router_bias=True)) if model.experts else model
