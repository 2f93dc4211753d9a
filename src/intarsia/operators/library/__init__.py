"""The library: one file for each family of operators; a new family is a new file with its ``SHORTHANDS``."""

from importlib import import_module
from pkgutil import iter_modules

from intarsia.operators.library.attention import scores, values
from intarsia.operators.library.conv import conv, conv1d, conv2d, conv3d, depthwise
from intarsia.operators.library.deconv import deconv, deconv1d, deconv2d
from intarsia.operators.library.einsum import OPERANDS, einsum
from intarsia.operators.library.elementwise import Kind as ElementwiseKind
from intarsia.operators.library.elementwise import elementwise
from intarsia.operators.library.matmul import gemm, matmul
from intarsia.operators.library.pool import pool, pool2d
from intarsia.operators.library.reduce import Kind as ReduceKind
from intarsia.operators.library.reduce import reduce
from intarsia.operators.shorthand import Shorthand

__all__ = [
    "OPERANDS",
    "ElementwiseKind",
    "ReduceKind",
    "conv",
    "conv1d",
    "conv2d",
    "conv3d",
    "deconv",
    "deconv1d",
    "deconv2d",
    "depthwise",
    "einsum",
    "elementwise",
    "gemm",
    "matmul",
    "pool",
    "pool2d",
    "reduce",
    "scores",
    "shorthands",
    "values",
]


def shorthands() -> dict[str, Shorthand]:
    """Every kind that a file of this folder declares, by its name."""
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    return {s.kind: s for module in modules for s in getattr(module, "SHORTHANDS", ())}
