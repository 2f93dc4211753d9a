"""Chips, their catalogue, and how much of their figures is reached."""

from intarsia.machines.chips.calibrated import efficiency_of, refuse_efficiency, write_efficiency
from intarsia.machines.chips.chip import Chip, Dataflow, Mapping, TensorCores, VectorCores
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.chips.read import chip_names, read_chip

__all__ = [
    "Chip",
    "Dataflow",
    "Efficiency",
    "Mapping",
    "TensorCores",
    "VectorCores",
    "chip_names",
    "efficiency_of",
    "read_chip",
    "refuse_efficiency",
    "write_efficiency",
]
