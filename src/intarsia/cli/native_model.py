"""``intarsia run model.onnx --target x86``: int8 nodes as native code, the rest by ONNX Runtime, times side by side."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from intarsia.cli.command import trace_of
from intarsia.cli.printing import print_fields, print_json, print_table, progress
from intarsia.ground.units import percent_text, ratio_text, seconds_text

if TYPE_CHECKING:
    from intarsia.flow import NativeOptions
    from intarsia.flow.native.model_answers import ModelRun, NodeRun

WRONG = 1


def run_native_model(arguments: Namespace, options: NativeOptions) -> int:
    """Run a whole model on x86 and print."""
    from intarsia import flow

    with progress("nodes") as told:
        answer = flow.run_native_model(arguments.spec, options, trace=trace_of(arguments), told=told)
    if arguments.json:
        print_json(model_run_json(answer))
    else:
        print_model_run(answer)
    return 0 if answer.correct else WRONG


def print_model_run(answer: ModelRun) -> None:
    """Every node, then the sums."""
    numbers = ("native", "onnxruntime", "ratio", "of peak")
    print_table(
        ("node", "type", *numbers, "correct", "embedding"), [_row(node) for node in answer.nodes], right=numbers
    )
    print()
    print_fields(
        [
            ("processor", f"{answer.processor}, {answer.threads} thread{'s' if answer.threads > 1 else ''}"),
            ("features", answer.features),
            ("correct", "yes, bit for bit" if answer.correct else "NO"),
            ("nodes", f"{len(answer.nodes)}, {len(answer.native)} as native code"),
            ("native", "" if answer.speedup is None else f"{ratio_text(answer.speedup)} onnxruntime on those nodes"),
            ("all nodes", f"{seconds_text(answer.seconds)}; onnxruntime {seconds_text(answer.library_seconds)}"),
            ("onnxruntime", f"{seconds_text(answer.whole.least)} for the whole model at once"),
        ]
    )


def _row(node: NodeRun) -> tuple[str, ...]:
    ours = node.ours
    return (
        node.name,
        node.kind,
        "" if ours is None else seconds_text(ours.least),
        seconds_text(node.library.least),
        "" if ours is None else ratio_text(node.library.least / ours.least),
        "" if node.part is None else percent_text(node.part, 1),
        "" if ours is None else "yes" if node.correct else "NO",
        node.words or node.why,
    )


def model_run_json(answer: ModelRun) -> dict[str, Any]:
    """An answer as JSON."""
    return {
        "model": answer.path,
        "target": "x86",
        "processor": answer.processor,
        "threads": answer.threads,
        "seed": answer.seed,
        "features": answer.features,
        "correct": answer.correct,
        "seconds": answer.seconds,
        "onnxruntime_seconds": answer.library_seconds,
        "onnxruntime_whole_seconds": answer.whole.least,
        "ratio": answer.speedup,
        "nodes": [_node_json(node) for node in answer.nodes],
    }


def _node_json(node: NodeRun) -> dict[str, Any]:
    return {
        "name": node.name,
        "type": node.kind,
        "seconds": None if node.ours is None else node.ours.least,
        "onnxruntime_seconds": node.library.least,
        "correct": None if node.ours is None else node.correct,
        "percent_of_peak": None if node.part is None else 100 * node.part,
        "embedding": node.words or None,
        "why": node.why or None,
    }
