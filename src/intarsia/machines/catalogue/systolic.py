"""A weight-stationary systolic array of W columns (outputs) and D rows (the reduction).

A call is one row of activations that enters, one a cycle; the W x D weights stay, so that a matrix of m rows is
m calls. Filling the pipe (W + D cycles) and changing the weights are the machine's costs, not the call's.
"""

from intarsia.machines.entry import ACCUMULATORS, Entry, Size


def _text(width: int, depth: int, dtype: str) -> str:
    return f"""systolic: m<1 n<{width} ; k<{depth}
  o:{ACCUMULATORS[dtype]}[1, {width}] x:{dtype}[1, {depth}] w:{dtype}[{depth}, {width}]
  o[m, n] += x[m, k] * w[k, n]
memory o=acc x=stream w=array
cycles 1
source definition: one row a cycle through a W x D array of multiply-add cells
"""


ENTRIES = (
    Entry(
        "systolic",
        "a systolic tensor core of width x depth, one row a cycle",
        _text,
        (Size("W"), Size("D")),
        "bfloat16",
    ),
)
