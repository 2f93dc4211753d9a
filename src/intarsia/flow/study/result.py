"""What a study answers, as it is kept: every figure of the report stands here, so that the report computes nothing.

Times are seconds, sizes bytes, areas mm², rates per second. ``None`` is a value that there is not.
"""

from __future__ import annotations

import msgspec

from intarsia.flow.study.file import Study
from intarsia.ground.units import seconds_text

VERSION = 1
SCHEMA = f"intarsia.result/{VERSION}"


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a result: unknown fields are refused, for a new field is a new version."""


class Made(Record, frozen=True):
    """How the result was made.

    Attributes:
        version: of the package.
        at: when it was ready, UTC, ISO 8601.
        seconds: of everything.
        workers: processes.
        command: what does it again.
    """

    version: str
    at: str
    seconds: float
    workers: int
    command: str


class Part(Record, frozen=True):
    """Equal parts of a chip.

    Attributes:
        name: what they are.
        count: how many.
        detail: the size of one.
        area: of all of them, mm².
        watts, dollars: of all of them, where a model knows them.
    """

    name: str
    count: int
    detail: str
    area: float
    watts: float | None = None
    dollars: float | None = None


class ChipRecord(Record, frozen=True):
    """A chip.

    Attributes:
        name: its name.
        text: its sizes in a line.
        fields: each size by name, as text with its unit.
        parts: what takes area; empty where no area is known.
        area: of all parts; None where none is known.
        budget: what the area may be; None without a search.
        peak_flops: dense bf16 operations per second.
        hbm_bytes, hbm_bandwidth: of the memory beside the die.
        source: where the figures are from.
        assumed: each figure that was not published, with the value taken.
        efficiency: where its efficiencies are from.
    """

    name: str
    text: str
    fields: dict[str, str]
    parts: tuple[Part, ...]
    area: float | None
    budget: float | None
    peak_flops: float
    hbm_bytes: int
    hbm_bandwidth: float
    source: str
    assumed: tuple[str, ...]
    efficiency: str


class AuditRecord(Record, frozen=True):
    """Removed chips that were evaluated after all: how many, which were better (none may be), the best seconds."""

    checked: int
    beaten: tuple[str, ...]
    worst: float | None


class SearchRecord(Record, frozen=True):
    """The certificate of a search of chips.

    Attributes:
        space: its name.
        combinations, points: all, and those within the budget.
        objective: what is best.
        unit: of its values; ``s`` for seconds.
        value, bound: of the best chip, and what no chip can beat.
        gap: 1 − bound ÷ value.
        evaluated: chips whose best plan is known.
        removed: other chips by what removed them.
        seconds: of the search without the audit.
        audit: its check by drawn samples; None without.
    """

    space: str
    combinations: int
    points: int
    objective: str
    unit: str
    value: float
    bound: float
    gap: float
    evaluated: int
    removed: dict[str, int]
    seconds: float
    audit: AuditRecord | None

    def text(self, value: float) -> str:
        """A value or a bound with its unit."""
        return seconds_text(value) if self.unit == "s" else f"{value:.6g} {self.unit}".rstrip()


class MomentRecord(Record, frozen=True):
    """The search at a time: seconds since its start, the best so far, the bound, chips looked at and left."""

    seconds: float
    best: float | None
    bound: float | None
    looked: int
    left: int


class LookedRecord(Record, frozen=True):
    """A chip that was looked at.

    Attributes:
        name: its sizes in a line.
        fields: each size by name.
        area: mm².
        value: of the objective under its best plan; None where it was left before that was known.
        bound: what no plan on it can beat; None where nothing fits.
        seconds: of each model's best plan, by its name; None where that is not known.
        front: of ``area``, ``watts`` and ``dollars`` those of which every evaluated chip as good as it needs more.
        chosen: the best one.
        watts, dollars: where a model knows them.
    """

    name: str
    fields: dict[str, str]
    area: float
    value: float | None
    bound: float | None
    seconds: dict[str, float | None]
    front: tuple[str, ...]
    chosen: bool
    watts: float | None = None
    dollars: float | None = None


class FrontRecord(Record, frozen=True):
    """The best chip of a smaller area.

    Attributes:
        budget: mm².
        name, area: of the chip; empty and None where no plan fits.
        value, bound, gap: as of the search.
        seconds: of this search.
    """

    budget: float
    name: str
    area: float | None
    value: float | None
    bound: float | None
    gap: float
    seconds: float


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
        within: whether that is within the budget; None without one.
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


class Figure(Record, frozen=True):
    """How the figures of one section were made: by which command or function, and on what they rest."""

    section: str
    made: str
    rests: tuple[str, ...]


class Result(Record, frozen=True):
    """The answer to a study.

    Attributes:
        schema: which form this is.
        made: how.
        study: what was asked.
        title: of the report.
        sentence: the answer.
        devices: chips of the cluster.
        network: the cluster's, level by level, as text.
        chip: which is best, or was given; None where no plan fits.
        search: the certificate; None for a fixed chip.
        history: the search over time.
        looked: every chip that was looked at, by the searches of smaller areas too.
        front: the best chips of smaller areas.
        models: what is said of each.
        figures: how each section was made.
        absent: sections that there are not, with the reason.
    """

    schema: str
    made: Made
    study: Study
    title: str
    sentence: str
    devices: int
    network: tuple[str, ...]
    chip: ChipRecord | None
    search: SearchRecord | None
    history: tuple[MomentRecord, ...]
    looked: tuple[LookedRecord, ...]
    front: tuple[FrontRecord, ...]
    models: tuple[ModelRecord, ...]
    figures: tuple[Figure, ...]
    absent: dict[str, str]
