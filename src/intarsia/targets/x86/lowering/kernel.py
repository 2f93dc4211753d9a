"""A plan as something that runs: constants packed, scratch memory made, code compiled."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.operators.element import numpy_dtype
from intarsia.targets.x86.engine import Engine
from intarsia.targets.x86.intrinsics import spelling
from intarsia.targets.x86.lowering.constants import pack_constant
from intarsia.targets.x86.lowering.emit import module_of
from intarsia.targets.x86.lowering.feeding import table_of
from intarsia.targets.x86.lowering.packed import (
    access_of,
    aligned_copy,
    pack_parameters,
    written_elements,
)
from intarsia.targets.x86.lowering.plan import Plan
from intarsia.targets.x86.lowering.sharing import shared
from intarsia.targets.x86.lowering.stages import Interleave, PadCopy, TableCopy

Array = NDArray[Any]
NOTHING = np.zeros(64, dtype=np.uint8)


class Kernel:
    """The code of a plan; ``bind`` gives what runs.

    Attributes:
        plan: what was compiled.
        native: the code.
    """

    def __init__(self, plan: Plan, engine: Engine) -> None:
        self.plan = plan
        spelled = spelling(plan.embedding.instruction.name, engine.features)
        self.native = engine.compile(module_of(plan, spelled))
        parameters = [ctypes.c_void_p] * 8 + [ctypes.c_int64] * 2
        self.prepare, self.run, self.finish, self.whole = (
            self.native.function(name, None, *parameters) for name in ("prepare", "run", "finish", "whole")
        )

    def pack(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """The constants as the code reads them, by operand."""
        plan, found = self.plan, {}
        for feed in plan.factors:
            if feed.source == "constant":
                dtype = numpy_dtype(plan.embedding.operator.tensor(feed.tensor).dtype)
                array = arrays[feed.tensor].astype(dtype, casting="safe", copy=False)  # bytes that are given for int16
                tile, width = dict(plan.tile), feed.form.width
                found[feed.operand] = pack_constant(
                    plan.embedding, feed.operand, plan.parallel, tile, plan.reduction, width, array
                )
        return found

    def parameters(self, bias: Array, scale: Array) -> Array:
        """Bias and scale as the epilogue reads them."""
        plan = self.plan
        assert plan.store.epilogue is not None
        return pack_parameters(plan.embedding, plan.parallel, dict(plan.tile), plan.store.epilogue.dim, bias, scale)

    def scratch(self) -> Array:
        """Memory for one run at a time; borders hold the pad value already."""
        memory = aligned_copy(np.zeros(max(64, self.plan.scratch), dtype=np.uint8))
        for feed in self.plan.factors:
            if feed.weave is not None and feed.weave.borders is not None:
                memory[feed.weave.borders.offset :][: feed.weave.borders.span] = feed.weave.pad
        for stage in self.plan.stages:
            if isinstance(stage, Interleave) and stage.borders is not None:
                packed = memory[stage.offset : stage.offset + stage.bytes]
                if stage.given:
                    packed.view(np.int16)[:] = np.uint8(stage.pad).astype(stage.given)
                else:
                    packed[:] = stage.pad
                memory[stage.borders.offset :][: stage.borders.span] = stage.pad
            if isinstance(stage, PadCopy):
                tensor = self.plan.embedding.operator.tensor(stage.tensor)
                box = memory[stage.offset : stage.offset + stage.box.bytes]
                inner = box[stage.box.before : len(box) - stage.box.after].view(numpy_dtype(tensor.dtype))
                inner[:] = tensor.pad
        return memory

    def tables(self) -> tuple[Array, Array, Array]:
        """The tables of both factors and of the written tensor."""
        plan = self.plan
        found: list[Array] = []
        for feed in plan.factors:
            wanted = any(isinstance(s, TableCopy) and s.operand == feed.operand for s in plan.stages)
            found.append(table_of(plan.embedding, feed.operand) if wanted else NOTHING)
        written: Array = NOTHING
        if plan.store.address is None:
            written = written_elements(plan.embedding, plan.parallel).astype(np.int32).reshape(-1)
        return found[0], found[1], written


class Bound:
    """A kernel with its constants and memory: runs on one set of arrays at a time."""

    def __init__(
        self, kernel: Kernel, constants: Mapping[str, Array], finish: tuple[Array, Array] | None = None
    ) -> None:
        """Pack constants.

        Args:
            kernel: the code.
            constants: tensor name to array.
            finish: bias (int32) and scale (float32) along the epilogue's dimension.
        """
        self.kernel = kernel
        self.parameters = kernel.parameters(*finish) if finish else NOTHING
        self.packed = kernel.pack(constants)
        self.memory = kernel.scratch()
        self.tables = kernel.tables()
        self.count = shared(kernel.plan).units

    def pointers(self, arrays: Mapping[str, Array], out: Array) -> tuple[int, ...]:
        """What the code's functions take before the range."""
        factors = [
            self.packed[f.operand] if f.source == "constant" else arrays[f.tensor] for f in self.kernel.plan.factors
        ]
        return tuple(x.ctypes.data for x in (*factors, out, self.memory, *self.tables, self.parameters))

    def __call__(self, arrays: Mapping[str, Array], out: Array) -> None:
        """Compute the written tensor; arrays are contiguous and of the operator's shapes and dtypes."""
        self.kernel.whole(*self.pointers(arrays, out), 0, 0)


def written_access(plan: Plan) -> str:
    """The tensor that a plan writes."""
    return access_of(plan.embedding, plan.embedding.operands[0][0]).tensor
