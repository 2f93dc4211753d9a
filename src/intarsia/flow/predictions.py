"""What ``predict`` answers for one strategy: seconds and bytes with their parts, and what was assumed."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.graph import Dtype, Model
from intarsia.machines.chips import efficiency_of
from intarsia.machines.clusters import Cluster
from intarsia.models.transformer import Transformer
from intarsia.place import Energy, Prediction, Strategy, energy_of, predict
from intarsia.place.refuse import refuse_strategy


@dataclass(frozen=True, slots=True)
class Ranks:
    """Where the devices of a degree are: device r is in node r // (devices of a node).

    Attributes:
        ranks: how many work together.
        stride: between the numbers of neighbours.
        nodes: over which a group of them spreads.
    """

    ranks: int
    stride: int
    nodes: int


@dataclass(frozen=True, slots=True)
class PredictAnswer:
    """A prediction for people.

    Attributes:
        model: its name.
        parameters: its weights.
        cluster: where it runs.
        prediction: the prediction.
        notes: what was assumed or ignored.
        energy: that it takes; None where nobody knows what the chip's work takes.
    """

    model: str
    parameters: int
    cluster: Cluster
    prediction: Prediction
    notes: tuple[str, ...]
    energy: Energy | None = None

    @property
    def samples_per_second(self) -> float:
        """Sequences or images of all devices."""
        return self.prediction.strategy.global_batch / self.prediction.seconds

    @property
    def tokens_per_second(self) -> float | None:
        """Of all devices; None for images."""
        return self.samples_per_second * self.prediction.strategy.sequence or None

    @property
    def device_hours(self) -> float:
        """Of one iteration."""
        return self.prediction.strategy.devices * self.prediction.seconds / 3600

    @property
    def ranks(self) -> dict[str, Ranks]:
        """Where the devices of each degree are."""
        return ranks_of(self.prediction.strategy, self.cluster)

    @property
    def parts(self) -> dict[str, float]:
        """Seconds of an iteration by part."""
        time = self.prediction.time
        return {
            "compute": time.compute,
            "communication": time.communication,
            "bubble": time.bubble,
            "optimizer": time.optimizer,
        }


def predict_strategy(
    model: Model, strategy: Strategy, cluster: Cluster, *, calibration: str = "", where: str = ""
) -> PredictAnswer:
    """Predicts a strategy that is given.

    Raises:
        InputError: the strategy is not possible on this model and cluster.
    """
    refuse_strategy(model, strategy, cluster, where=where)
    efficiency = efficiency_of(cluster.chip, calibration)
    used = cluster.first(strategy.devices)
    prediction = predict(model, strategy, used, efficiency)
    notes = notes_of(model, cluster, prediction)
    return PredictAnswer(model.name, model.parameters, cluster, prediction, notes, energy_of(model, used, prediction))


def ranks_of(strategy: Strategy, cluster: Cluster) -> dict[str, Ranks]:
    """Where the devices of each degree are; ranks are numbered tensor, context, data, pipeline, the first fastest."""
    tensor, context, data = strategy.tensor, strategy.context, strategy.data
    strides = {
        "tensor": (tensor, 1),
        "context": (context, tensor),
        "expert": (strategy.expert, tensor),
        "data": (data, tensor * context),
        "pipeline": (strategy.pipeline, tensor * context * data),
    }
    node = cluster.levels[0].devices
    found = {}
    for name, (ranks, stride) in strides.items():
        inside = min(ranks, max(node // stride, 1))
        found[name] = Ranks(ranks, stride, -(-ranks // inside))
    return found


def notes_of_sequence(model: Model, sequence: int) -> tuple[str, ...]:
    """What a sequence needs that the model does not have."""
    if not isinstance(model, Transformer) or not 0 < model.position_rows < sequence:
        return ()
    table = f"{model.name} has {model.position_rows} learned positions, the sequence {sequence} tokens"
    return (f"{table}: counted with a longer table, which must be trained anew",)


def notes_of(model: Model, cluster: Cluster, prediction: Prediction) -> tuple[str, ...]:
    """What a reader must know of a prediction."""
    strategy = prediction.strategy
    notes = [*notes_of_sequence(model, strategy.sequence)]
    replicas = strategy.data * strategy.microbatch
    if strategy.global_batch % replicas:
        whole = strategy.microbatches * replicas
        notes.append(f"the last microbatch of some replicas is smaller; counted as whole: {whole} sequences")
    if any(sum(counts) % strategy.interleave for counts in prediction.split.counts[1:-1]):
        notes.append(f"chunks differ in layers; counted as {strategy.interleave} equal ones a stage")
    if strategy.interleave > 1 and strategy.microbatches % strategy.pipeline:
        groups = f"{strategy.microbatches} microbatches are no multiple of {strategy.pipeline} stages"
        notes.append(f"{groups}, which interleaving needs: frameworks refuse it, or take longer than predicted")
    if strategy.sequence_parallel and strategy.tensor == 1:
        notes.append("sequence parallelism without tensor parallelism changes nothing")
    if strategy.dtype is Dtype.FP8 and cluster.chip.fp8_factor == 1:
        notes.append(f"{cluster.chip.name} has no faster 8-bit products: fp8 is counted at the 16-bit rate")
    if strategy.devices < cluster.devices:
        notes.append(f"{cluster.devices - strategy.devices} of {cluster.devices} devices are not used")
    notes.append(f"efficiencies: {prediction.efficiency.source}")
    notes += [f"assumed of {cluster.chip.name}: {text}" for text in cluster.chip.assumed]
    if not prediction.fits:
        memory = prediction.memory[prediction.fullest]
        over = (memory.total - prediction.capacity) / 2**30
        largest = max(memory.kinds(), key=lambda kind: memory.kinds()[kind])
        notes.append(f"does not fit: stage {prediction.fullest} is {over:.1f} GiB over, most of it {largest}")
    return tuple(notes)
