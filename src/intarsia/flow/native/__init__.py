"""Operators as native code of this processor: compiled, checked, timed, and set beside libraries.

Compilers and libraries take a second to import: who does not need them does not wait for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intarsia.flow.native.options import USUAL, NativeOptions
from intarsia.ground import QUIET, InputError, Trace
from intarsia.ground.store import default_store
from intarsia.models import read_spec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intarsia.flow.native.answers import NativeAnswer, NativeBench
    from intarsia.flow.native.model_answers import ModelRun
    from intarsia.operators import Operator, Quantised
    from intarsia.targets.x86.callable import Compiled


def compile_function(
    operator: Operator | Quantised | str,
    target: str,
    *,
    constants: Mapping[str, NDArray[Any]] | None = None,
    threads: int = 1,
    measure: int = 0,
    features: str | None = None,
) -> Compiled:
    """An operator as a function on NumPy arrays; ``intarsia.compile``.

    Raises:
        InputError: anything that is wrong, or that the processor cannot do.
    """
    if target != "x86":
        raise InputError("unknown target", value=target, allowed="x86")
    from intarsia.targets.x86 import at_level
    from intarsia.targets.x86.callable import compiled

    level = at_level(features)
    given = read_spec(operator) if isinstance(operator, str) else operator
    return compiled(given, constants, threads=threads, measure=measure, features=level)


def run_native_model(
    path: str,
    options: NativeOptions = USUAL,
    *,
    trace: Trace = QUIET,
    told: Callable[[int, int], None] | None = None,
) -> ModelRun:
    """An ONNX model on the target x86, node by node: int8 nodes as native code, the rest by ONNX Runtime.

    Args:
        path: an ONNX file whose inputs have fixed shapes.
        options: how; the plans measured are those of each node.
        trace: what is told meanwhile.
        told: is told how many nodes are done, and of how many.

    Raises:
        InputError: anything of these that is wrong, or onnxruntime is not installed.
    """
    from intarsia.flow.native.model import run_model

    return run_model(path, options, trace=trace, told=told)


def run_native(spec: str, options: NativeOptions = USUAL, *, trace: Trace = QUIET) -> NativeAnswer:
    """An operator run on the target x86, compared with the reference and timed beside the processor's peak.

    Args:
        spec: the operator.
        options: how.
        trace: what is told meanwhile.

    Raises:
        InputError: anything of these that is wrong, or that the processor cannot do.
    """
    from intarsia.flow.native.run import run_native as run

    return run(spec, options, trace=trace)


def bench_native(
    suite: str,
    options: NativeOptions = USUAL,
    *,
    against: tuple[str, ...] = (),
    which: str = "inference",
    kind: str = "all",
    store: Path | None = None,
    fresh: bool = False,
    told: Callable[[int, int], None] | None = None,
) -> NativeBench:
    """A suite of int8 shapes on the target x86, each checked, then timed in turn with libraries.

    DeepBench takes long: each of its shapes is kept as soon as it is done, and an interrupted run continues.

    Args:
        suite: x86, or deepbench.
        options: how; threads are those of each contender, the plans measured those of each shape.
        against: names of libraries: torch, openvino, onnxruntime.
        which: of deepbench: the set.
        kind: of deepbench: conv, gemm or all.
        store: of deepbench: where times are kept; the user's cache folder for None.
        fresh: of deepbench: time again what was kept.
        told: is told how many shapes are done, and of how many.

    Raises:
        InputError: anything of these that is wrong, or that the processor cannot do.
    """
    from intarsia.flow.bench import deepbench_rows
    from intarsia.flow.native.bench import bench_native as bench
    from intarsia.flow.native.suites import X86, deepbench

    if suite == "x86":
        return bench(suite, X86, against, options, told=told)
    shapes = deepbench(deepbench_rows(which, kind))
    kept = store or default_store().with_name("native.sqlite")
    return bench(f"deepbench {kind}/{which}", shapes, against, options, store=kept, fresh=fresh, told=told)
