"""Chips made by a template: tensor cores, vector cores and a shared buffer on one die, and the space of all of them."""

from intarsia.machines.template.area import buffer_area, tensor_core_area, vector_core_area
from intarsia.machines.template.chip import chip_of, point_of
from intarsia.machines.template.energy import CLOCK, Technology
from intarsia.machines.template.parts import STACK_GIB, Part
from intarsia.machines.template.point import (
    HBM_BANDWIDTH,
    LINK_BANDWIDTH,
    STACK_BANDWIDTH,
    Point,
    Points,
    columns_of,
    single,
)
from intarsia.machines.template.power import Amounts, joules, peak_amounts
from intarsia.machines.template.read import SPACES, read_space
from intarsia.machines.template.space import PHAZE, TPUV4_INTERFACED, TPUV4_LIKE, WIDE, TemplateSpace

__all__ = [
    "CLOCK",
    "HBM_BANDWIDTH",
    "LINK_BANDWIDTH",
    "PHAZE",
    "SPACES",
    "STACK_BANDWIDTH",
    "STACK_GIB",
    "TPUV4_INTERFACED",
    "TPUV4_LIKE",
    "WIDE",
    "Amounts",
    "Part",
    "Point",
    "Points",
    "Technology",
    "TemplateSpace",
    "buffer_area",
    "chip_of",
    "columns_of",
    "joules",
    "peak_amounts",
    "point_of",
    "read_space",
    "single",
    "tensor_core_area",
    "vector_core_area",
]
