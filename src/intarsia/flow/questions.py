"""What is wrong with a question before it is searched for: sequence, limit, and restrictions that leave nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from intarsia.graph import Model, Variant
from intarsia.ground import InputError
from intarsia.machines.clusters import Cluster
from intarsia.place.choices import Choices

GRADIENT_BYTES = (2, 4)


def read_sequence(model: Model, sequence: int) -> int:
    """The tokens of a sequence: what was asked, or the model's own for 0; 0 for a model of images.

    Raises:
        InputError: it is negative, or the model has no sequences.
    """
    if sequence < 0:
        raise InputError("seq is negative", value=str(sequence), allowed="1 or more; 0 for the model's own")
    if sequence and not model.sequence:
        raise InputError("the model has no sequence length", where=model.name, value=str(sequence), hint="no --seq")
    return sequence or model.sequence


def read_limit(seconds: float) -> float:
    """The seconds of a search.

    Raises:
        InputError: they are not positive.
    """
    if not seconds > 0:  # not a number is not positive either
        raise InputError("the limit is not positive", value=str(seconds), allowed="seconds, more than 0")
    return seconds


def refuse_choices(model: Model, cluster: Cluster, global_batch: int, sequence: int, choices: Choices) -> None:
    """Refuses the first restriction of which no value is possible, whatever the other choices are.

    Raises:
        InputError: with the reason of the first value.
    """
    if choices.gradient_bytes not in GRADIENT_BYTES:
        raise InputError("gradient_bytes cannot be so", value=str(choices.gradient_bytes), allowed="2, 4")
    one = Variant(1, sequence, attention=choices.attention, dtype=choices.dtype)
    devices, batch = (cluster.devices, "devices"), (global_batch, "sequences of the batch")
    _refuse(model, "pipeline", choices.pipeline, devices, lambda _: one)
    _refuse(model, "data", choices.data, batch, lambda _: one)
    _refuse(model, "microbatch", choices.microbatch, batch, lambda n: replace(one, microbatch=n))
    _refuse(model, "tensor", choices.tensor, devices, lambda n: replace(one, tensor=n))
    _refuse(model, "context", choices.context, devices, lambda n: replace(one, context=n))
    _refuse(model, "expert", choices.expert, devices, lambda n: replace(one, expert=n))
    if choices.sequence_parallel == (True,) and (choices.tensor == (1,) or cluster.devices == 1):
        raise InputError(
            "sequence parallelism needs tensor parallelism",
            where="--only sequence_parallel=on",
            value="tensor 1",
            hint="tensor=2,4,8",
        )


def _refuse(
    model: Model, name: str, values: tuple[int, ...], most: tuple[int, str], variant: Callable[[int], Variant]
) -> None:
    many, of = most
    reasons = [f"there are {many} {of}" if value > many else model.refusal(variant(value)) for value in values]
    if reasons and all(reasons):
        listed = ",".join(map(str, values))
        raise InputError(f"{model.name} cannot be cut so", where=f"--only {name}={listed}", value=reasons[0])
