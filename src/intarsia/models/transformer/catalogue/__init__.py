"""Models by name, one small file each: the published configuration in Hugging Face's keys, and where it stands.

``sequence`` is the length that the model was trained at, where the configuration allows another one.
"""

from __future__ import annotations

import json
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from intarsia.ground.errors import InputError
from intarsia.models.transformer.read import read_config
from intarsia.models.transformer.transformer import Transformer

SUFFIX = ".json"


@cache
def model_names() -> tuple[str, ...]:
    """Every name, sorted."""
    return tuple(sorted(f.name.removesuffix(SUFFIX) for f in files(__name__).iterdir() if f.name.endswith(SUFFIX)))


def find_model(name: str) -> Transformer:
    """The transformer of a name.

    Raises:
        InputError: for an unknown name, with the nearest ones.
    """
    if name not in model_names():
        near = get_close_matches(name.lower(), model_names(), n=3, cutoff=0.4)
        raise InputError("unknown model", value=name or "''", allowed=", ".join(model_names()), hint=", ".join(near))
    entry = json.loads((files(__name__) / f"{name}{SUFFIX}").read_text(encoding="utf-8"))
    model = read_config(entry["config"], name)
    return replace(model, sequence=entry["sequence"]) if "sequence" in entry else model


def source_of(name: str) -> str:
    """Where the configuration of a name is published."""
    entry = json.loads((files(__name__) / f"{name}{SUFFIX}").read_text(encoding="utf-8"))
    return str(entry["source"])
