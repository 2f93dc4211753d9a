"""Compiled operators as functions on NumPy arrays.

``compiled`` takes an operator, or a quantised one, and gives a ``Compiled``.
"""

from intarsia.targets.x86.callable.build import Built
from intarsia.targets.x86.callable.compiled import Compiled
from intarsia.targets.x86.callable.make import compiled
from intarsia.targets.x86.callable.proof import is_right
from intarsia.targets.x86.callable.source import Source, instruction_of_bytes, source_of
from intarsia.targets.x86.callable.words import in_words

__all__ = ["Built", "Compiled", "Source", "compiled", "in_words", "instruction_of_bytes", "is_right", "source_of"]
