"""An ONNX model whose int8 nodes run as native code, the rest by ONNX Runtime, with the time of each node by both."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.flow.native.answers import ModelRun, NodeRun, Peak, Times, times_of
from intarsia.flow.native.nodes import Nodes, outputs_of
from intarsia.flow.native.run import peak_of, refuse_threads
from intarsia.ground import QUIET, InputError, Trace
from intarsia.models import QuantisedNode, load_whole, read_quantised
from intarsia.targets.x86 import host_processor, pinned
from intarsia.targets.x86.callable import compiled, in_words

Array = NDArray[Any]
Told = Callable[[int, int], None]
RUNS = 10
SECONDS = 0.02
"""A node is run at least so often and so long; the fastest run counts."""
INSTRUCTION = "x86.vpdpbusd"


def run_model(
    path: str,
    *,
    threads: int = 1,
    measure: int = 0,
    seed: int = 0,
    trace: Trace = QUIET,
    told: Told | None = None,
) -> ModelRun:
    """Run a model's nodes one after the other, int8 products and convolutions by both, and compare every result.

    Args:
        path: an ONNX file whose inputs have fixed shapes.
        threads: that each may use; one thread is pinned to the last core of this process.
        measure: how many plans are measured for each node; 0 for the one predicted to be fastest.
        seed: of the inputs.
        trace: what is told meanwhile.
        told: is told how many nodes are done, and of how many.

    Raises:
        InputError: onnxruntime is missing or refuses a node, the file is none, or its inputs have no fixed shape.
    """
    processor = host_processor()
    refuse_threads(processor, threads)
    read = {node.output: node for node in read_quantised(path).nodes}
    nodes = Nodes(load_whole(path), path, threads)
    values = nodes.inputs(seed)
    given = dict(values)
    done: list[NodeRun] = []
    with pinned(processor.cores[-1]) if threads == 1 else nullcontext():
        best = peak_of(INSTRUCTION, threads)
        total = len(nodes.model.graph.node)
        for i, node in enumerate(nodes.model.graph.node):
            made = read.get(node.output[0])
            done.append(_node(nodes, node, made, values, best, threads=threads, measure=measure, trace=trace))
            if told is not None:
                told(i + 1, total)
        session = nodes.whole()
        names = [output.name for output in nodes.model.graph.output]
        whole = _times(lambda: session.run(names, given))
        expected = dict(zip(names, session.run(names, given), strict=True))
    same = all(_equal(values[name], expected[name]) for name in names)
    return ModelRun(path, processor.name, threads, seed, tuple(done), whole, best, same)


def _node(
    nodes: Nodes,
    node: Any,
    made: QuantisedNode | None,
    values: dict[str, Array],
    peak: Peak,
    *,
    threads: int,
    measure: int,
    trace: Trace,
) -> NodeRun:
    """Run one node; what it makes is added to the values, made by native code where there is some."""
    session, fed = nodes.session(node, values)
    made_by_library = outputs_of(session, node, fed)
    names = list(made_by_library)
    library = _times(lambda: session.run(names, fed))
    values |= made_by_library
    if made is None:
        return NodeRun(node.name, node.op_type, library)
    inputs = made.inputs({**nodes.weights, **values})
    constants = {name: array for name, array in inputs.items() if not _varies(made, name)}
    try:
        function = compiled(made.quantised, constants, threads=threads, measure=measure, trace=trace)
    except InputError as error:
        return NodeRun(node.name, node.op_type, library, why=str(error).partition("\n")[0])
    arrays = [inputs[t.name] for t in function.inputs]
    out = function(*arrays)
    right = made_by_library[made.output]
    ours = _times(lambda: function(*arrays, out=out))
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
    call()
    seconds: list[float] = []
    while len(seconds) < RUNS or sum(seconds) < SECONDS:
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return times_of(seconds)


def _equal(found: Array, expected: Array) -> bool:
    """Equal bits of integers; floats may differ in how the whole graph was fused."""
    if found.dtype.kind == "f":
        return bool(np.allclose(found, expected, 1e-4, 1e-5))
    return bool(np.array_equal(found, expected))
