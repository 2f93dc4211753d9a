"""Front ends that read models: ``read_spec`` gives operators, ``read_model`` a chain of layers."""

from intarsia.models.listing import Listed, catalogue_names, listing
from intarsia.models.model import read_model
from intarsia.models.onnx_file import OnnxFile, Other, Qualifying, read_node, read_onnx
from intarsia.models.onnx_quantised import QuantisedFile, QuantisedNode, load_whole, read_quantised
from intarsia.models.spec import read_spec, read_specs
from intarsia.models.torch_graph import from_torch
from intarsia.models.traced import Traced

__all__ = [
    "Listed",
    "OnnxFile",
    "Other",
    "Qualifying",
    "QuantisedFile",
    "QuantisedNode",
    "Traced",
    "catalogue_names",
    "from_torch",
    "listing",
    "load_whole",
    "read_model",
    "read_node",
    "read_onnx",
    "read_quantised",
    "read_spec",
    "read_specs",
]
