"""VTA's ALU between two accumulator tensors; its forms with an immediate are the target's affair."""

from functools import partial

from intarsia.machines.entry import Entry, Size


def _text(combine: str, batch: int, block: int) -> str:
    return f"""alu: b<{batch} n<{block}
  d:int32[{batch}, {block}] s:int32[{batch}, {block}]
  d[b, n] {combine} s[b, n]
memory d=acc s=acc
cycles 2
source VTA hardware guide: acc[dst] = op(acc[dst], acc[src]); two cycles a micro-op when both are registers
"""


ENTRIES = tuple(
    Entry(
        f"vta.alu.{name}",
        f"VTA's ALU: {name} of two accumulator tensors",
        partial(_text, combine),
        (Size("BATCH", 1, 256), Size("BLOCK", 16, 256)),
    )
    for name, combine in (("add", "+="), ("max", "max="), ("min", "min="))
)
