"""Embeddings in a systolic array: which operand stays, what lies on the array, and the cycles, in closed form."""

from intarsia.embed.stationary.build import embedding_of
from intarsia.embed.stationary.costs import Fit, best_fit, cycles, front, least_cycles
from intarsia.embed.stationary.gather import gathered
from intarsia.embed.stationary.role import Role, Slide, product_roles, roles_of

__all__ = [
    "Fit",
    "Role",
    "Slide",
    "best_fit",
    "cycles",
    "embedding_of",
    "front",
    "gathered",
    "least_cycles",
    "product_roles",
    "roles_of",
]
