"""Chips and their catalogue."""

from intarsia.machines.chips.chip import Chip, Dataflow, TensorCores, VectorCores

__all__ = ["Chip", "Dataflow", "TensorCores", "VectorCores"]
