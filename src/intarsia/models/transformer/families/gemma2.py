"""Gemma 2: a second norm ends each branch, and logits are capped. Its sliding windows are taken as full attention."""

from __future__ import annotations

from dataclasses import replace

from intarsia.models.transformer.config import Config
from intarsia.models.transformer.families import gemma
from intarsia.models.transformer.transformer import Transformer


def read(config: Config, name: str) -> Transformer:
    """Gemma's keys."""
    capped = config.has("final_logit_softcapping")
    return replace(gemma.read(config, name), branch_norms=True, capped=capped)
