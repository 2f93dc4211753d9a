"""VTA's GEMM: a row of activations by a block of weights, or BATCH rows of them."""

from intarsia.machines.entry import Entry, Size


def _text(batch: int, block_in: int, block_out: int) -> str:
    return f"""gemm: b<{batch} n<{block_out} ; k<{block_in}
  o:int32[{batch}, {block_out}] i:int8[{batch}, {block_in}] w:int8[{block_out}, {block_in}]
  o[b, n] += i[b, k] * w[n, k]
memory o=acc i=inp w=wgt
cycles 1
ports read=8 write=8
source VTA hardware guide: acc[dst][b][o] += sum over i of inp[src][b][i] * wgt[wgt][o][i], one micro-op a cycle
"""


ENTRIES = (
    Entry(
        "vta.gemm",
        "VTA's tensor core: int8 by int8 to int32",
        _text,
        (Size("BATCH", 1, 256), Size("BLOCK_IN", 16, 256), Size("BLOCK_OUT", 16, 256)),
    ),
)
