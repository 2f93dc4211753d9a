"""An operator as native code: compiled, compared with the reference, timed beside the processor's peak."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.flow.native.answers import NativeAnswer, Peak, Ranked, Times, times_of
from intarsia.flow.native.options import USUAL, NativeOptions
from intarsia.ground import QUIET, InputError, Trace
from intarsia.machines import find_instruction
from intarsia.models import QuantisedNode, read_quantised, read_spec
from intarsia.operators import Operator, Quantised, random_inputs
from intarsia.solvers.ranks import kendall
from intarsia.targets.x86 import (
    Engine,
    Features,
    Processor,
    at_level,
    calls_per_second,
    host_processor,
    level_of,
    pinned,
)
from intarsia.targets.x86.callable import Compiled, compiled, in_words, is_right
from intarsia.targets.x86.callable.make import at_line

Array = NDArray[Any]
ROUNDS = 20
"""Runs that are timed at least."""
SECONDS = 0.5
"""Seconds of timed runs at least, as long as ``ROUNDS`` of them are not enough."""
SPREAD = 32.0
"""About the standard deviation of results that random scales give."""
PRODUCT = 147.0 * 74.0
"""Root mean square of random uint8 times that of random int8."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What runs: an operator, quantised or not, with what is known of its inputs."""

    given: Operator | Quantised
    known: Mapping[str, Array]

    @property
    def operator(self) -> Operator:
        """The contraction."""
        return self.given.operator if isinstance(self.given, Quantised) else self.given


def read_subject(spec: str) -> Subject:
    """What a spec names: an int8 node of an ONNX file with its constants, or any operator.

    Raises:
        InputError: if it names no operator.
    """
    path, mark, name = spec.rpartition("#")
    if mark and path.endswith(".onnx"):
        node = next((n for n in read_quantised(path).nodes if n.name == name), None)
        if node is not None:
            return of_node(node)
    return Subject(read_spec(spec), {})


def of_node(node: QuantisedNode) -> Subject:
    """An int8 node of a graph."""
    return Subject(node.quantised, node.constants)


def run_native(spec: str, options: NativeOptions = USUAL, *, trace: Trace = QUIET) -> NativeAnswer:
    """Compile an operator, compare it with the reference and time it.

    Args:
        spec: the operator.
        options: how.
        trace: what is told meanwhile.

    Raises:
        InputError: anything of these that is wrong, or that the processor cannot do.
    """
    subject = read_subject(spec)
    processor, level, threads = host_processor(), at_level(options.features), options.threads
    refuse_threads(processor, threads)
    inputs = inputs_of(subject, options.seed)
    varying = {t.name for t in subject.operator.inputs if not t.constant}
    constants = {name: array for name, array in inputs.items() if name not in varying}
    with trace.step("compile"):
        function = compiled(
            subject.given, constants, threads=threads, measure=options.measure, features=level, trace=trace
        )
    trace.text("plan", function.explain())
    with trace.step("compare"):
        found = function(**{t.name: inputs[t.name] for t in function.inputs})
        correct = is_right(subject.given, inputs, found)
    with trace.step("time"):
        times, peak = timed(function, inputs, processor.cores[-1], threads)
    function.close()
    return _answer(subject, function, processor.name, options, correct=correct, found=(times, peak))


def refuse_threads(processor: Processor, threads: int) -> None:
    """Refuse less than one thread, and more threads than cores.

    Raises:
        InputError: naming the option.
    """
    if not 1 <= threads <= len(processor.cores):
        allowed = f"1 to {len(processor.cores)}, the cores that this process may run on"
        raise InputError("no such number of threads", where="--threads", value=str(threads), allowed=allowed)


def inputs_of(subject: Subject, seed: int) -> dict[str, Array]:
    """Inputs from a seed, known ones as they are: integers over their whole range, scales that fit the sums."""
    operator, random = subject.operator, np.random.default_rng(seed)
    found = dict(random_inputs(operator, seed))
    if isinstance(subject.given, Quantised):
        q = subject.given
        deviation = PRODUCT * (operator.iterations / prod(q.result.shape)) ** 0.5
        for tensor in q.parameters:
            if tensor.dtype == "float32":
                spread = random.uniform(0.5, 1.5, tensor.shape)
                found[tensor.name] = (spread * (SPREAD / deviation)).astype(np.float32)
            elif tensor.dtype == "int32":
                found[tensor.name] = random.integers(-10000, 10000, tensor.shape, dtype=np.int32)
            else:
                found[tensor.name] = random.integers(0, 100, tensor.shape).astype(tensor.dtype)
    return {name: at_line(array) for name, array in (found | dict(subject.known)).items()}


def timed(function: Compiled, inputs: Mapping[str, Array], core: int, threads: int) -> tuple[Times, Peak | None]:
    """Times of a compiled operator, and the peak measured before and after; one thread is pinned to a core."""
    arrays = [inputs[t.name] for t in function.inputs]
    out = at_line(np.zeros(function.result.shape, function.result.dtype))
    if threads > 1:
        return _rounds(function, arrays, out), _peak(function, threads)
    with pinned(core):
        before = _peak(function, 1)
        times = _rounds(function, arrays, out)
        after = _peak(function, 1)
    return times, max((p for p in (before, after) if p), key=lambda p: p.calls, default=None)


def _rounds(function: Compiled, arrays: list[Array], out: Array) -> Times:
    function(*arrays, out=out)
    seconds: list[float] = []
    while len(seconds) < ROUNDS or sum(seconds) < SECONDS:
        began = time.perf_counter()
        function(*arrays, out=out)
        seconds.append(time.perf_counter() - began)
    return times_of(seconds)


def _peak(function: Compiled, threads: int) -> Peak | None:
    if not function.native:
        return None
    return peak_of(function.embedding.instruction.name, function.features, threads)


def peak_of(name: str, features: Features, threads: int = 1) -> Peak:
    """The peak of an instruction in code for some features, measured now on the core that this thread is on."""
    calls = calls_per_second(Engine(features), name) * threads
    return Peak(name, calls, find_instruction(name).lanes)


def _answer(
    subject: Subject,
    function: Compiled,
    processor: str,
    options: NativeOptions,
    *,
    correct: bool,
    found: tuple[Times, Peak | None],
) -> NativeAnswer:
    times, peak = found
    ranked = tuple(Ranked(cycles, seconds) for cycles, seconds in function.measured)
    least = min((r.seconds for r in ranked), default=0.0)
    return NativeAnswer(
        operator=str(subject.given),
        processor=processor,
        correct=correct,
        threads=options.threads,
        seed=options.seed,
        features=level_of(function.features),
        times=times,
        peak=peak,
        part=peak.part(subject.operator.iterations, times.least) if peak else None,
        words=in_words(function.embedding) if function.native else "",
        plan=str(function.plan) if function.native else "",
        cycles=function.predicted,
        ranked=ranked,
        tau=kendall([r.cycles for r in ranked], [r.seconds for r in ranked]) if len(ranked) > 1 else None,
        regret=ranked[0].seconds / least - 1 if ranked else None,
        notes=function.notes,
    )
