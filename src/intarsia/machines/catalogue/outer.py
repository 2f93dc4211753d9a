"""An outer product unit of any size."""

from intarsia.machines.entry import ACCUMULATORS, Entry, Size


def _text(m: int, n: int, dtype: str) -> str:
    return f"""outer: m<{m} n<{n}
  o:{ACCUMULATORS[dtype]}[{m}, {n}] a:{dtype}[{m}] b:{dtype}[{n}]
  o[m, n] += a[m] * b[n]
memory o=acc a=reg b=reg
cycles 1
source definition
"""


ENTRIES = (Entry("outer", "an outer product of any size", _text, (Size("M"), Size("N")), "int8"),)
