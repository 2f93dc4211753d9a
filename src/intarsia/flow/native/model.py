"""An ONNX model whose int8 nodes run as native code, the rest by ONNX Runtime, with the time of each node by both."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.flow.native.answers import Peak, Times, times_of
from intarsia.flow.native.model_answers import ModelRun, NodeRun
from intarsia.flow.native.nodes import Nodes
from intarsia.flow.native.options import USUAL, NativeOptions
from intarsia.flow.native.run import peak_of, refuse_threads
from intarsia.flow.native.turns import SHARED_TURN
from intarsia.ground import QUIET, InputError, Trace
from intarsia.models import QuantisedNode, load_whole, read_quantised
from intarsia.targets.x86 import Features, at_level, host_processor, level_of, pinned
from intarsia.targets.x86.callable import compiled, in_words, instruction_of_bytes

Array = NDArray[Any]
Told = Callable[[int, int], None]
RUNS = 10
SECONDS = 0.03
"""A node is run at least so often and so long by each, in turn; the fastest run counts."""


def run_model(path: str, options: NativeOptions = USUAL, *, trace: Trace = QUIET, told: Told | None = None) -> ModelRun:
    """Run a model's nodes one after the other, int8 products and convolutions by both, and compare every result.

    Args:
        path: an ONNX file whose inputs have fixed shapes.
        options: how; the plans measured are those of each node.
        trace: what is told meanwhile.
        told: is told how many nodes are done, and of how many.

    Raises:
        InputError: onnxruntime is missing or refuses a node, the file is none, or its inputs have no fixed shape.
    """
    processor, level, threads = host_processor(), at_level(options.features), options.threads
    refuse_threads(processor, threads)
    read = {node.output: node for node in read_quantised(path).nodes}
    nodes = Nodes(load_whole(path), path, threads)
    values = nodes.inputs(options.seed)
    given = dict(values)
    done: list[NodeRun] = []
    with pinned(processor.cores[-1]) if threads == 1 else nullcontext():
        best = peak_of(instruction_of_bytes(level), level, threads)
        total = len(nodes.model.graph.node)
        for i, node in enumerate(nodes.model.graph.node):
            made = read.get(node.output[0])
            done.append(_node(nodes, node, made, values, best, level, options, trace))
            if told is not None:
                told(i + 1, total)
        session = nodes.whole()
        names = [output.name for output in nodes.model.graph.output]
        whole = _times(lambda: session.run(names, given))
        expected = dict(zip(names, session.run(names, given), strict=True))
    same = all(_equal(values[name], expected[name]) for name in names)
    return ModelRun(path, processor.name, threads, options.seed, level_of(level), tuple(done), whole, best, same)


def _node(
    nodes: Nodes,
    node: Any,
    made: QuantisedNode | None,
    values: dict[str, Array],
    peak: Peak,
    features: Features,
    options: NativeOptions,
    trace: Trace,
) -> NodeRun:
    """Run one node; what it makes is added to the values, made by native code where there is some."""
    session, fed = nodes.session(node, values)
    made_by_library = nodes.outputs(session, node, fed)
    names = list(made_by_library)
    values |= made_by_library

    def run() -> object:
        return session.run(names, fed)

    if made is None:
        return NodeRun(node.name, node.op_type, _times(run))
    inputs = made.inputs({**nodes.weights, **values})
    constants = {name: array for name, array in inputs.items() if not _varies(made, name)}
    try:
        function = compiled(
            made.quantised,
            constants,
            threads=options.threads,
            measure=options.measure,
            features=features,
            trace=trace,
        )
    except InputError as error:
        return NodeRun(node.name, node.op_type, _times(run), why=str(error).partition("\n")[0])
    arrays = [inputs[t.name] for t in function.inputs]
    out = function(*arrays)
    right = made_by_library[made.output]
    library, ours = _in_turn(run, lambda: function(*arrays, out=out), turn=SHARED_TURN if options.threads > 1 else 0.0)
    function.close()
    values[made.output] = out.reshape(right.shape)
    iterations = made.quantised.operator.iterations
    return NodeRun(
        node.name,
        node.op_type,
        library,
        ours,
        correct=np.array_equal(values[made.output], right),
        part=peak.part(iterations, ours.least) if function.native else None,
        words=in_words(function.embedding) if function.native else "",
        why="; ".join(function.notes),
    )


def _varies(made: QuantisedNode, name: str) -> bool:
    """Whether an input is a factor that changes with every call."""
    return any(tensor.name == name and not tensor.constant for tensor in made.quantised.factors)


def _times(call: Callable[[], object]) -> Times:
    return _in_turn(call)[0]


def _in_turn(*calls: Callable[[], object], turn: float = 0.0) -> tuple[Times, ...]:
    """Times of calls that take turns, so that what else runs on the machine meets all of them.

    Args:
        calls: what is timed.
        turn: seconds that each calls before the next one does; 0 for one call.
    """
    for call in calls:
        call()
    seconds: list[list[float]] = [[] for _ in calls]
    while len(seconds[0]) < RUNS or min(map(sum, seconds)) < SECONDS:
        for call, own in zip(calls, seconds, strict=True):
            until = time.perf_counter() + turn
            began = 0.0
            while not began or began < until:
                began = time.perf_counter()
                call()
                own.append(time.perf_counter() - began)
    return tuple(times_of(own) for own in seconds)


def _equal(found: Array, expected: Array) -> bool:
    """Equal bits of integers; floats may differ in how the whole graph was fused."""
    if found.dtype.kind == "f":
        return bool(np.allclose(found, expected, 1e-4, 1e-5))
    return bool(np.array_equal(found, expected))
