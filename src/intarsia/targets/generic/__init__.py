"""Any instruction, executed call by call by its own meaning: for `run` only; nothing is compiled, and nothing timed."""

from intarsia.targets.generic.machine import run

__all__ = ["run"]
