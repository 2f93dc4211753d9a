"""One random case, from one ``random.Random``: what to compile or run, and whether the bits are the reference's.

A case is *right* (equal bit for bit), *refused* (no tiling fits, with a message), *without embedding* (none was drawn
or found), or raises.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from random import Random
from typing import Any

import numpy as np
from fuzz_embeddings import LANES, random_embedding
from fuzz_operators import INT8, random_combination, random_config, random_contraction
from numpy.typing import NDArray

from intarsia.embed import Embedding, EmbeddingProblem, Family, enumerate_embeddings, fixed_embedding, optimise
from intarsia.embed.check import check
from intarsia.embed.problem import FAMILIES
from intarsia.ground import InputError
from intarsia.machines import Instruction, find_instruction
from intarsia.operators import Operator, interpret, is_floating, random_inputs
from intarsia.program import CallSpace, call_space
from intarsia.solvers import Found, OutOfTime
from intarsia.targets.generic import run as run_generic
from intarsia.targets.vta import decode
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.lowering.bias import bias_loops, fitted, spread
from intarsia.targets.vta.lowering.bound import lower_bound
from intarsia.targets.vta.lowering.compiler import compile_space, make_plan
from intarsia.targets.vta.lowering.cycles import Candidate
from intarsia.targets.vta.lowering.epilogue import Epilogue
from intarsia.targets.vta.lowering.program import VtaProgram
from intarsia.targets.vta.lowering.tiling import Tiling
from intarsia.targets.vta.operator import CompiledOperator, Data, compile_operator, epilogue_for
from intarsia.targets.vta.simulator import simulate

BIASES = (0, 30, 100, 127, 1000, 1 << 14, 28_000, 100_000, 2**31 - 1)
"""Largest magnitudes of biases: within the reach of every core, of some, of none."""

INSTRUCTIONS = (
    "vta.gemm",
    "vta.gemm:4x4x8",
    "vta.alu.add",
    "vta.alu.max",
    "vta.alu.min:2x8",
    "x86.vpdpbusd",
    "x86.vpdpbusd.ymm",
    "x86.vpdpwssd",
    "x86.vpmaddwd.ymm",
    "x86.vdpbf16ps",
    "x86.vfmadd231ps",
    "x86.vfmadd231ps.ymm",
    "amx.tdpbusd:4x8x16",
    "arm.sdot",
    "arm.smmla",
    "nvidia.mma.m16n8k16",
    "nvidia.mma.m16n8k32",
    "systolic:8x12,int8",
    "systolic:6x4",
    "dot:7",
    "dot:4,float16",
    "outer:5x3",
    "matvec:4x9",
    "matvec:8x4,int16",
)
"""All of the catalogue, those that take sizes with odd ones."""

FLOAT_INPUTS = np.array([-2, -1, -0.5, 0, 0.5, 1, 2], dtype=np.float32)
"""Products and sums of these are exact in every order of summation."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of a case, and labels to count by."""

    verdict: str
    labels: tuple[str, ...]


def vta_drawn(random: Random) -> Finding:
    """A random operator on a random core, under a random embedding that the check accepts."""
    operator, config, instruction = _on_a_core(random)
    return _vta(random, config, random_embedding(random, operator, instruction), "drawn")


def vta_fixed(random: Random) -> Finding:
    """The same under the reference's own embedding."""
    operator, config, instruction = _on_a_core(random)
    return _vta(random, config, fixed_embedding(operator, instruction, dtypes="ignore"), "fixed")


def vta_searched(random: Random) -> Finding:
    """The same under what the search returns: the optimum of a family, or one of its embeddings."""
    operator, config, instruction = _on_a_core(random)
    family: Family = random.choice(FAMILIES)
    objective = random.choice((("calls", "duplicated"), ("calls",), ("duplicated", "calls"), ("moved",)))
    problem = EmbeddingProblem(operator, instruction, family, objective=objective, limit=0.5, dtypes="ignore")
    if random.random() < 0.5:
        outcome = optimise(problem)
        embedding = (
            outcome.best if isinstance(outcome, OutOfTime) else outcome.value if isinstance(outcome, Found) else None
        )
    else:
        listed = list(islice(enumerate_embeddings(problem), random.choice((1, 20, 200))))
        embedding = random.choice(listed) if listed else None
    if embedding is not None and embedding.calls * instruction.lanes <= LANES:
        report = check(embedding, ignore_dtypes=True)
        assert report.good, f"the search returned what the check refuses: {report}"
    else:
        embedding = None
    return _vta(random, config, embedding, f"searched {family}")


def _on_a_core(random: Random) -> tuple[Operator, VtaConfig, Instruction]:
    config = random_config(random)
    low8 = random.random() < 0.08
    operator = random_contraction(random, ("int8", "int8", "int8") if low8 else INT8)
    return operator, config, find_instruction(f"vta.gemm:{config.batch}x{config.block_in}x{config.block_out}")


def _vta(random: Random, config: VtaConfig, embedding: Embedding | None, source: str) -> Finding:
    """Tiled, compiled, encoded, simulated, compared."""
    if embedding is None:
        return Finding("without embedding", (source,))
    shift, largest = random.randint(0, 15), random.choice(BIASES)
    labels = (embedding.operator.name, source, _family(embedding))
    try:
        compiled = _compiled(random, embedding, config, shift, largest)
    except InputError as error:
        if "no tiling of any embedding fits the buffers" not in str(error):
            raise
        return Finding("refused", labels)
    _compare(random, compiled, None if compiled.program.epilogue is None else shift, largest)
    kind = "int8" if compiled.program.epilogue is None else f"bias {compiled.program.epilogue.bias}"
    return Finding("right", (*labels, kind))


def _family(embedding: Embedding) -> str:
    if any(shift.terms for flat in embedding.flats for shift in flat.shifts):
        return "skewed"
    return "fused" if any(len(flat.axes) > 1 for flat in embedding.flats) else "aligned"


def _compiled(random: Random, embedding: Embedding, config: VtaConfig, shift: int, largest: int) -> CompiledOperator:
    """With a random tiling, mostly; sometimes with the best, as a user gets it."""
    operator = embedding.operator
    if random.random() < 0.8:
        space = call_space(embedding)
        epilogue = fitted(space, epilogue_for(operator, config, shift=shift, largest_bias=largest))
        loops = bias_loops(space) if epilogue is not None and epilogue.bias != "none" else ()
        for _ in range(12):
            program = tiled(space, random_tiling(random, space), config, epilogue, loops)
            if program is not None:
                return CompiledOperator(operator, program, (), lower_bound(operator, config, epilogue, 0))
    return compile_operator(operator, [embedding], config, shift=shift, largest_bias=largest, tilings=2)


def random_tiling(random: Random, space: CallSpace) -> Tiling:
    """Any tile sizes, any order, any number of slots."""
    loops = (*space.parallel, *space.reduction)
    sizes = [(loop.name, random.choice((1, loop.extent, random.randint(1, loop.extent)))) for loop in loops]
    order = [loop.name for loop in space.parallel]
    random.shuffle(order)
    slots = (random.choice((2, 2, 3, 60)), random.choice((2, 2, 3, 60)), random.choice((1, 2, 2, 3)))
    return Tiling(tuple(sizes), tuple(order), slots)


def tiled(
    space: CallSpace, tiling: Tiling, config: VtaConfig, epilogue: Epilogue | None, loops: tuple[str, ...]
) -> VtaProgram | None:
    """The program of one tiling, None if it does not fit."""
    if make_plan(space, config, tiling, epilogue, loops) is None:
        return None
    return compile_space(space, [Candidate(tiling, 0, 0)], config, epilogue, seconds=60)


def _compare(random: Random, compiled: CompiledOperator, shift: int | None, largest: int) -> None:
    program, operator = compiled.program, compiled.operator
    seed = random.randrange(1 << 30)
    data = compiled.seeded(seed)
    bias = data.bias
    if bias is not None:
        generator = np.random.default_rng(seed)
        bias = generator.integers(-largest, largest, bias.shape, dtype=np.int64, endpoint=True)
        edges = generator.random(bias.shape) < 0.3
        bias = np.where(edges, np.where(bias < 0, -largest, largest), bias).astype(np.int32)
    compiled.check_bias(Data(data.inputs, bias))
    assert decode(program.program(), program.config) == program.stream, "encoding loses something"
    memory = program.image(data.inputs, bias)
    simulate(program.stream, memory, program.config)
    found, expected = program.unpack(memory), reference(operator, data.inputs, bias, shift)
    found = np.where(program.output_index < 0, expected, found)  # outputs of which no lane has an iteration: refused
    wrong = np.argwhere(found != expected)
    assert not len(wrong), f"{len(wrong)} of {found.size} elements are wrong, the first at {wrong[0].tolist()}"
    assert program.timing.cycles >= compiled.bound.cycles, f"{program.timing.cycles} cycles, bound {compiled.bound}"


def reference(
    operator: Operator, inputs: dict[str, NDArray[Any]], bias: NDArray[np.int32] | None, shift: int | None
) -> NDArray[np.int8]:
    """The interpreter and the epilogue, written out: ``clip((acc >> shift) + bias, 0, 127)`` modulo 2**32.

    Without a shift there is no epilogue.
    """
    acc = interpret(operator, inputs)[operator.outputs[0].name].astype(np.int64)
    if shift is None:
        return acc.astype(np.int8)
    total = (acc >> shift) + (0 if bias is None else spread(bias, operator, 0).astype(np.int64))
    wrapped = (total + 2**31) % 2**32 - 2**31
    return np.minimum(np.maximum(wrapped, 0), 127).astype(np.int8)


def generic_case(random: Random) -> Finding:
    """A random operator in a random instruction of the catalogue, run on the instruction's own meaning."""
    instruction = find_instruction(random.choice(INSTRUCTIONS))
    operator = _operator_for(random, instruction)
    embedding = random_embedding(random, operator, instruction)
    if embedding is None:
        return Finding("without embedding", (instruction.name, operator.name))
    inputs = _exact_inputs(operator, random.randrange(1 << 30))
    found, expected = run_generic(embedding, inputs), interpret(operator, inputs)
    written = operator.statements[0].write.tensor
    if len(operator.statements) == 1:
        assert np.array_equal(found[written], expected[written]), "the generic target's output is wrong"
    assert found[written].dtype == expected[written].dtype
    return Finding("right", (instruction.name, operator.name, _family(embedding)))


def _operator_for(random: Random, instruction: Instruction) -> Operator:
    """An operator of the instruction's element types; one statement of an elementwise one."""
    semantics = instruction.semantics
    meaning = semantics.statements[0]
    types = [semantics.tensor(read.tensor).dtype for read in meaning.reads]
    out = semantics.tensor(meaning.write.tensor).dtype
    if len(types) == 1:
        operator = random_combination(random, meaning.combine, (types[0], types[0], out))
        return _first_statement(operator)
    random.shuffle(types)
    return random_contraction(random, (types[0], types[1], out))


def _first_statement(operator: Operator) -> Operator:
    statement = operator.statements[0]
    used = {statement.write.tensor, *(r.tensor for r in statement.reads)}
    return replace(operator, statements=(statement,), tensors=tuple(t for t in operator.tensors if t.name in used))


def _exact_inputs(operator: Operator, seed: int) -> dict[str, NDArray[Any]]:
    inputs = random_inputs(operator, seed)
    generator = np.random.default_rng(seed)
    for tensor in operator.inputs:
        if is_floating(tensor.dtype):
            drawn = generator.choice(FLOAT_INPUTS, tensor.shape)
            inputs[tensor.name] = drawn.astype(inputs[tensor.name].dtype)
    return inputs


PROPERTIES: dict[str, Callable[[Random], Finding]] = {
    "vta-drawn": vta_drawn,
    "vta-fixed": vta_fixed,
    "vta-searched": vta_searched,
    "generic": generic_case,
}


def tally(findings: list[Finding]) -> str:
    """Verdicts and labels, counted."""
    verdicts = Counter(f.verdict for f in findings)
    labels = Counter(label for f in findings for label in f.labels)
    return "; ".join(", ".join(f"{n} {name}" for name, n in sorted(c.items())) for c in (verdicts, labels))
