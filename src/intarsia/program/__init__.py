"""From an embedding to memory: which vector each call reads and writes, which are needed, how tensors are packed."""

from intarsia.program.callspace import CallSpace, OperandSpace, Ranges, call_space

__all__ = ["CallSpace", "OperandSpace", "Ranges", "call_space"]
