"""AVX512-VNNI vpdpbusd as raw lanes: a broadcast operand is a special case of an embedding, not of the instruction."""

from intarsia.machines.entry import Entry


def _text() -> str:
    return """vpdpbusd: l<16 ; j<4
  c:int32[16] a:uint8[16, 4] b:int8[16, 4]
  c[l] += a[l, j] * b[l, j]
memory c=zmm a=zmm b=zmm
cycles 1
ports read=128 write=64
source Intel 64 and IA-32 Architectures Software Developer's Manual, VPDPBUSD, 512-bit form, no saturation
source ports: the L1 cache of Sunny Cove, two loads and a store of 64 bytes a cycle (Intel's optimization manual)
"""


ENTRIES = (Entry("x86.vpdpbusd", "AVX512-VNNI: 16 dot products of 4, uint8 by int8 to int32", _text),)
