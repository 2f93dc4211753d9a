"""Transposed copies as native code: what lies between a tensor's given layout and the one that a kernel reads."""

from intarsia.targets.x86.transposing.kernel import TransposingKernel
from intarsia.targets.x86.transposing.transposition import Transposition, cycles_of, widest_of

__all__ = ["TransposingKernel", "Transposition", "cycles_of", "widest_of"]
