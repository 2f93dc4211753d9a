"""Nouns of hardware: an instruction and its memories, and a catalogue of real ones with sources."""

from intarsia.machines.catalogue import catalogue
from intarsia.machines.entry import Entry, Size
from intarsia.machines.find import find_instruction
from intarsia.machines.instruction import Instruction
from intarsia.machines.text import parse_instruction

__all__ = ["Entry", "Instruction", "Size", "catalogue", "find_instruction", "parse_instruction"]
