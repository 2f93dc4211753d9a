"""Front ends that read models; ``read_spec`` is the one way from what a user types to an operator."""

from intarsia.models.onnx_file import OnnxFile, Other, Qualifying, read_node, read_onnx
from intarsia.models.spec import read_spec, read_specs

__all__ = ["OnnxFile", "Other", "Qualifying", "read_node", "read_onnx", "read_spec", "read_specs"]
