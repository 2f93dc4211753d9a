"""Gemma 2: a second norm ends each branch, and logits are capped.

Every other block has a sliding window, which training counts as if it were as long as the sequence.
"""

from __future__ import annotations

from dataclasses import replace

from intarsia.models.transformer.config import Config
from intarsia.models.transformer.families import gemma
from intarsia.models.transformer.transformer import Transformer


def read(config: Config, name: str) -> Transformer:
    """Gemma's keys."""
    capped = config.has("final_logit_softcapping")
    window = config.size("sliding_window", "sliding_window_size", default=0)
    return replace(gemma.read(config, name), branch_norms=True, capped=capped, window=window, global_every=2)
