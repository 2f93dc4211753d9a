"""Chips and their catalogue."""

from intarsia.machines.chips.chip import Chip, Dataflow, TensorCores, VectorCores
from intarsia.machines.chips.read import chip_names, read_chip

__all__ = ["Chip", "Dataflow", "TensorCores", "VectorCores", "chip_names", "read_chip"]
