"""The 256-bit vpdpbusd of AVX-VNNI and AVX512-VNNI as raw lanes."""

from intarsia.machines.entry import Entry


def _text() -> str:
    return """vpdpbusd: l<8 ; j<4
  c:int32[8] a:uint8[8, 4] b:int8[8, 4]
  c[l] += a[l, j] * b[l, j]
memory c=ymm a=ymm b=ymm
cycles 1
ports read=64 write=32
source Intel 64 and IA-32 Architectures Software Developer's Manual, VPDPBUSD, 256-bit form, no saturation
source ports: two loads and a store of 32 bytes a cycle (Intel's optimization manual)
"""


ENTRIES = (Entry("x86.vpdpbusd.ymm", "AVX-VNNI: 8 dot products of 4, uint8 by int8 to int32", _text),)
