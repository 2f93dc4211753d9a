"""The generic target: executes the calls of any instruction by its own semantics, so that a new one runs at once."""

from intarsia.targets.generic.machine import run

__all__ = ["run"]
