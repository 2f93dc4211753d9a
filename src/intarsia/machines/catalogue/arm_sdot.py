"""Arm sdot (vector form) on a 128-bit register."""

from intarsia.machines.entry import Entry


def _text() -> str:
    return """sdot: l<4 ; j<4
  c:int32[4] a:int8[4, 4] b:int8[4, 4]
  c[l] += a[l, j] * b[l, j]
memory c=v a=v b=v
cycles 1
source Arm A-profile A64 instruction set architecture, SDOT (vector)
"""


ENTRIES = (Entry("arm.sdot", "Arm dot product: 4 dot products of 4, int8 by int8 to int32", _text),)
