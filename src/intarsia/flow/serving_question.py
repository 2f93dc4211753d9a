"""What ``serve`` is asked, from what users type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from intarsia.graph import Dtype, Model, Phase, Servable, Serving
from intarsia.ground import InputError
from intarsia.machines.chips import Chip, efficiency_of
from intarsia.machines.clusters import Cluster, read_cluster
from intarsia.models import read_model
from intarsia.place.serving import ServingChoices, ServingTask

DTYPES = {"bf16": Dtype.BF16, "fp8": Dtype.FP8}
PHASES = ("both", "prefill", "decode")


@dataclass(frozen=True, slots=True)
class ServingWanted:
    """What is answered, within which limits, and what may be chosen, in the words of users.

    Attributes:
        prompt: tokens of a prompt.
        output: tokens of an answer.
        ttft: seconds to the first token at most.
        tpot: seconds between tokens at most.
        batch: sequences of one replica; 0 for any.
        phase: ``prefill`` or ``decode`` where the devices do nothing else, or ``both``.
        only: choices of deployments that are restricted to values.
        dtype: of weights and products.
        cache: of keys and values.
        calibration: a file of efficiencies.
    """

    prompt: int
    output: int
    ttft: float = inf
    tpot: float = inf
    batch: int = 0
    phase: str = "both"
    only: Mapping[str, Sequence[str]] | None = None
    dtype: str = "bf16"
    cache: str = "bf16"
    calibration: str = ""


def serving_task(
    model: str, cluster: str | Cluster, wanted: ServingWanted, *, chip: Chip | None = None
) -> tuple[Model, ServingTask]:
    """The model and the question.

    Args:
        model: a name or a configuration.
        cluster: ``NAMExN``, a file, or the cluster itself.
        wanted: what is asked.
        chip: in the place of the cluster's own.

    Raises:
        InputError: anything of these that is wrong.
    """
    of_model, of_cluster = read_model(model), read_cluster(cluster) if isinstance(cluster, str) else cluster
    of_cluster = replace(of_cluster, chip=chip or of_cluster.chip)
    for name, value in (("prompt", wanted.prompt), ("output", wanted.output)):
        if value < 1:
            raise InputError(f"{name} is not positive", value=str(value), allowed="1 or more")
    for name, limit in (("ttft", wanted.ttft), ("tpot", wanted.tpot)):
        if not limit > 0:  # not a number is not positive either
            raise InputError(f"the limit {name} is not positive", value=str(limit), allowed="seconds, more than 0")
    task = ServingTask(
        _servable(of_model),
        of_cluster,
        efficiency_of(of_cluster.chip, wanted.calibration),
        wanted.prompt,
        _output(wanted),
        wanted.ttft,
        wanted.tpot,
        _dtype("dtype", wanted.dtype),
        _dtype("kv-dtype", wanted.cache),
        ServingChoices().only(_restricted(wanted)),
        reads=wanted.phase != "decode",
    )
    _refuse(of_model, task)
    return of_model, task


def _restricted(wanted: ServingWanted) -> dict[str, Sequence[str]]:
    """The choices, the batch among them."""
    if wanted.batch < 0:
        raise InputError("batch is negative", value=str(wanted.batch), allowed="1 or more; 0 for any")
    restricted = dict(wanted.only or {})
    if not wanted.batch:
        return restricted
    if "batch" in restricted:
        raise InputError("a choice is restricted twice", where="--only", value="batch", hint="--batch alone")
    return restricted | {"batch": (str(wanted.batch),)}


def _output(wanted: ServingWanted) -> int:
    """Tokens of an answer as far as the phase makes them, where its limits make sense."""
    phase, output = wanted.phase, wanted.output
    if phase not in PHASES:
        raise InputError("unknown phase", where="--phase", value=phase or "nothing", allowed=", ".join(PHASES))
    if phase == "prefill" and wanted.tpot < inf:
        raise InputError("prefill has no time between tokens", where="--tpot", value=str(wanted.tpot), hint="--ttft")
    if phase == "decode" and wanted.ttft < inf:
        raise InputError("decode has no first token", where="--ttft", value=str(wanted.ttft), hint="--tpot")
    if phase == "decode" and output == 1:
        raise InputError("decode makes the tokens behind the first", where="--output", value="1", allowed="2 or more")
    return 1 if phase == "prefill" else output


def _servable(model: Model) -> Servable:
    if not isinstance(model, Servable):
        raise InputError(
            "the model does not answer token by token", where=model.name, allowed="transformers by name or config.json"
        )
    reason = model.serving_refusal(Serving(Phase.PREFILL, 1, 1))
    if reason:
        raise InputError(f"the model does not answer: {reason}", where=model.name)
    return model


def _dtype(option: str, text: str) -> Dtype:
    if text not in DTYPES:
        raise InputError("unknown type", where=f"--{option}", value=text or "nothing", allowed=", ".join(DTYPES))
    return DTYPES[text]


def _refuse(model: Model, task: ServingTask) -> None:
    """Refuses the first restriction of which no value is possible, whatever the other choices are."""
    devices, choices = task.cluster.devices, task.choices
    blocks = sum(layer.repeat for layer in task.model.served(task.serving(Phase.PREFILL, 1, 1, 1)) if layer.block)
    reasons = {
        "tensor": [_too_many(n, devices, "devices") or _cut(task, n, 1) for n in choices.tensor],
        "expert": [_too_many(n, devices, "devices") or _cut(task, 1, n) for n in choices.expert],
        "pipeline": [_too_many(n, min(devices, blocks), "devices or blocks") for n in choices.pipeline],
        "data": [_too_many(n, devices, "devices") for n in choices.data],
    }
    for name, found in reasons.items():
        if found and all(found):
            listed = ",".join(map(str, getattr(choices, name)))
            raise InputError(f"{model.name} cannot be cut so", where=f"--only {name}={listed}", value=found[0])


def _too_many(value: int, most: int, of: str) -> str:
    return f"there are {most} {of}" if value > most else ""


def _cut(task: ServingTask, tensor: int, expert: int) -> str:
    return task.model.serving_refusal(task.serving(Phase.PREFILL, 1, tensor, expert))
