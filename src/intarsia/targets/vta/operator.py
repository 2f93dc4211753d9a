"""A compiled operator: compile once, then pack, run and check on any inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.embed.embedding import Embedding
from intarsia.ground import InputError
from intarsia.operators import Operator, evaluate, random_inputs
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.lowering.alu_compiler import compile_alu
from intarsia.targets.vta.lowering.alu_embeddings import alu_embeddings
from intarsia.targets.vta.lowering.alu_space import alu_space
from intarsia.targets.vta.lowering.alu_tiling import least_cycles, ways
from intarsia.targets.vta.lowering.bias import bias_shape, spread
from intarsia.targets.vta.lowering.bound import LowerBound, lower_bound
from intarsia.targets.vta.lowering.epilogue import BIAS_SEEDED, Epilogue, apply_epilogue, reach
from intarsia.targets.vta.lowering.program import VtaProgram
from intarsia.targets.vta.lowering.select import Considered, select
from intarsia.targets.vta.simulator import SimulationResult, simulate

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Data:
    """The logical inputs of one run: tensors by name, and the bias where there is an epilogue with one."""

    inputs: Mapping[str, Array]
    bias: NDArray[np.int32] | None


@dataclass(frozen=True, slots=True)
class Run:
    """One run on the simulator.

    Attributes:
        output: the logical output that the program stored, int8.
        expected: the reference interpreter's.
        simulation: what the simulator counted.
    """

    output: NDArray[np.int8]
    expected: NDArray[np.int8]
    simulation: SimulationResult

    @property
    def correct(self) -> bool:
        """Whether they agree bit for bit."""
        return bool(np.array_equal(self.output, self.expected))


@dataclass(frozen=True, slots=True, eq=False)
class CompiledOperator:
    """An operator's program on a VTA core.

    Attributes:
        operator: what it computes.
        program: the program and its memory.
        considered: the embeddings among which it was chosen, the best estimate first.
        bound: cycles that no program of this operator with this epilogue can beat.
    """

    operator: Operator
    program: VtaProgram
    considered: tuple[Considered, ...]
    bound: LowerBound

    def seeded(self, seed: int) -> Data:
        """Inputs drawn from a seed: tensors over their whole range, biases within plus or minus 2**14.

        Biases of all magnitudes are equally likely: uniform ones would clip nearly every output, and hide wrong sums.
        """
        bias: NDArray[np.int32] | None = None
        if has_bias(self.program.epilogue):
            random = np.random.default_rng([seed, 1])
            shape = bias_shape(self.operator, 0)
            magnitude = np.exp2(random.uniform(0, np.log2(BIAS_SEEDED), shape)).astype(np.int32)
            bias = np.where(random.random(shape) < 0.5, -magnitude, magnitude).astype(np.int32)
        return Data(random_inputs(self.operator, seed), bias)

    def sharp(self, seed: int) -> Data:
        """Inputs under which few outputs are clipped, so that a wrong sum shows: seeded biases dwarf the sums.

        The last factor is drawn so that sums, shifted, spread over plus or minus 64; biases lie between 0 and 127.
        """
        if self.program.epilogue is None:
            return self.seeded(seed + 1)
        seeded = self.seeded(seed)
        random = np.random.default_rng([seed, 2])
        shift = self.program.epilogue.shift
        depth = prod(axis.extent for axis in self.operator.axes if axis.role == "reduction")
        spread_wanted = (64 << shift) / (74 * depth**0.5)
        last = self.operator.inputs[-1]
        largest = int(np.clip(spread_wanted * 3**0.5, 1, 127))
        drawn = random.integers(-largest, largest, last.shape, dtype=np.int8, endpoint=True)
        if spread_wanted < 1:
            drawn[random.random(last.shape, dtype=np.float32) >= spread_wanted**2] = 0
        bias = (
            None if seeded.bias is None else random.integers(0, 127, seeded.bias.shape, dtype=np.int32, endpoint=True)
        )
        return Data({**seeded.inputs, last.name: drawn}, bias)

    def expected(self, data: Data) -> NDArray[np.int8]:
        """The reference interpreter's output for some inputs, after the epilogue."""
        name = self.operator.outputs[0].name
        acc = evaluate(self.operator, dict(data.inputs))[name]
        epilogue = self.program.epilogue
        if epilogue is None:
            return acc.astype(np.int8)
        bias = None if data.bias is None else spread(data.bias, self.operator, 0)
        return apply_epilogue(acc.astype(np.int32), bias, epilogue)

    def run(self, data: Data) -> Run:
        """Pack, simulate, unpack and compare.

        Raises:
            SimulationError: the program breaks a rule of the core.
            InputError: a bias is beyond what this program's epilogue can add.
        """
        self.check_bias(data)
        memory = self.program.image(data.inputs, data.bias)
        result = simulate(self.program.stream, memory, self.program.config)
        return Run(self.program.unpack(memory), self.expected(data), result)

    def check_bias(self, data: Data) -> None:
        """Refuse biases beyond the reach of the program's epilogue."""
        epilogue = self.program.epilogue
        if data.bias is None or epilogue is None or not epilogue.by_gemm:
            return
        largest = int(np.abs(data.bias.astype(np.int64)).max(initial=0))
        limit = reach(self.program.config.block_in)
        if largest > limit:
            raise InputError(
                "a bias is beyond what this program can add",
                where=self.operator.name,
                value=str(largest),
                allowed=f"magnitudes up to {limit}",
                hint="compile with largest_bias",
            )


def has_bias(epilogue: Epilogue | None) -> bool:
    """Whether an epilogue adds a bias."""
    return epilogue is not None and epilogue.bias != "none"


def epilogue_for(operator: Operator, config: VtaConfig, *, shift: int, largest_bias: int) -> Epilogue | None:
    """The reference's epilogue for what accumulates products in int32, none for other operators.

    Raises:
        InputError: what cannot be stored: VTA stores the low 8 bits of an accumulator.
    """
    out = operator.outputs[0]
    products = operator.statements[0].combine == "+=" and len(operator.statements[0].reads) == 2
    if products and out.dtype == "int32":
        return Epilogue(shift=shift, bias="wgt" if largest_bias <= reach(config.block_in) else "acc")
    if out.dtype != "int8":
        raise InputError(
            "VTA stores the low 8 bits of an accumulator, and this operator has no epilogue",
            where=operator.name,
            value=str(out),
            allowed="an int8 output",
            hint="out=int8",
        )
    return None


def refuse_dtypes(operator: Operator) -> None:
    """Refuse what the core cannot multiply.

    Raises:
        InputError: a tensor is not int8, or is padded with a zero point.
    """
    for tensor in operator.inputs:
        if tensor.dtype != "int8":
            raise InputError(
                "VTA multiplies signed bytes only, zero points and unsigned activations it cannot do",
                where=operator.name,
                value=str(tensor),
                allowed="int8 inputs",
                hint="dtype=int8",
            )
        if tensor.pad and operator.statements[0].combine == "+=":
            raise InputError(
                "VTA pads with zeros, zero points it cannot do",
                where=operator.name,
                value=str(tensor),
                allowed="pad=0",
            )


def by_alu(operator: Operator) -> bool:
    """Whether an operator is one of the ALU: maxima, minima and sums of single reads."""
    return all(len(statement.reads) == 1 for statement in operator.statements)


def compile_on_alu(operator: Operator, config: VtaConfig, *, seconds: float = 4.0) -> CompiledOperator:
    """The program of a maximum, a minimum or a sum of single reads.

    Raises:
        InputError: the ALU cannot do it, or no tiling fits the buffers.
    """
    embeddings = alu_embeddings(operator, config)
    program = compile_alu(embeddings, config, seconds=seconds)
    space = alu_space(embeddings)
    least = min((least_cycles(space, way, config) for way in ways(space, config)), key=lambda cost: max(cost.values()))
    return CompiledOperator(operator, program, (), LowerBound(least["compute"], least["read"], least["store"]))


def compile_operator(
    operator: Operator,
    offered: Sequence[Embedding],
    config: VtaConfig,
    *,
    shift: int = 8,
    largest_bias: int = BIAS_SEEDED,
    least_calls: int | None = None,
    tilings: int = 12,
    seconds: float = 4.0,
) -> CompiledOperator:
    """The program of the best of the offered embeddings.

    Args:
        operator: what to compute; its products accumulate in int32, its inputs are int8.
        offered: embeddings in ``vta.gemm`` of the configuration's sizes.
        config: the core.
        shift: of the epilogue, bits.
        largest_bias: magnitude of biases that later runs may have.
        least_calls: calls that do something, at least, of any aligned or fused embedding, for the lower bound; None
            for the fewest that the offered ones need.
        tilings: tilings of an embedding that are timed exactly.
        seconds: wall time after which no further program is made.

    Raises:
        InputError: dtypes that VTA cannot do, or no tiling fits the buffers.
    """
    refuse_dtypes(operator)
    epilogue = epilogue_for(operator, config, shift=shift, largest_bias=largest_bias)
    selection = select(offered, config, epilogue, tilings=tilings, seconds=seconds)
    calls = selection.least_calls if least_calls is None else min(least_calls, selection.least_calls)
    bound = lower_bound(operator, config, selection.program.epilogue, calls)
    return CompiledOperator(operator, selection.program, selection.considered, bound)
