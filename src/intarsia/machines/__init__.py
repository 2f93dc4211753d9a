"""Nouns of hardware: an instruction and its memories, and a catalogue of real ones with sources."""

from intarsia.machines.instruction import Instruction

__all__ = ["Instruction"]
