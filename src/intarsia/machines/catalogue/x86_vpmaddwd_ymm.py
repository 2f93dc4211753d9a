"""AVX2 vpmaddwd and the addition that accumulates its sums, as raw lanes: exact on bytes that were widened."""

from intarsia.machines.entry import Entry


def _text() -> str:
    return """vpmaddwd: l<8 ; j<2
  c:int32[8] a:int16[8, 2] b:int16[8, 2]
  c[l] += a[l, j] * b[l, j]
memory c=ymm a=ymm b=ymm
cycles 1
ports read=64 write=32
source Intel 64 and IA-32 Architectures Software Developer's Manual, VPMADDWD, 256-bit form, followed by VPADDD
source ports: two loads and a store of 32 bytes a cycle (Intel's optimization manual)
"""


ENTRIES = (Entry("x86.vpmaddwd.ymm", "AVX2: 8 dot products of 2, int16 by int16 to int32, by two instructions", _text),)
