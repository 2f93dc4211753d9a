"""A dot product unit of any length."""

from intarsia.machines.entry import ACCUMULATORS, Entry, Size


def _text(n: int, dtype: str) -> str:
    return f"""dot: ; k<{n}
  o:{ACCUMULATORS[dtype]}[1] a:{dtype}[{n}] b:{dtype}[{n}]
  o[0] += a[k] * b[k]
memory o=acc a=reg b=reg
cycles 1
source definition
"""


ENTRIES = (Entry("dot", "a dot product of any length", _text, (Size("N"),), "int8"),)
