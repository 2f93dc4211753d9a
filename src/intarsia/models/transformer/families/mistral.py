"""Mistral: Llama's block. Its sliding window is taken to be as long as the sequence."""

from __future__ import annotations

from intarsia.models.transformer.families.llama import read

__all__ = ["read"]
