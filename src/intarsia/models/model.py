"""Everything by which a user may name a model: a name of the catalogue, a ``config.json``, an ONNX file."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from intarsia.graph import Model
from intarsia.ground.errors import InputError
from intarsia.models.convnet import CONVNETS, convnet
from intarsia.models.listing import catalogue_names
from intarsia.models.onnx_graph import read_onnx_model
from intarsia.models.swin import SWINS, swin
from intarsia.models.transformer import find_model, model_names, read_config
from intarsia.models.vit import VITS, vit


def read_model(text: str) -> Model:
    """The model that a user names.

    Args:
        text: a name of ``catalogue_names``; the path of a Hugging Face ``config.json``; or that of an ONNX file.

    Raises:
        InputError: for an unknown name, with the nearest ones, and for a file that is none of these.
    """
    if text in model_names():
        return find_model(text)
    if text in CONVNETS:
        return convnet(text)
    if text in VITS:
        return vit(text)
    if text in SWINS:
        return swin(text)
    if text.endswith(".onnx"):
        return read_onnx_model(text)
    if text.endswith(".json") or _is_file(text):
        return read_config(text)
    near = get_close_matches(text.lower(), catalogue_names(), n=3, cutoff=0.6)
    raise InputError(
        "unknown model, and no such file",
        value=text or "''",
        allowed="a name of `intarsia models`, a config.json, an .onnx file",
        hint=", ".join(near),
    )


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long, or no name at all
        return False
