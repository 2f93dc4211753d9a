"""What a study answers, as it is kept: every figure of the report stands here, so that the report computes nothing.

Times are seconds, sizes bytes, areas mm², rates per second. ``None`` is a value that there is not.
"""

from __future__ import annotations

from intarsia.flow.study.file import Study
from intarsia.flow.study.model_records import ModelRecord
from intarsia.flow.study.record import Record
from intarsia.flow.study.serving.records import ServedRecord
from intarsia.ground.units import seconds_text

VERSION = 2
SCHEMA = f"intarsia.result/{VERSION}"


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
        combinations, points: all, and those within the budget; each once for each number of devices.
        objective: what is best.
        unit: of its values; ``s`` for seconds.
        value, bound: of the best chip, and what no chip can beat.
        gap: 1 − bound ÷ value, or 1 − value ÷ bound where the highest is the best.
        evaluated: chips whose best plan is known.
        removed: other chips by what removed them.
        seconds: of the search without the audit.
        audit: its check by drawn samples; None without.
        sizes: by numbers of devices of which one was chosen, how many of the points.
        front: what else counted, ``area``, ``watt`` or ``dollar``; empty where the best chip alone was searched for.
        most: whether the highest value is the best; the bound is above it then.
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
    sizes: dict[str, int]
    front: str
    most: bool = False

    def text(self, value: float) -> str:
        """A value or a bound with its unit."""
        return seconds_text(value) if self.unit == "s" else f"{value:,.6g} {self.unit}".rstrip()


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
        devices: how many of it.
        fields: each size by name.
        area: of one, mm².
        value: of the objective under its best plan; None where it was left before that was known.
        bound: what no plan on it can beat; None where nothing fits.
        seconds: of each model's best plan, by its name; None where that is not known, none for a model that answers.
        front: of ``area``, ``watts`` and ``dollars`` those of which every evaluated cluster as good as it needs more.
        chosen: the best one.
        watts, dollars: of one, where a model knows them.
    """

    name: str
    devices: int
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
    """A chip of the front: no other one is as good whose cluster costs as little.

    Attributes:
        name, devices: which, and how many of it.
        cost: of the cluster, in what the front is of.
        value: of the objective.
        bound: what no chip is below whose cluster costs less than that of the next record.
        gap: 1 − bound ÷ value.
    """

    name: str
    devices: int
    cost: float
    value: float
    bound: float
    gap: float


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
        looked: every chip that was looked at.
        front: the chips of the front, by rising cost; empty where the best alone was searched for.
        models: what is said of each.
        figures: how each section was made.
        absent: sections that there are not, with the reason.
        served: what is said of a model that answers; None in a study that trains, and where nothing can be served so.
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
    served: ServedRecord | None = None
