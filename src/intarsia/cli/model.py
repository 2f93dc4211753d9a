"""``intarsia model NAME``: the layers of a model, their weights, operations and activations."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from intarsia.cli.command import Command, json_option
from intarsia.cli.printing import print_fields, print_json, print_table
from intarsia.ground.units import bytes_text, count_text

if TYPE_CHECKING:
    from intarsia.flow.models import LayerAnswer, ModelAnswer

NUMBERS = ("times", "parameters", "forward", "backward", "kept: none", "selective", "full")


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a name (`intarsia models`), a config.json, an .onnx file")
    parser.add_argument("--microbatch", metavar="N", type=int, default=1, help="sequences or images (default 1)")
    parser.add_argument("--seq", metavar="S", type=int, help="tokens of a sequence (default: the model's own)")
    parser.add_argument("--tensor", metavar="T", type=int, default=1, help="devices that share each matrix (default 1)")
    json_option(parser)


def _run(arguments: Namespace) -> int:
    from intarsia import flow

    answer = flow.model(
        arguments.model, microbatch=arguments.microbatch, sequence=arguments.seq, tensor=arguments.tensor
    )
    if arguments.json:
        print_json(model_json(answer))
    else:
        _print(answer)
    return 0


def _print(answer: ModelAnswer) -> None:
    active = answer.active_parameters
    print_fields(
        [
            ("model", answer.name),
            ("parameters", count_text(answer.parameters)),
            ("active", count_text(active) if active != answer.parameters else ""),
            ("sequence", count_text(answer.sequence) if answer.sequence else ""),
            ("microbatch", str(answer.microbatch)),
            ("tensor", f"{answer.tensor} devices; figures below are of one" if answer.tensor > 1 else ""),
            ("sample", f"{answer.sample_flops:.4g} operations, forward and backward"),
            *(("note", note) for note in answer.notes),
        ]
    )
    print()
    rows = [_row(row) for row in (*answer.layers, answer.total)]
    print_table(("layer", *NUMBERS), rows, right=NUMBERS)
    print("\neach row is one layer of its kind; total counts repeats, tied weights once; operations of contractions;")
    print("kept: bytes for the backward pass, where nothing, the attention core or the whole layer is computed again")


def _row(layer: LayerAnswer) -> tuple[str, ...]:
    return (
        layer.name,
        str(layer.repeat),
        count_text(layer.parameters) + (f" (tied: {layer.tied})" if layer.tied else ""),
        f"{layer.forward_flops:.4g}",
        f"{layer.backward_flops:.4g}",
        bytes_text(layer.kept_none),
        bytes_text(layer.kept_selective),
        bytes_text(layer.kept_full),
    )


def model_json(answer: ModelAnswer) -> dict[str, Any]:
    """An answer as JSON."""
    return {
        "name": answer.name,
        "parameters": answer.parameters,
        "active_parameters": answer.active_parameters,
        "microbatch": answer.microbatch,
        "sequence": answer.sequence or None,
        "tensor": answer.tensor,
        "sample_flops": answer.sample_flops,
        "notes": list(answer.notes),
        "layers": [_layer_json(layer) for layer in answer.layers],
        "total": _layer_json(answer.total),
    }


def _layer_json(layer: LayerAnswer) -> dict[str, Any]:
    return {
        "name": layer.name,
        "repeat": layer.repeat,
        "parameters": layer.parameters,
        "tied": layer.tied or None,
        "tied_parameters": layer.tied_parameters,
        "forward_flops": layer.forward_flops,
        "backward_flops": layer.backward_flops,
        "kept_bytes": {"none": layer.kept_none, "selective": layer.kept_selective, "full": layer.kept_full},
        "input_bytes": layer.input_bytes,
        "output_bytes": layer.output_bytes,
        "forward_nodes": layer.forward_nodes,
        "backward_nodes": layer.backward_nodes,
    }


COMMAND = Command(
    "model",
    "print the layers of a model: weights, operations, activations",
    "intarsia model llama2-7b --microbatch 2 --tensor 4",
    _options,
    _run,
)
