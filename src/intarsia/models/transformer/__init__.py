"""Transformers: from a name, a ``config.json`` or plain sizes to the nodes that a training framework runs."""

from intarsia.models.transformer.catalogue import find_model, model_names
from intarsia.models.transformer.read import read_config
from intarsia.models.transformer.sizes import from_sizes
from intarsia.models.transformer.transformer import Transformer

__all__ = ["Transformer", "find_model", "from_sizes", "model_names", "read_config"]
