"""AMX tdpbusd: a tile of up to 16 rows of 64 bytes by one of 16 columns.

The second tile holds four consecutive k of a column side by side; the register is named b[k, n] whatever the bytes.
"""

from intarsia.machines.entry import Entry, Size


def _text(m: int, n: int, k: int) -> str:
    return f"""tdpbusd: m<{m} n<{n} ; k<{k}
  c:int32[{m}, {n}] a:uint8[{m}, {k}] b:int8[{k}, {n}]
  c[m, n] += a[m, k] * b[k, n]
memory c=tmm a=tmm b=tmm
cycles 16
source Intel 64 and IA-32 Architectures Software Developer's Manual, TDPBUSD
source Intel 64 and IA-32 Architectures Optimization Reference Manual, AMX: one tile product every 16 cycles
"""


ENTRIES = (
    Entry(
        "amx.tdpbusd",
        "AMX tile product: uint8 by int8 to int32",
        _text,
        (Size("M", 16, 16), Size("N", 16, 16), Size("K", 64, 64, 4)),
    ),
)
