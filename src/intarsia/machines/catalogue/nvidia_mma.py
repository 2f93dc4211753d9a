"""NVIDIA tensor cores: the warp-wide mma of sm_80, row by column."""

from functools import partial

from intarsia.machines.entry import Entry


def _text(k: int, dtype: str, accumulator: str) -> str:
    return f"""mma: m<16 n<8 ; k<{k}
  d:{accumulator}[16, 8] a:{dtype}[16, {k}] b:{dtype}[{k}, 8]
  d[m, n] += a[m, k] * b[k, n]
memory d=registers a=registers b=registers
cycles 8
source PTX ISA, warp-level matrix instructions: mma.sync.aligned.m16n8k{k}.row.col
source NVIDIA A100 whitepaper: {k * 64} multiply-adds a cycle on an SM of four tensor cores, so 8 cycles a call
"""


ENTRIES = (
    Entry(
        "nvidia.mma.m16n8k16",
        "NVIDIA tensor core: 16x8x16, float16 to float32",
        partial(_text, 16, "float16", "float32"),
    ),
    Entry(
        "nvidia.mma.m16n8k32", "NVIDIA tensor core: 16x8x32, int8 by int8 to int32", partial(_text, 32, "int8", "int32")
    ),
)
