"""Chips made by a template: tensor cores, vector cores and a shared buffer on one die, and the space of all of them."""

from intarsia.machines.template.area import buffer_area, tensor_core_area, vector_core_area
from intarsia.machines.template.point import Point, chip_of
from intarsia.machines.template.space import PHAZE, Points, TemplateSpace, single

__all__ = [
    "PHAZE",
    "Point",
    "Points",
    "TemplateSpace",
    "buffer_area",
    "chip_of",
    "single",
    "tensor_core_area",
    "vector_core_area",
]
