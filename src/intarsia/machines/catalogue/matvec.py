"""A matrix-vector unit of any size: M outputs, K inputs."""

from intarsia.machines.entry import ACCUMULATORS, Entry, Size


def _text(m: int, k: int, dtype: str) -> str:
    return f"""matvec: m<{m} ; k<{k}
  o:{ACCUMULATORS[dtype]}[{m}] a:{dtype}[{m}, {k}] x:{dtype}[{k}]
  o[m] += a[m, k] * x[k]
memory o=acc a=reg x=reg
cycles 1
source definition
"""


ENTRIES = (Entry("matvec", "a matrix-vector product of any size", _text, (Size("M"), Size("K")), "int8"),)
