"""A tile of an input on its way into a buffer."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.targets.vta.isa import Memory
from intarsia.targets.vta.lowering.dma import Transfer
from intarsia.targets.vta.stream import StreamBuilder


@dataclass(frozen=True, slots=True)
class TileLoad:
    """A tile to be loaded: its buffer, the slot's address, the transfers, the step that read the slot last."""

    memory: Memory
    sram: int
    transfers: list[Transfer]
    freed: int = -1

    def emit(self, builder: StreamBuilder, *, pop: bool = False) -> int:
        """Its loads, the first of which may wait for a token of the next unit; the place of the last, -1 for none."""
        at = -1
        for t in self.transfers:
            at = builder.load(
                self.memory,
                sram_base=self.sram + t.offset,
                dram_base=t.base,
                y_size=t.y,
                x_size=t.x,
                x_stride=t.stride,
                pop_next=pop,
            )
            pop = False
        return at
