"""Gemma: Llama's block with wide heads, a GELU as gate, and the head tied to the embedding."""

from __future__ import annotations

from dataclasses import replace

from intarsia.models.transformer.config import Config
from intarsia.models.transformer.families import llama
from intarsia.models.transformer.transformer import Transformer
from intarsia.models.transformer.words import activation


def read(config: Config, name: str) -> Transformer:
    """Llama's keys; ``hidden_activation`` goes before ``hidden_act``."""
    gate = activation(config, "hidden_activation", default="gelu_pytorch_tanh")
    tied = config.flag("tie_word_embeddings", default=True)
    return replace(llama.read(config, name), activation=gate, tied=tied)
