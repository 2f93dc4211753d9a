"""Families of Hugging Face models, one small file each, named as their ``model_type`` with underscores.

A file is found by being here; it declares ``read(config, name) -> Transformer``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from intarsia.models.transformer.config import Config
    from intarsia.models.transformer.transformer import Transformer


@cache
def families() -> tuple[str, ...]:
    """Every ``model_type``, sorted."""
    return tuple(sorted(module.name for module in iter_modules(__path__)))


def reader(family: str) -> Callable[[Config, str], Transformer]:
    """The reader of a family."""
    return cast("Callable[[Config, str], Transformer]", import_module(f"{__name__}.{family}").read)
