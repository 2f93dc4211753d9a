"""AVX512-BF16 vdpbf16ps as raw lanes."""

from intarsia.machines.entry import Entry


def _text() -> str:
    return """vdpbf16ps: l<16 ; j<2
  c:float32[16] a:bfloat16[16, 2] b:bfloat16[16, 2]
  c[l] += a[l, j] * b[l, j]
memory c=zmm a=zmm b=zmm
cycles 1
ports read=128 write=64
source Intel 64 and IA-32 Architectures Software Developer's Manual, VDPBF16PS, 512-bit form; denormals are zero
source ports: the L1 cache of Sunny Cove, two loads and a store of 64 bytes a cycle (Intel's optimization manual)
"""


ENTRIES = (Entry("x86.vdpbf16ps", "AVX512-BF16: 16 dot products of 2, bfloat16 to float32", _text),)
