"""An operator on VTA, the whole way: embeddings offered, the best compiled, run and compared, or written out."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from intarsia.embed.embedding import Embedding
from intarsia.embed.fixed import fixed_embedding
from intarsia.embed.optimise import fewest_needed
from intarsia.embed.problem import Dtypes
from intarsia.flow.offers import offers
from intarsia.flow.runs import Bound, CompileAnswer, Device, Execution, Host, RunAnswer, UnitShare
from intarsia.ground import QUIET, InputError, Trace, refuse_unwritable_folder
from intarsia.machines import Instruction, find_instruction
from intarsia.operators import Operator
from intarsia.targets.vta import VtaConfig
from intarsia.targets.vta.folder import read_inputs, refuse_foreign, write_folder
from intarsia.targets.vta.operator import (
    CompiledOperator,
    Data,
    by_alu,
    compile_on_alu,
    compile_operator,
    epilogue_for,
    has_bias,
    refuse_dtypes,
)
from intarsia.targets.vta.report import Report, report
from intarsia.targets.vta.timeline import write_timeline

LARGEST_SHIFT = 31


@dataclass(frozen=True, slots=True)
class Options:
    """How an operator is compiled for VTA.

    Attributes:
        config: the core.
        fixed: with the reference's own embedding instead of the best.
        shift: of the epilogue, bits.
        seed: of the inputs where none are given.
        seconds: limit of the search over tilings.
    """

    config: VtaConfig
    fixed: bool = False
    shift: int = 8
    seed: int = 0
    seconds: float = 8.0


def read_config(given: str | None) -> VtaConfig:
    """The configuration of a name or a file with VTA's own JSON keys; the default one for None.

    Raises:
        InputError: neither, or a configuration that cannot be encoded.
    """
    if given is None:
        return VtaConfig.default()
    if given in VtaConfig.names():
        return VtaConfig.named(given)
    path = Path(given)
    try:
        return VtaConfig.from_json(path.read_text(encoding="utf-8-sig"), where=given)
    except FileNotFoundError:
        allowed = f"a file, or one of {', '.join(VtaConfig.names())}"
        raise InputError("no such configuration", value=given, allowed=allowed) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise InputError(f"the configuration cannot be read: {reason}", where=given) from error


def gemm_of(config: VtaConfig) -> Instruction:
    """The GEMM of a configuration's sizes."""
    return find_instruction(f"vta.gemm:{config.batch}x{config.block_in}x{config.block_out}")


def vta_candidates(operator: Operator, config: VtaConfig) -> tuple[Embedding, ...]:
    """Embeddings worth compiling, each once: the fixed one first, then those that trade calls for bytes.

    Raises:
        InputError: what VTA's GEMM cannot do.
    """
    refuse(operator)
    return offers(operator, gemm_of(config), dtypes=_dtypes(operator))


def vta_fixed(operator: Operator, config: VtaConfig) -> Embedding:
    """The reference's own embedding.

    Raises:
        InputError: what VTA's GEMM cannot do.
    """
    refuse(operator)
    return fixed_embedding(operator, gemm_of(config), dtypes=_dtypes(operator))


def refuse(operator: Operator) -> None:
    """Refuse what VTA cannot do; the ALU's operators are looked at when they are embedded.

    Raises:
        InputError: with the reason.
    """
    if by_alu(operator):
        return
    refuse_dtypes(operator)
    first = operator.statements[0]
    if len(operator.statements) > 1 or first.combine != "+=" or len(first.reads) != 2:
        raise InputError(
            "VTA runs one sum of products of two tensors, or maxima, minima and sums of single reads",
            where=operator.name,
            value="; ".join(map(str, operator.statements)),
            allowed="O[...] += A[...] * B[...]",
        )


def _dtypes(operator: Operator) -> Dtypes:
    """An int8 output keeps the low 8 bits of its accumulator, which has another dtype."""
    return "ignore" if operator.outputs[0].dtype == "int8" else "exact"


def compile_vta(operator: Operator, options: Options, *, largest_bias: int | None = None) -> CompiledOperator:
    """The program of the best embedding, or of the fixed one.

    Args:
        operator: what to compute.
        options: how.
        largest_bias: magnitude of biases that it must be able to add; that of seeded ones for None.

    Raises:
        InputError: what VTA cannot do.
    """
    if not 0 <= options.shift <= LARGEST_SHIFT:
        raise InputError("shift is out of range", value=str(options.shift), allowed=f"0 to {LARGEST_SHIFT}")
    config = options.config
    if by_alu(operator):
        if options.fixed:
            raise InputError("the reference has no embedding in the ALU", where=operator.name, hint="without --fixed")
        return _whole(compile_on_alu(operator, config, seconds=options.seconds))
    offered = (vta_fixed(operator, config),) if options.fixed else vta_candidates(operator, config)
    biases = {} if largest_bias is None else {"largest_bias": largest_bias}
    least = _least_calls(operator, config)
    compiled = compile_operator(
        operator, offered, config, shift=options.shift, seconds=options.seconds, least_calls=least, **biases
    )
    return _whole(compiled)


@lru_cache(maxsize=4)
def _least_calls(operator: Operator, config: VtaConfig) -> int:
    """The least calls that do something, kept for the fixed embedding of the same operator."""
    return fewest_needed(operator, gemm_of(config), dtypes=_dtypes(operator))


def _whole(compiled: CompiledOperator) -> CompiledOperator:
    """Refuse an output with holes: nothing would be stored there."""
    operator = compiled.operator
    if (compiled.program.output_index < 0).any():
        raise InputError(
            "the output has elements that no iteration writes, and VTA would leave them undefined",
            where=operator.name,
            value=str(operator.statements[0].write),
            allowed="an output of which every element is written",
        )
    return compiled


def compile_to_folder(
    operator: Operator, options: Options, output: Path, *, inputs: Path | None = None, trace: Trace = QUIET
) -> CompileAnswer:
    """Compile, simulate, compare, and write the folder.

    Raises:
        InputError: what VTA cannot do, inputs that do not fit, a folder that cannot be written.
    """
    refuse(operator)
    refuse_foreign(output)
    refuse_unwritable_folder(output)
    given = _given(operator, options, inputs)
    largest = None if given is None or given.bias is None else _magnitude(given)
    with trace.step("compile"):
        compiled = compile_vta(operator, options, largest_bias=largest)
    trace.text("embedding", compiled.program.embeddings[0])
    with trace.step("simulate, compare and write"):
        files = write_folder(output, compiled, given or compiled.seeded(options.seed))
    program = compiled.program
    return CompileAnswer(
        operator=str(operator),
        target="vta",
        configuration=str(options.config),
        nest="\n\n".join(map(str, program.embeddings)),
        tiling=program.tiling,
        fixed=not by_alu(operator) and program.embeddings == (vta_fixed(operator, options.config),),
        folder=output,
        files=tuple((file.name, file.size) for file in files),
        instructions=len(program.stream),
        cycles=program.timing.cycles,
        bound=compiled.bound.cycles,
    )


def _given(operator: Operator, options: Options, inputs: Path | None) -> Data | None:
    if inputs is None:
        return None
    if by_alu(operator):
        return read_inputs(inputs, operator, bias=False)
    epilogue = epilogue_for(operator, options.config, shift=options.shift, largest_bias=0)
    return read_inputs(inputs, operator, bias=has_bias(epilogue))


def _magnitude(data: Data) -> int:
    assert data.bias is not None
    return int(np.abs(data.bias.astype(np.int64)).max(initial=0))


def run_vta(operator: Operator, options: Options, *, timeline: Path | None = None, trace: Trace = QUIET) -> RunAnswer:
    """Compile, simulate and compare with the chosen and with the fixed embedding.

    Args:
        operator: what to run.
        options: how.
        timeline: where to write the chosen program's timeline, for Perfetto.
        trace: what is told meanwhile.

    Raises:
        InputError: what VTA cannot do, or a timeline that cannot be written.
    """
    started = time.perf_counter()
    with trace.step("compile"):
        chosen = compile_vta(operator, options)
    with trace.step("compile the fixed embedding"):
        fixed = None if by_alu(operator) else _fixed(operator, options, chosen)
    if fixed is not None and fixed.program.timing.cycles < chosen.program.timing.cycles:
        chosen = fixed = replace(chosen, program=fixed.program)
    trace.text("embedding", chosen.program.embeddings[0])
    with trace.step("simulate and compare"):
        first = execute(chosen, options.seed)
    with trace.step("simulate and compare the fixed embedding"):
        second = _second(first, chosen, fixed, options.seed)
    if timeline is not None:
        write_timeline(chosen.program.stream, chosen.program.timing, timeline)
    return RunAnswer(
        operator=str(operator),
        target="vta",
        configuration=str(options.config),
        seed=options.seed,
        chosen=first,
        fixed=second,
        seconds=time.perf_counter() - started,
    )


def _second(first: Execution, chosen: CompiledOperator, fixed: CompiledOperator | None, seed: int) -> Execution | None:
    """The run of the fixed program, against the chosen one's bound; nothing is run twice."""
    if fixed is None or fixed is chosen:
        return None if fixed is None else first
    return execute(replace(fixed, bound=chosen.bound), seed)


def _fixed(operator: Operator, options: Options, chosen: CompiledOperator) -> CompiledOperator:
    """The program of the fixed embedding, tiled as well as the chosen one; the chosen one if that is it."""
    if chosen.program.embeddings == (vta_fixed(operator, options.config),):
        return chosen
    return compile_vta(operator, replace(options, fixed=True))


def execute(compiled: CompiledOperator, seed: int) -> Execution:
    """Run a compiled operator on seeded inputs, and on those under which little is clipped, and compare."""
    data = compiled.seeded(seed)
    found = execution(report(compiled, data, compiled.run(data)))
    return replace(found, correct=found.correct and compiled.run(compiled.sharp(seed)).correct)


def execution(found: Report) -> Execution:
    """A report as an answer has it."""
    host, bound = found.host, found.bound
    device = Device(
        cycles=found.cycles,
        seconds=found.seconds,
        instructions=found.instructions,
        bound=Bound(bound.compute, bound.read, bound.write),
        read=found.read,
        written=found.written,
        utilisation=found.utilisation,
        units=tuple(UnitShare(unit, cycles) for unit, cycles in found.units),
        host=Host(host.run_bytes, host.run_seconds, host.once_bytes, host.once_seconds, host.source),
        tiling=found.tiling,
    )
    return Execution(found.nest, found.correct, found.calls, device, found.all_calls)
