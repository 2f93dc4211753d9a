"""What ``schedule`` answers: a layer's operators on the cores of a chip, with the proof that no schedule is shorter."""

from __future__ import annotations

from dataclasses import dataclass, replace

from intarsia.cost import Placed
from intarsia.flow.predictions import notes_of_sequence
from intarsia.flow.questions import read_limit, read_sequence
from intarsia.graph import Attention, Group, Layer, Recompute, Variant
from intarsia.ground import InputError
from intarsia.machines.chips import Chip, efficiency_of, read_chip
from intarsia.machines.clusters import Cluster, Level
from intarsia.models import read_model
from intarsia.place.tasks import LayerTasks, layer_tasks
from intarsia.schedule import Schedule, check, solve
from intarsia.solvers import Found, Infeasible, Limits


@dataclass(frozen=True, slots=True)
class ScheduleAnswer:
    """A scheduled layer.

    Attributes:
        model: its name.
        layer: what was scheduled.
        chip: on which.
        tasks: the problem.
        schedule: the answer.
        proved: whether no schedule is shorter.
        seconds: of the search.
        notes: what was assumed.
    """

    model: str
    layer: Layer
    chip: Chip
    tasks: LayerTasks
    schedule: Schedule
    proved: bool
    seconds: float
    notes: tuple[str, ...]


def schedule_layer(
    model: str,
    chip: str,
    *,
    layer: str = "",
    microbatch: int = 1,
    sequence: int = 0,
    tensor: int = 1,
    recompute: str = "none",
    attention: str = "eager",
    tensor_cores: int | None = None,
    vector_cores: int | None = None,
    calibration: str = "",
    limit: float = 10.0,
) -> ScheduleAnswer:
    """The shortest schedule of one layer, forward and backward.

    Args:
        model: a name, a configuration or an ONNX file.
        chip: a name or a file.
        layer: its name; the most repeated one if empty.
        microbatch: sequences.
        sequence: tokens; the model's own if 0.
        tensor: devices that share each weight matrix, joined by the chip's links.
        recompute: none, selective or full: forward nodes that run again in the backward pass.
        attention: eager or flash.
        tensor_cores: instead of the chip's.
        vector_cores: instead of the chip's.
        calibration: a file of efficiencies.
        limit: seconds of search.

    Raises:
        InputError: anything of these that is wrong.
    """
    of_model, of_chip = read_model(model), read_chip(chip)
    for name, value in (
        ("microbatch", microbatch),
        ("tensor", tensor),
        ("tensor-cores", tensor_cores),
        ("vector-cores", vector_cores),
    ):
        if value is not None and value < 1:
            raise InputError(f"{name} is not positive", value=str(value), allowed="1 or more")
    sequence, limit = read_sequence(of_model, sequence), read_limit(limit)
    if tensor_cores or vector_cores:
        if of_chip.serial:
            raise InputError(
                "this chip runs one kernel after the other on all its cores",
                value=of_chip.name,
                hint="no --tensor-cores, no --vector-cores",
            )
        of_chip = _with_cores(of_chip, tensor_cores, vector_cores)
    if attention not in tuple(Attention):
        raise InputError("unknown attention", value=attention, allowed=", ".join(Attention))
    if recompute not in tuple(Recompute):
        raise InputError("unknown recompute", value=recompute, allowed=", ".join(Recompute))
    variant = Variant(microbatch, sequence, tensor=tensor, attention=Attention(attention))
    reason = of_model.refusal(variant)
    if reason:
        raise InputError(f"{of_model.name} cannot be cut so", value=reason, hint="another --tensor")
    chosen = _layer(of_model.layers(variant), layer)
    level = Level("links", tensor, of_chip.link_bandwidth, 1e-6)
    cluster = Cluster(of_chip.name, of_chip, tensor, (level,), "links of the chip")
    groups = {group: Placed(tensor if group is Group.TENSOR else 1, 1) for group in Group}
    efficiency = efficiency_of(of_chip, calibration)
    again = chosen.recomputed(Recompute(recompute))
    passes = (("forward", chosen.forward), ("again", again), ("backward", chosen.backward))
    tasks = layer_tasks(passes, cluster, groups, efficiency)
    outcome = solve(tasks.problem, Limits(seconds=limit))
    assert not isinstance(outcome, Infeasible)
    found = outcome.value if isinstance(outcome, Found) else outcome.best
    assert found is not None
    report = check(tasks.problem, found)
    if report:
        raise AssertionError(f"the schedule fails its check: {report}")
    notes = [*notes_of_sequence(of_model, sequence), f"efficiencies: {efficiency.source}"]
    notes += [f"assumed: {text}" for text in of_chip.assumed]
    return ScheduleAnswer(
        of_model.name,
        chosen,
        of_chip,
        tasks,
        found,
        isinstance(outcome, Found),
        outcome.effort.seconds,
        tuple(notes),
    )


def _with_cores(chip: Chip, tensor: int | None, vector: int | None) -> Chip:
    return replace(
        chip,
        tensor=replace(chip.tensor, count=tensor or chip.tensor.count),
        vector=replace(chip.vector, count=vector or chip.vector.count),
    )


def _layer(layers: tuple[Layer, ...], name: str) -> Layer:
    if not name:
        return max(layers, key=lambda layer: layer.repeat)
    for layer in layers:
        if layer.name == name:
            return layer
    raise InputError("unknown layer", value=name, allowed=", ".join(dict.fromkeys(layer.name for layer in layers)))
