"""What the ALU's lowering starts from: the statements of one operator, their calls, and what may be refused.

Embeddings of all statements in the ALU come in; out go their call spaces, which share parallel and reduction loops.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from intarsia.embed.embedding import Embedding, Loop
from intarsia.ground import InputError
from intarsia.machines import Instruction, find_instruction
from intarsia.operators import Combine, Operator, Tensor, identity
from intarsia.program import CallSpace, OperandSpace, Ranges, call_space
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.isa import AluOp

Ints = NDArray[np.int64]

KINDS: dict[Combine, str] = {"+=": "add", "max=": "max", "min=": "min"}
OPERATIONS: dict[Combine, AluOp] = {"+=": AluOp.ADD, "max=": AluOp.MAX, "min=": AluOp.MIN}


def alu_instruction(combine: Combine, config: VtaConfig) -> Instruction:
    """The ALU of a core for a combining operator."""
    return find_instruction(f"vta.alu.{KINDS[combine]}:{config.batch}x{config.block_out}")


def check_operator(operator: Operator) -> None:
    """Refuse what the ALU cannot compute or VTA cannot store.

    Raises:
        InputError: with the reason.
    """
    writes = {s.write for s in operator.statements}
    combines = {s.combine for s in operator.statements}
    if len(writes) != 1 or len(combines) != 1:
        raise InputError(
            "the ALU computes statements that write one tensor in one way with one combining operator",
            where=operator.name,
            value="; ".join(map(str, operator.statements)),
        )
    for statement in operator.statements:
        if len(statement.reads) != 1:
            raise InputError(
                "the ALU combines tensors and multiplies none",
                where=operator.name,
                value=str(statement),
                allowed="one read in each statement",
                hint="vta.gemm for products",
            )
    out = operator.tensor(operator.statements[0].write.tensor)
    if out.dtype != "int8":
        raise InputError(
            f"VTA stores the low 8 bits of its accumulators, {out.name} is {out.dtype}",
            where=operator.name,
            allowed="int8",
            hint=f"{out.name}:int8, which wraps" if out.dtype == "int32" else "",
        )
    for tensor in operator.inputs:
        if tensor.dtype != "int8":
            raise InputError(
                f"VTA reads signed 8-bit inputs, {tensor.name} is {tensor.dtype}", where=operator.name, allowed="int8"
            )


@dataclass(frozen=True, slots=True)
class AluSpace:
    """All calls of all statements.

    Attributes:
        operator, combine: what is computed.
        parallel, reduction: outer loops of more than one iteration, the same for every statement.
        written: the output's vectors.
        statements: one call space for each statement, with the input as its only factor.
    """

    operator: Operator
    combine: Combine
    parallel: tuple[Loop, ...]
    reduction: tuple[Loop, ...]
    written: OperandSpace
    statements: tuple[CallSpace, ...]

    @property
    def embeddings(self) -> tuple[Embedding, ...]:
        """One for each statement."""
        return tuple(s.embedding for s in self.statements)

    @property
    def sources(self) -> tuple[OperandSpace, ...]:
        """The input of each statement."""
        return tuple(s.factors[0] for s in self.statements)

    @property
    def outputs(self) -> int:
        """Output tensors of the core."""
        return prod(loop.extent for loop in self.parallel)

    @property
    def needed(self) -> int:
        """Calls that can change a result."""
        return sum(s.needed for s in self.statements)

    @property
    def neutral(self) -> int:
        """What an output starts as."""
        return int(identity(self.combine, "int8"))

    @property
    def bare(self) -> bool:
        """Whether some outputs have no call at all: their windows lie in the padding."""
        return not covered(
            [(s.ranges.low, s.ranges.high) for s in self.statements], [loop.extent for loop in self.parallel]
        )

    @property
    def operation(self) -> AluOp:
        """The ALU's operation."""
        return OPERATIONS[self.combine]


def alu_space(embeddings: tuple[Embedding, ...]) -> AluSpace:
    """The calls of an operator whose statements are all embedded with the same digits.

    Raises:
        InputError: the operator is refused, or the embeddings do not put the outputs on the same lanes.
    """
    operator = embeddings[0].operator
    check_operator(operator)
    if [e.statement for e in embeddings] != list(range(len(operator.statements))):
        raise InputError(
            "the ALU's lowering wants one embedding for each statement, in their order",
            where=operator.name,
            value=", ".join(str(e.statement) for e in embeddings),
        )
    if any(
        e.operator != operator or (e.loops, e.flats) != (embeddings[0].loops, embeddings[0].flats) for e in embeddings
    ):
        raise InputError("the embeddings of the statements put the output on different lanes", where=operator.name)
    combine = operator.statements[0].combine
    spaces = tuple(_calls(call_space(e), combine) for e in embeddings)
    first = spaces[0]
    return AluSpace(operator, combine, first.parallel, first.reduction, first.written, spaces)


def _calls(space: CallSpace, combine: Combine) -> CallSpace:
    """Without calls that repeat another; with those that read only padding where it has a say, or cannot be told."""
    factor = space.factors[0]
    parallel = {loop.name for loop in space.parallel}
    tangled = any(sum(name in parallel for name, _ in moves) > 1 for moves in factor.moves)
    if tangled or not _silent(factor.layout.tensor, combine):
        space = _with_padding(space)
    if combine == "+=":
        return space
    idle = [i for i, loop in enumerate(space.reduction) if loop.name not in factor.loops]
    kept = (space.ranges.points[:, idle] == 0).all(axis=1)
    ranges = Ranges(space.ranges.points[kept], space.ranges.low[kept], space.ranges.high[kept])
    return replace(space, ranges=ranges, needed=_count(ranges))


def _silent(tensor: Tensor, combine: Combine) -> bool:
    """Whether combining with the tensor's padding changes nothing."""
    return tensor.pad == identity(combine, tensor.dtype)


def _with_padding(space: CallSpace) -> CallSpace:
    factor = space.factors[0]
    live = tuple((0, d.extent - 1) for d in factor.layout.dims)
    extents = [loop.extent for loop in space.reduction]
    points = np.indices(extents, dtype=np.int64).reshape(len(extents), prod(extents)).T
    low = np.zeros((len(points), len(space.parallel)), dtype=np.int64)
    high = low + np.array([loop.extent for loop in space.parallel], dtype=np.int64)
    ranges = Ranges(points, low, high)
    return replace(space, factors=(replace(factor, live=live),), ranges=ranges, needed=_count(ranges))


def _count(ranges: Ranges) -> int:
    return int(np.prod(ranges.high - ranges.low, axis=1, dtype=np.int64).sum()) if len(ranges.points) else 0


def covered(ranges: list[tuple[Ints, Ints]], extents: list[int]) -> bool:
    """Whether boxes (first, after the last), each [boxes, dims], together cover everything."""
    both = [np.concatenate([low, high], axis=1) for low, high in ranges]
    kinds = np.unique(np.concatenate(both), axis=0)
    first, after = kinds[:, : len(extents)], kinds[:, len(extents) :]
    if ((first <= 0) & (after >= np.array(extents, dtype=np.int64))).all(axis=1).any():
        return True
    mask = np.zeros(extents, dtype=np.bool_)
    for low, high in zip(first.tolist(), after.tolist(), strict=True):
        mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return bool(mask.all())


def touched(source: OperandSpace, parallel: tuple[Loop, ...], reduction: tuple[Loop, ...]) -> int:
    """Different vectors of an input that some call reads and that hold an element."""
    extent = {loop.name: loop.extent for loop in (*parallel, *reduction)}
    total = 1
    for moves, start, (first, last) in zip(source.moves, source.starts, source.live, strict=True):
        positions = np.array([start], dtype=np.int64)
        for name, c in moves:
            positions = np.unique(positions[:, None] + c * np.arange(extent[name], dtype=np.int64)[None, :])
        total *= int(((positions >= first) & (positions <= last)).sum())
    return total
