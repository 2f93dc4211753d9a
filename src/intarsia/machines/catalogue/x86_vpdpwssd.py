"""AVX512-VNNI vpdpwssd as raw lanes."""

from intarsia.machines.entry import Entry


def _text() -> str:
    return """vpdpwssd: l<16 ; j<2
  c:int32[16] a:int16[16, 2] b:int16[16, 2]
  c[l] += a[l, j] * b[l, j]
memory c=zmm a=zmm b=zmm
cycles 1
ports read=128 write=64
source Intel 64 and IA-32 Architectures Software Developer's Manual, VPDPWSSD, 512-bit form, no saturation
source ports: the L1 cache of Sunny Cove, two loads and a store of 64 bytes a cycle (Intel's optimization manual)
"""


ENTRIES = (Entry("x86.vpdpwssd", "AVX512-VNNI: 16 dot products of 2, int16 by int16 to int32", _text),)
