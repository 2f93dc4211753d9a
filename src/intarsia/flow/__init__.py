"""The whole way on one page, one call a step: what the command line asks, and what Python users may call.

Texts of operators, instructions and targets come in; answers that can be printed go out. Every border between two rooms
is crossed here, and what crosses it is checked here.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from intarsia import targets as target_folders
from intarsia.flow.models import ModelAnswer, describe
from intarsia.flow.native import bench_native as bench_native
from intarsia.flow.native import compile_function as compile_function
from intarsia.flow.native import run_native as run_native
from intarsia.flow.native import run_native_model as run_native_model
from intarsia.flow.native.options import NativeOptions as NativeOptions
from intarsia.flow.training import predict_flags as predict_flags
from intarsia.flow.training import predict_table as predict_table
from intarsia.ground import QUIET, InputError, Trace
from intarsia.machines import Entry, Instruction, catalogue, find_instruction
from intarsia.models import Listed, OnnxFile, listing, read_model, read_spec, read_specs

if TYPE_CHECKING:
    from intarsia.flow.answers import EmbedAnswer, Explanation, Question
    from intarsia.flow.runs import BenchAnswer, CompileAnswer, RunAnswer

# Compilers and solvers take a second to import: who does not need them does not wait for them.


def read_operators(spec: str) -> OnnxFile:
    """The operators that a text, a shorthand, a file, a row of DeepBench or an ONNX file names, and what is none."""
    return read_specs(spec)


def models() -> tuple[Listed, ...]:
    """The catalogue of models, sorted by name."""
    return listing()


def model(text: str, *, microbatch: int = 1, sequence: int | None = None, tensor: int = 1) -> ModelAnswer:
    """The layers of a model as one device sees them, with weights, operations and activations.

    Args:
        text: a name of the catalogue, a ``config.json``, an ONNX file.
        microbatch: sequences or images.
        sequence: tokens; the model's own for None.
        tensor: devices that share each weight matrix.

    Raises:
        InputError: for an unknown model, a file that is none, or sizes that the model cannot have.
    """
    return describe(read_model(text), microbatch=microbatch, sequence=sequence, tensor=tensor)


def read_instruction(name: str) -> Instruction:
    """The instruction of a name of the catalogue, with or without sizes, or of a file."""
    return find_instruction(name)


def instructions() -> tuple[Entry, ...]:
    """The catalogue, sorted by name."""
    return tuple(catalogue().values())


def targets() -> tuple[tuple[str, str], ...]:
    """Every target, which is a folder of ``intarsia.targets``: its name, and the first line that it says of itself."""
    names = sorted(module.name for module in iter_modules(target_folders.__path__) if module.ispkg)
    texts = [import_module(f"{target_folders.__name__}.{name}").__doc__ or "" for name in names]
    return tuple((name, text.splitlines()[0]) for name, text in zip(names, texts, strict=True))


def question(
    spec: str,
    instr: str,
    *,
    space: str = "fused",
    require: tuple[str, ...] = (),
    prefer: tuple[str, ...] = ("calls", "duplicated"),
    limit: float = 60.0,
) -> Question:
    """A question from what a user types: an operator's spec, an instruction's name or file, and what is wanted."""
    from intarsia.flow.answers import Question

    return Question(read_spec(spec), read_instruction(instr), space, require, prefer, limit)


def embed_operator(asked: Question, *, listed: bool = False, trace: Trace = QUIET) -> EmbedAnswer:
    """The best embedding with its proof and the number of all, or why there is none.

    Args:
        asked: the question.
        listed: whether every embedding is to be in the answer.
        trace: what is told meanwhile.
    """
    from intarsia.flow.fit import answer

    return answer(asked, listed=listed, trace=trace)


def explain(asked: Question, *, trace: Trace = QUIET) -> Explanation:
    """The same answer, with which operator axis may lie on which instruction axis, and which constraint forbids it."""
    from intarsia.flow.fit import explanation

    return explanation(asked, trace)


def compile_operator(
    spec: str,
    target: str,
    output: Path,
    *,
    config: str | None = None,
    fixed: bool = False,
    shift: int = 8,
    inputs: Path | None = None,
    seed: int = 0,
    trace: Trace = QUIET,
) -> CompileAnswer:
    """A folder that another implementation of the target can execute and check.

    Args:
        spec: the operator.
        target: vta.
        output: the folder.
        config: a configuration's name or file.
        fixed: the reference's own embedding instead of the best.
        shift: of the epilogue, bits.
        inputs: an ``.npz`` file with x, w and bias; seeded without it.
        seed: of the inputs.
        trace: what is told meanwhile.

    Raises:
        InputError: anything of these that is wrong, or that the target cannot do; then nothing is written.
    """
    if target == "generic":
        what = "the generic target runs operators and does not compile them"
        raise InputError(what, allowed="vta", hint="intarsia run SPEC --target generic --instr NAME")
    if target == "x86":
        what = "native code is made in memory and is no folder"
        raise InputError(what, allowed="vta", hint="intarsia.compile in Python, intarsia run SPEC --target x86")
    _refuse_target(target, ("vta",))
    from intarsia.flow.compiling import told_of_compiling
    from intarsia.flow.vta import Options, compile_to_folder, read_config

    options = Options(read_config(config), fixed=fixed, shift=shift, seed=_natural("seed", seed))
    with told_of_compiling(trace):
        return compile_to_folder(read_spec(spec), options, output, inputs=inputs, trace=trace)


def run_operator(
    spec: str,
    target: str,
    *,
    config: str | None = None,
    instruction: str | None = None,
    fixed: bool = False,
    shift: int = 8,
    seed: int = 0,
    timeline: Path | None = None,
    trace: Trace = QUIET,
) -> RunAnswer:
    """An operator run on a target, compared with the reference and, where there is one, with the fixed embedding.

    Args:
        spec: the operator.
        target: vta, or generic.
        config: of vta: a configuration's name or file.
        instruction: of generic: an instruction's name or file.
        fixed: run the fixed embedding only.
        shift: of the epilogue, bits.
        seed: of the inputs.
        timeline: of vta: where to write a trace for Perfetto.
        trace: what is told meanwhile.

    Raises:
        InputError: anything of these that is wrong, or that the target cannot do.
    """
    _refuse_target(target, ("vta", "generic", "x86"))
    if target == "x86":
        raise InputError("x86 answers otherwise", where="run_operator", hint="run_native")
    operator = read_spec(spec)
    seed = _natural("seed", seed)
    if target == "vta":
        if instruction is not None:
            raise InputError("vta has its own instruction", value=instruction, hint="--target generic")
        from intarsia.flow.compiling import told_of_compiling
        from intarsia.flow.vta import Options, read_config, run_vta

        options = Options(read_config(config), fixed=fixed, shift=shift, seed=seed)
        with told_of_compiling(trace):
            return run_vta(operator, options, timeline=timeline, trace=trace)
    if instruction is None:
        raise InputError("the generic target needs an instruction", hint="--instr NAME")
    for given, lacks in ((timeline, "timing model"), (config, "configuration"), (fixed, "fixed embedding")):
        if given:
            raise InputError(f"the generic target has no {lacks}", hint="--target vta")
    from intarsia.flow.generic import run_generic

    return run_generic(operator, read_instruction(instruction), seed=seed, trace=trace)


def bench_deepbench(
    target: str,
    *,
    which: str = "inference",
    kind: str = "all",
    config: str | None = None,
    seed: int = 0,
    workers: int = 0,
    store: Path | None = None,
    fresh: bool = False,
    told: Callable[[int, int], None] | None = None,
) -> BenchAnswer:
    """Every layer of a set of DeepBench, equal ones once, chosen and fixed, both checked.

    Args:
        target: vta.
        which: inference, inference_server, inference_device, training or all.
        kind: conv, gemm or all.
        config: a configuration's name or file.
        seed: of the inputs.
        workers: processes; 0 for one to each core.
        store: where results are kept, so that an interrupted run continues; the user's cache folder for None.
        fresh: run again what was kept.
        told: is told how many layers are done, and of how many.

    Raises:
        InputError: anything of these that is wrong.
    """
    _refuse_target(target, ("vta", "x86"))
    if target == "x86":
        raise InputError("x86 answers otherwise", where="bench_deepbench", hint="bench_native")
    from intarsia.flow.bench import bench_layers, deepbench_rows
    from intarsia.flow.vta import Options, read_config

    options = Options(read_config(config), seed=_natural("seed", seed))
    layers = deepbench_rows(which, kind)
    suite = f"deepbench {kind}/{which}"
    return bench_layers(
        suite, layers, options, workers=_natural("workers", workers), store=store, fresh=fresh, told=told
    )


def _refuse_target(target: str, known: tuple[str, ...]) -> None:
    if target not in known:
        raise InputError("unknown target", value=target, allowed=", ".join(known))


def _natural(name: str, value: int) -> int:
    if value < 0:
        raise InputError(f"{name} is negative", value=str(value), allowed="0 or more")
    return value
