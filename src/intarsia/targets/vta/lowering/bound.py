"""What no program can beat: cycles of the compute unit, the read port and the write port, for an operator."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from intarsia.embed.embedding import evaluate
from intarsia.operators import DTYPES, Access, Affine, Operator, Statement
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.lowering.bias import bias_shape
from intarsia.targets.vta.lowering.epilogue import Epilogue
from intarsia.targets.vta.lowering.figures import per_output

BIAS_BYTES = 4
LISTED = 1 << 22
"""Iterations of axes that belong together that are looked at one by one."""


@dataclass(frozen=True, slots=True)
class LowerBound:
    """Cycles below which no program of an operator can be whose calls are those of an aligned or fused embedding.

    Attributes:
        compute: least calls of the core that do something, plus the reset and the epilogue of every output.
        read: each needed input, weight and bias byte through the read port once; what meets only padding is not needed.
        write: each output byte through the write port once.
    """

    compute: int
    read: int
    write: int

    @property
    def cycles(self) -> int:
        """The largest of the three."""
        return max(self.compute, self.read, self.write)


def lower_bound(operator: Operator, config: VtaConfig, epilogue: Epilogue | None, calls: int) -> LowerBound:
    """The bound for one statement's operator.

    Args:
        operator: what is computed.
        config: the core.
        epilogue: the epilogue that the program uses.
        calls: least calls that do something: of any aligned or fused embedding, and of the skewed ones looked at.
    """
    elements = prod(operator.outputs[0].shape)
    tensors = -(-elements // (config.batch * config.block_out))
    read = 0
    for tensor in operator.inputs:
        accesses = [(s, a) for s in operator.statements for a in s.reads if a.tensor == tensor.name]
        read += max(needed_elements(operator, s, access) for s, access in accesses) * DTYPES[tensor.dtype]
    if epilogue is not None and epilogue.bias != "none":
        each = min(BIAS_BYTES, config.block_in) if epilogue.by_gemm else BIAS_BYTES  # as digits or as it is
        read += prod(bias_shape(operator, 0)) * each
    return LowerBound(
        calls + tensors * per_output(epilogue), -(-read // config.port_bytes), -(-elements // config.port_bytes)
    )


def needed_elements(operator: Operator, statement: Statement, access: Access) -> int:
    """Elements of a tensor that the result depends on: some iteration reads them, and nothing it meets is padding.

    Axes that share a subscript, of any access of the statement, belong together; what does not belong together does not
    limit each other, so the number is a product. Parts that are too large to list count nothing.
    """
    total = 1
    for names, subscripts in _parts(operator, statement):
        axes = [operator.axis(name) for name in names]
        count = prod(a.extent for a in axes)
        if count > LISTED:
            return 0
        grid = np.indices(tuple(a.extent for a in axes), dtype=np.int64).reshape(len(axes), count)
        values = {a.name: grid[i] for i, a in enumerate(axes)}
        live = np.ones(count, dtype=np.bool_)
        for s, size in subscripts:
            live &= (evaluate(s, values) >= 0) & (evaluate(s, values) < size)
        own = [evaluate(s, values) for s in access.subscripts if {n for n, _ in s.terms} & set(names)]
        rows = np.stack([np.zeros(count, dtype=np.int64), *own])[:, live]
        total *= np.unique(rows, axis=1).shape[1]
    return total


def _parts(operator: Operator, statement: Statement) -> list[tuple[tuple[str, ...], list[tuple[Affine, int]]]]:
    """Axes that subscripts connect, each set with its subscripts and their sizes; constant ones by themselves."""
    parts: list[tuple[tuple[str, ...], list[tuple[Affine, int]]]] = []
    for access in (statement.write, *statement.reads):
        for subscript, size in zip(access.subscripts, operator.tensor(access.tensor).shape, strict=True):
            names = tuple(name for name, _ in subscript.terms)
            joined = [p for p in parts if set(p[0]) & set(names)]
            every = dict.fromkeys([n for p in joined for n in p[0]] + list(names))
            parts = [p for p in parts if p not in joined]
            parts.append((tuple(every), [*(s for p in joined for s in p[1]), (subscript, size)]))
    return parts
