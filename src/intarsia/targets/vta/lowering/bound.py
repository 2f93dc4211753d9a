"""What no program can beat: cycles of the compute unit, the read port and the write port, for an operator."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from intarsia.operators import DTYPES, Access, Affine, Operator
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.lowering.bias import bias_shape
from intarsia.targets.vta.lowering.cycles import per_output
from intarsia.targets.vta.lowering.epilogue import Epilogue

BIAS_BYTES = 4


@dataclass(frozen=True, slots=True)
class LowerBound:
    """Cycles below which no program of an operator can be.

    Attributes:
        compute: least calls of the core, padding-only ones left out, plus the reset and the epilogue of every output.
        read: each needed input, weight and bias byte through the read port once.
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
        calls: least calls of any embedding, padding-only calls left out.
    """
    elements = prod(operator.outputs[0].shape)
    tensors = -(-elements // (config.batch * config.block_out))
    read = 0
    for tensor in operator.inputs:
        accesses = [a for s in operator.statements for a in s.reads if a.tensor == tensor.name]
        read += max(needed_elements(operator, access) for access in accesses) * DTYPES[tensor.dtype]
    if epilogue is not None and epilogue.bias != "none":
        read += prod(bias_shape(operator, 0)) * BIAS_BYTES
    return LowerBound(
        calls + tensors * per_output(epilogue), -(-read // config.port_bytes), -(-elements // config.port_bytes)
    )


def needed_elements(operator: Operator, access: Access) -> int:
    """Elements of a tensor that some iteration reads; exact if no axis occurs in two subscripts, else at most that."""
    shape = operator.tensor(access.tensor).shape
    counts = [
        len(_positions(operator, subscript, size)) for subscript, size in zip(access.subscripts, shape, strict=True)
    ]
    names = [name for s in access.subscripts for name, _ in s.terms]
    return prod(counts) if len(names) == len(set(names)) else max(counts)


def _positions(operator: Operator, subscript: Affine, size: int) -> set[int]:
    values = np.array([subscript.constant], dtype=np.int64)
    for name, coefficient in subscript.terms:
        steps = coefficient * np.arange(operator.axis(name).extent, dtype=np.int64)
        values = np.unique((values[:, None] + steps[None, :]).reshape(-1))
    return set(values[(values >= 0) & (values < size)].tolist())
