"""Operators as scalar dataflow: the noun, its text form, a library, the inputs that name one, the interpreter."""

from intarsia.operators.operator import (
    COMBINES,
    DTYPES,
    Access,
    Affine,
    Axis,
    Combine,
    Operator,
    Role,
    Statement,
    Tensor,
)
from intarsia.operators.text import parse_operator

__all__ = [
    "COMBINES",
    "DTYPES",
    "Access",
    "Affine",
    "Axis",
    "Combine",
    "Operator",
    "Role",
    "Statement",
    "Tensor",
    "parse_operator",
]
