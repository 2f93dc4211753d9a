"""Libraries that kernels are compared with; each is imported where it is used, and is an optional extra."""

from intarsia.flow.native.libraries.library import Library, Prepared, known

__all__ = ["Library", "Prepared", "known"]
