"""Integer sets: linear forms, conditions, proofs of emptiness; the only room that calls the polyhedral library."""

from intarsia.poly.linear import Conditions, Linear, between, equal, greater, variable
from intarsia.poly.points import Answer, Exceeded, Point, find_point, find_unreached

__all__ = [
    "Answer",
    "Conditions",
    "Exceeded",
    "Linear",
    "Point",
    "between",
    "equal",
    "find_point",
    "find_unreached",
    "greater",
    "variable",
]
