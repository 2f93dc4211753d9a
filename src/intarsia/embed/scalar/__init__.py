"""The scalar space: every map from the lanes of one call to the iterations of an operator, as published.

The definition of an embedding, and the oracle of the axis-level spaces on small boxes. It grows with the instruction.
"""

from intarsia.embed.scalar.assignment import Assignment, Dtypes, assignments, mismatch, named
from intarsia.embed.scalar.call import Call
from intarsia.embed.scalar.check import check_call
from intarsia.embed.scalar.families import Digit, Digits, as_digits, family, translate_free
from intarsia.embed.scalar.solve import enumerate_scalar, solve_scalar

__all__ = [
    "Assignment",
    "Call",
    "Digit",
    "Digits",
    "Dtypes",
    "as_digits",
    "assignments",
    "check_call",
    "enumerate_scalar",
    "family",
    "mismatch",
    "named",
    "solve_scalar",
    "translate_free",
]
