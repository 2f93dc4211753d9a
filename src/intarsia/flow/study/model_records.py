"""What a result says of one model: its plan, bytes, seconds, timelines, embeddings, neighbours and other chips.

Times are seconds, sizes bytes, areas mm², rates per second. ``None`` is a value that there is not.
"""

from __future__ import annotations

from intarsia.flow.study.record import Record


class EnergyRecord(Record, frozen=True):
    """The energy of an iteration.

    Attributes:
        joules: of all devices that the plan uses.
        per_sample, per_token: of them, for a sequence or an image, and for a token; no tokens for images.
        mean_watts, peak_watts: of one device.
        parts: joules of all devices by part.
        watts, peaks: of one device by part: its mean, and if it were busy all over.
    """

    joules: float
    per_sample: float
    per_token: float | None
    mean_watts: float
    peak_watts: float
    parts: dict[str, float]
    watts: dict[str, float]
    peaks: dict[str, float]


class PlanRecord(Record, frozen=True):
    """The best plan of a model.

    Attributes:
        seconds: of an iteration.
        interval: seconds between which nine measurements in ten are expected.
        bound: no plan on this chip takes less.
        samples, tokens: per second; no tokens for images.
        mfu: of the devices' peak.
        strategy: degrees and switches by name, as text.
        stages: layers of each stage, as text.
        idle: devices that it leaves unused.
        notes: what was assumed or ignored.
        energy: what an iteration takes; None where nobody knows what the chip's work takes.
    """

    seconds: float
    interval: tuple[float, float]
    bound: float
    samples: float
    tokens: float | None
    mfu: float
    strategy: dict[str, str]
    stages: tuple[str, ...]
    idle: int
    notes: tuple[str, ...]
    energy: EnergyRecord | None = None


class MemoryRecord(Record, frozen=True):
    """Bytes of one device of each stage by kind, against a device's capacity."""

    capacity: int
    stages: tuple[dict[str, int], ...]


class Bar(Record, frozen=True):
    """A slice of a timeline: its line, its name and kind, start and finish in seconds."""

    line: int
    name: str
    kind: str
    start: float
    finish: float


class Gantt(Record, frozen=True):
    """A timeline.

    Attributes:
        title: what it shows.
        lines: names of the lines from the top.
        bars: what runs on them.
        end: seconds.
        facts: what to know of it, by name.
    """

    title: str
    lines: tuple[str, ...]
    bars: tuple[Bar, ...]
    end: float
    facts: dict[str, str]


class OperatorTime(Record, frozen=True):
    """An operator of the model's layers, on all cores of its kind.

    Attributes:
        name: layer, pass and node.
        kind: of core: tensor, vector, network.
        seconds: of one microbatch through all layers.
        share: of all operators' seconds.
        binds: the roof that binds it.
    """

    name: str
    kind: str
    seconds: float
    share: float
    binds: str


class TimeRecord(Record, frozen=True):
    """Where an iteration's seconds go: its parts, which add up, and operators one by one."""

    parts: dict[str, float]
    operators: tuple[OperatorTime, ...]
    others: float


class EmbeddingRecord(Record, frozen=True):
    """How a dominant operator runs on a tensor core.

    Attributes:
        operator: its text.
        names: nodes that ask for it.
        share: of all operators' seconds.
        instruction: of one tensor core.
        nest: the loop nest of the embedding.
        calls: how many.
        utilisation: iterations per lane of a call.
        facts: what else to know of it.
    """

    operator: str
    names: tuple[str, ...]
    share: float
    instruction: str
    nest: str
    calls: int
    utilisation: float
    facts: str


class Neighbour(Record, frozen=True):
    """The best plan after one change of a resource.

    Attributes:
        resource: what was changed.
        change: less or more.
        before, after: its values, with units.
        seconds: of the best plan then; None where nothing fits.
        times: over the seconds without the change.
        area: of the chip then; None where no area is known.
        within: whether the chip is within the space's budgets; None without any.
        because: why there is no plan, or what was not proved; empty otherwise.
    """

    resource: str
    change: str
    before: str
    after: str
    seconds: float | None
    times: float | None
    area: float | None
    within: bool | None
    because: str


class Baseline(Record, frozen=True):
    """Another chip under its own best plan.

    Attributes:
        chip: its name.
        cluster: so many of them, in their own network.
        peak_flops, hbm_bytes, hbm_bandwidth: of one chip.
        seconds: of the best plan; None where nothing fits.
        interval: of the prediction.
        samples: per second.
        times: its seconds over the study's.
        plan: its degrees.
        because: why there is no plan, or what was not proved; empty otherwise.
        efficiency: where its efficiencies are from.
        assumed: of the chip.
    """

    chip: str
    cluster: str
    peak_flops: float
    hbm_bytes: int
    hbm_bandwidth: float
    seconds: float | None
    interval: tuple[float, float] | None
    samples: float | None
    times: float | None
    plan: str
    because: str
    efficiency: str
    assumed: tuple[str, ...]


class ModelRecord(Record, frozen=True):
    """What is said of one model.

    Attributes:
        name, parameters, sequence: of the model.
        folder: of the plan and its launch files, within the result's.
        plan: the best on the chip.
        memory, time: of the plan.
        schedule, pipeline: timelines; None where ``absent`` says why.
        embeddings: of the dominant operators.
        neighbours: sensitivity.
        baselines: other chips.
        absent: sections that there are not, with the reason.
    """

    name: str
    parameters: int
    sequence: int
    folder: str
    plan: PlanRecord
    memory: MemoryRecord
    time: TimeRecord
    schedule: Gantt | None
    pipeline: Gantt | None
    embeddings: tuple[EmbeddingRecord, ...]
    neighbours: tuple[Neighbour, ...]
    baselines: tuple[Baseline, ...]
    absent: dict[str, str]
