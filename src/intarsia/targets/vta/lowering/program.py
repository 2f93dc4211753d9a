"""A compiled operator: the program, where everything lies in device memory, how data get in and out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intarsia.embed.embedding import Embedding
from intarsia.program import OperandSpace
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.encoding import encode, encode_uops
from intarsia.targets.vta.lowering.bias import BiasMap
from intarsia.targets.vta.lowering.epilogue import Epilogue, bias_weights
from intarsia.targets.vta.lowering.packing import Packing
from intarsia.targets.vta.lowering.plan import Plan
from intarsia.targets.vta.lowering.tiling import Region
from intarsia.targets.vta.stream import Stream
from intarsia.targets.vta.timing import Timing

FILLER = 0xA5
"""What the output region holds before a run, so that a missing store shows."""


@dataclass(frozen=True, slots=True)
class MemoryMap:
    """(name, address, bytes) of each region of device memory, and the size of all of it."""

    regions: tuple[tuple[str, int, int], ...]
    size: int

    def address(self, name: str) -> int:
        """Byte address of a region."""
        return next(a for n, a, _ in self.regions if n == name)


@dataclass(frozen=True, slots=True, eq=False)
class VtaProgram:
    """A compiled operator: pack any inputs, run, unpack.

    Attributes:
        embeddings: what it computes, one for each statement of the operator.
        config: the core.
        epilogue: what happens to accumulators before they are stored, None if they are stored as they are.
        plan: the calls, their tiling, and how packed tensors lie in their regions.
        stream, uops: the instructions, and the micro-operations [n, 3] as dst, src, wgt.
        memory: where everything lies.
        packings: (region, index map) of each input tensor.
        constants: (region, bytes) of what does not depend on the inputs.
        bias: the index map of the bias, None without one.
        output_index: byte address of every output element, -1 for those that keep their initial value.
        timing: cycles in the timing model.
        bound: proved lower bound on the cycles of every tiling that was considered.
        tiling: the tiling in words.
        initial: what output elements hold that nothing computes.
        places: (region, input, how its vectors lie there) where inputs are not the plan's two operands of a GEMM: one
            for each statement.
    """

    embeddings: tuple[Embedding, ...]
    config: VtaConfig
    epilogue: Epilogue | None
    plan: Plan
    stream: Stream
    uops: NDArray[np.int64]
    memory: MemoryMap
    packings: tuple[tuple[str, Packing], ...]
    constants: tuple[tuple[str, NDArray[np.uint8]], ...]
    bias: BiasMap | None
    output_index: NDArray[np.int64]
    timing: Timing
    bound: int
    tiling: str
    initial: int = 0
    places: tuple[tuple[str, OperandSpace, Region], ...] = ()

    def program(self) -> bytes:
        """The binary instruction stream."""
        return encode(self.stream, self.config)

    def image(self, inputs: Mapping[str, NDArray[np.int8]], bias: NDArray[np.int32] | None) -> NDArray[np.uint8]:
        """Device memory before the run for some inputs, [memory.size] bytes."""
        memory = np.zeros(self.memory.size, dtype=np.uint8)

        def put(name: str, data: NDArray[np.generic]) -> None:
            raw = np.ascontiguousarray(data).view(np.uint8).reshape(-1)
            at = self.memory.address(name)
            memory[at : at + raw.size] = raw

        for name, part in self.packings:
            put(name, part.pack(inputs[part.tensor]))
        for name, raw in self.constants:
            put(name, raw)
        if self.bias is not None and bias is not None:
            put("bias", self._bias(self.bias, bias))
        put("uop", encode_uops(self.uops[:, 0], self.uops[:, 1], self.uops[:, 2], self.config))
        at, size = next((a, s) for n, a, s in self.memory.regions if n == "out")
        memory[at : at + size] = FILLER
        return memory

    def _bias(self, places: BiasMap, bias: NDArray[np.int32]) -> NDArray[np.generic]:
        flat = np.append(bias.reshape(-1).astype(np.int64), 0)
        values = flat[places.index]
        if self.epilogue is None or not self.epilogue.by_gemm:
            return values.astype(np.int32)
        shape = (-1, self.config.batch, self.config.block_out)
        along = 1 if self.epilogue.bias == "wgt" else 2
        first = np.expand_dims(places.index.reshape(shape).argmax(axis=along), along)
        chosen = np.take_along_axis(values.reshape(shape), first, axis=along).squeeze(along)
        return bias_weights(chosen, self.config.block_in)

    def unpack(self, memory: NDArray[np.uint8]) -> NDArray[np.int8]:
        """The logical output from device memory after the run; elements that nothing computes are ``initial``."""
        found = memory[self.output_index].view(np.int8)
        missing = self.output_index < 0
        return np.where(missing, np.int8(self.initial), found) if missing.any() else found
