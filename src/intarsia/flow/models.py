"""What ``model`` answers: the layers of a model with their weights, operations and activations."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.graph import Layer, Model, Recompute, Variant
from intarsia.ground import InputError
from intarsia.models import Traced


@dataclass(frozen=True, slots=True)
class LayerAnswer:
    """Equal layers of a model on one device; all figures are of one of them.

    Attributes:
        name: what it is.
        repeat: how many equal ones follow each other.
        parameters: weights on the device, elements.
        tied: the earlier layer whose weights some of these are, empty if all are its own.
        tied_parameters: how many of them.
        forward_flops, backward_flops: operations of contractions, without recomputation.
        kept_none, kept_selective, kept_full: bytes kept for the backward pass, by what is recomputed.
        input_bytes, output_bytes: what comes from the layer before, and goes to the one behind.
        forward_nodes, backward_nodes: kernels.
    """

    name: str
    repeat: int
    parameters: int
    tied: str
    tied_parameters: int
    forward_flops: int
    backward_flops: int
    kept_none: int
    kept_selective: int
    kept_full: int
    input_bytes: int
    output_bytes: int
    forward_nodes: int
    backward_nodes: int


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """A model as one device sees it.

    Attributes:
        name: as the user named it.
        parameters, active_parameters: of the whole model, tied weights once, elements.
        microbatch, sequence, tensor: what was asked; sequence is 0 for models without tokens.
        sample_flops: operations of one sample, forward and backward, the whole model: what MFU counts.
        layers: the chain.
        notes: how the pricing departs from what the model does.
    """

    name: str
    parameters: int
    active_parameters: int
    microbatch: int
    sequence: int
    tensor: int
    sample_flops: int
    layers: tuple[LayerAnswer, ...]
    notes: tuple[str, ...]

    @property
    def total(self) -> LayerAnswer:
        """The sums over the chain; tied weights count once, input and output are those of the whole chain."""
        rows = self.layers

        def summed(name: str) -> int:
            return sum(row.repeat * getattr(row, name) for row in rows)

        return LayerAnswer(
            "total",
            sum(row.repeat for row in rows),
            sum(row.repeat * (row.parameters - row.tied_parameters) for row in rows),
            "",
            0,
            summed("forward_flops"),
            summed("backward_flops"),
            summed("kept_none"),
            summed("kept_selective"),
            summed("kept_full"),
            rows[0].input_bytes,
            rows[-1].output_bytes,
            summed("forward_nodes"),
            summed("backward_nodes"),
        )


def describe(model: Model, *, microbatch: int, sequence: int | None, tensor: int) -> ModelAnswer:
    """A model at one variant.

    Raises:
        InputError: for sizes below 1, or that the model cannot have.
    """
    for name, value in (("microbatch", microbatch), ("seq", sequence), ("tensor", tensor)):
        if value is not None and value < 1:
            raise InputError(f"{name} is not positive", value=str(value), allowed="1 or more")
    if sequence is not None and not model.sequence:
        raise InputError("the model has no sequence length", where=model.name, value=str(sequence), hint="no --seq")
    tokens = model.sequence if sequence is None else sequence
    layers = model.layers(Variant(microbatch, tokens, tensor=tensor))
    notes = model.notes if isinstance(model, Traced) else ()
    return ModelAnswer(
        model.name,
        model.parameters,
        model.active_parameters,
        microbatch,
        tokens,
        tensor,
        model.flops(tokens),
        tuple(map(_layer, layers)),
        notes,
    )


def _layer(layer: Layer) -> LayerAnswer:
    return LayerAnswer(
        layer.name,
        layer.repeat,
        layer.parameters + layer.expert_parameters,
        layer.tied,
        layer.tied_parameters,
        layer.forward_flops,
        layer.backward_flops,
        layer.kept_bytes(Recompute.NONE),
        layer.kept_bytes(Recompute.SELECTIVE),
        layer.kept_bytes(Recompute.FULL),
        layer.input_bytes,
        layer.output_bytes,
        len(layer.forward),
        len(layer.backward),
    )
