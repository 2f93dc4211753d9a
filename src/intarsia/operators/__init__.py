"""Operators as scalar dataflow: the noun, its text form, a library, the inputs that name one, the interpreter."""

from intarsia.operators import library
from intarsia.operators.deepbench import Row, row, rows, unique
from intarsia.operators.element import greatest, identity, is_floating, least, numpy_dtype
from intarsia.operators.fast import evaluate
from intarsia.operators.inputs import check_inputs, random_inputs
from intarsia.operators.interpreter import interpret, interpret_scalar
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
from intarsia.operators.quantised import Quantised, quantised
from intarsia.operators.quantised_reference import check_quantised_inputs, evaluate_quantised, finish
from intarsia.operators.spec import kinds, read_operator
from intarsia.operators.text import parse_operator, tensors_of_any_size

__all__ = [
    "COMBINES",
    "DTYPES",
    "Access",
    "Affine",
    "Axis",
    "Combine",
    "Operator",
    "Quantised",
    "Role",
    "Row",
    "Statement",
    "Tensor",
    "check_inputs",
    "check_quantised_inputs",
    "evaluate",
    "evaluate_quantised",
    "finish",
    "greatest",
    "identity",
    "interpret",
    "interpret_scalar",
    "is_floating",
    "kinds",
    "least",
    "library",
    "numpy_dtype",
    "parse_operator",
    "quantised",
    "random_inputs",
    "read_operator",
    "row",
    "rows",
    "tensors_of_any_size",
    "unique",
]
