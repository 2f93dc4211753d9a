"""Mixtral: Mistral's block with routed experts."""

from __future__ import annotations

from dataclasses import replace

from intarsia.models.transformer.config import Config
from intarsia.models.transformer.families import mistral
from intarsia.models.transformer.kinds import Experts
from intarsia.models.transformer.transformer import Transformer
from intarsia.models.transformer.words import chosen_of


def read(config: Config, name: str) -> Transformer:
    """Every block has experts, each as wide as ``intermediate_size``."""
    model = mistral.read(config, name)
    count, chosen = chosen_of(config, "num_local_experts")
    return replace(model, experts=Experts(count, chosen, model.ffn))
