"""Operators as native code of this processor: compiled, checked, timed, and set beside libraries.

Compilers and libraries take a second to import: who does not need them does not wait for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from intarsia.ground import QUIET, InputError, Trace
from intarsia.models import read_spec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intarsia.flow.native.answers import ModelRun, NativeAnswer, NativeBench
    from intarsia.operators import Operator, Quantised
    from intarsia.targets.x86.callable import Compiled


def compile_function(
    operator: Operator | Quantised | str,
    target: str,
    *,
    constants: Mapping[str, NDArray[Any]] | None = None,
    threads: int = 1,
    measure: int = 0,
) -> Compiled:
    """An operator as a function on NumPy arrays; ``intarsia.compile``.

    Raises:
        InputError: anything that is wrong, or that the processor cannot do.
    """
    if target != "x86":
        raise InputError("unknown target", value=target, allowed="x86")
    from intarsia.targets.x86.callable import compiled

    given = read_spec(operator) if isinstance(operator, str) else operator
    return compiled(given, constants, threads=threads, measure=measure)


def run_native_model(
    path: str,
    *,
    threads: int = 1,
    measure: int = 0,
    seed: int = 0,
    trace: Trace = QUIET,
    told: Callable[[int, int], None] | None = None,
) -> ModelRun:
    """An ONNX model on the target x86, node by node: int8 nodes as native code, the rest by ONNX Runtime.

    Args:
        path: an ONNX file whose inputs have fixed shapes.
        threads: that each may use.
        measure: how many plans are measured for each node; 0 for the one predicted to be fastest.
        seed: of the inputs.
        trace: what is told meanwhile.
        told: is told how many nodes are done, and of how many.

    Raises:
        InputError: anything of these that is wrong, or onnxruntime is not installed.
    """
    from intarsia.flow.native.model import run_model

    seed = _seed(seed)
    return run_model(path, threads=threads, measure=measure, seed=seed, trace=trace, told=told)


def run_native(spec: str, *, threads: int = 1, measure: int = 0, seed: int = 0, trace: Trace = QUIET) -> NativeAnswer:
    """An operator run on the target x86, compared with the reference and timed beside the processor's peak.

    Args:
        spec: the operator.
        threads: that share its work.
        measure: how many plans are measured, of which the fastest is taken; 0 for the one predicted to be.
        seed: of the inputs.
        trace: what is told meanwhile.

    Raises:
        InputError: anything of these that is wrong, or that the processor cannot do.
    """
    from intarsia.flow.native.run import run_native as run

    return run(spec, threads=threads, measure=measure, seed=_seed(seed), trace=trace)


def bench_native(
    suite: str,
    *,
    against: tuple[str, ...] = (),
    which: str = "inference",
    kind: str = "all",
    threads: int = 1,
    measure: int = 0,
    seed: int = 0,
    told: Callable[[int, int], None] | None = None,
) -> NativeBench:
    """A suite of int8 shapes on the target x86, each checked, then timed in turn with libraries.

    Args:
        suite: x86, or deepbench.
        against: names of libraries: torch, openvino, onnxruntime.
        which: of deepbench: the set.
        kind: of deepbench: conv, gemm or all.
        threads: that each contender may use.
        measure: how many plans are measured for each shape; 0 for the one predicted to be fastest.
        seed: of the arrays.
        told: is told how many shapes are done, and of how many.

    Raises:
        InputError: anything of these that is wrong, or that the processor cannot do.
    """
    from intarsia.flow.bench import deepbench_rows
    from intarsia.flow.native.bench import bench_native as bench
    from intarsia.flow.native.suites import X86, deepbench

    name = "x86" if suite == "x86" else f"deepbench {kind}/{which}"
    shapes = X86 if suite == "x86" else deepbench(deepbench_rows(which, kind))
    return bench(name, shapes, against, threads=threads, measure=measure, seed=_seed(seed), told=told)


def _seed(seed: int) -> int:
    if seed < 0:
        raise InputError("seed is negative", value=str(seed), allowed="0 or more")
    return seed
