"""Arm smmla: a 2x8 by an 8x2 matrix, the second one kept transposed."""

from intarsia.machines.entry import Entry


def _text() -> str:
    return """smmla: m<2 n<2 ; k<8
  c:int32[2, 2] a:int8[2, 8] b:int8[2, 8]
  c[m, n] += a[m, k] * b[n, k]
memory c=v a=v b=v
cycles 1
source Arm A-profile A64 instruction set architecture, SMMLA (vector)
"""


ENTRIES = (Entry("arm.smmla", "Arm matrix product: 2x2x8, int8 by int8 to int32", _text),)
