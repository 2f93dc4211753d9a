"""From a ``config.json`` or from plain sizes to a transformer."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from intarsia.ground.errors import InputError
from intarsia.models.transformer.config import Config, load
from intarsia.models.transformer.families import families, reader
from intarsia.models.transformer.transformer import Transformer

OTHERS = frozenset(
    {
        "architectures", "auto_map", "torch_dtype", "dtype", "transformers_version", "use_cache", "_name_or_path",
        "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id", "cls_token_id", "initializer_range",
        "initializer_factor", "layer_norm_eps", "layer_norm_epsilon", "rms_norm_eps", "norm_epsilon",
        "rope_theta", "rope_scaling", "rope_parameters", "rotary_emb_base", "pretraining_tp", "task_specific_params",
        "attention_softmax_in_fp32", "scale_attn_weights", "sliding_window", "use_sliding_window",
        "max_window_layers", "position_embedding_type", "prefix", "summary_type", "id2label", "label2id",
    }
)  # fmt: skip
"""Keys that say nothing about sizes."""


def read_config(source: str | PathLike[str] | Mapping[str, Any], name: str = "") -> Transformer:
    """The transformer of a Hugging Face configuration, without its weights.

    Args:
        source: path of a ``config.json``, or its parsed content.
        name: what to call it; by default the configuration's own name, or its folder's.

    Raises:
        InputError: for what is no configuration, an unknown family, or a key that is missing or makes no sense.
    """
    config = load(source)
    family = config.text("model_type").replace("-", "_")
    if family not in families():
        raise InputError(
            "unknown model_type", where=config.where, value=config.text("model_type"), allowed=", ".join(families())
        )
    model = reader(family)(config, name or _name(source, config, family))
    config.finish(OTHERS)
    return model


def _name(source: str | PathLike[str] | Mapping[str, Any], config: Config, family: str) -> str:
    """The configuration's own name, its folder's, or its family's."""
    own = config.text("_name_or_path", default="-").rstrip("/").rpartition("/")[2]
    if own not in {"", "-", "."}:
        return own
    folder = "" if isinstance(source, Mapping) else Path(fspath(source)).resolve().parent.name
    return folder or family
