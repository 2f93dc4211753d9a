"""Fused multiply and add of float32 on registers of 512 bits (AVX-512) and 256 (FMA), as raw lanes.

One call rounds once, after the addition; the meaning's multiplication and addition each round.
"""

from functools import partial

from intarsia.machines.entry import Entry


def _text(lanes: int, register: str, isa: str) -> str:
    return f"""vfmadd231ps: l<{lanes}
  c:float32[{lanes}] a:float32[{lanes}] b:float32[{lanes}]
  c[l] += a[l] * b[l]
memory c={register} a={register} b={register}
cycles 1
ports read={8 * lanes} write={4 * lanes}
source Intel 64 and IA-32 Architectures Software Developer's Manual, VFMADD231PS, {isa}, rounded once
source ports: two loads and a store of {4 * lanes} bytes a cycle (Intel's optimization manual)
"""


ENTRIES = (
    Entry("x86.vfmadd231ps", "AVX-512: 16 products of float32, added", partial(_text, 16, "zmm", "512-bit form")),
    Entry("x86.vfmadd231ps.ymm", "FMA: 8 products of float32, added", partial(_text, 8, "ymm", "256-bit form")),
)
