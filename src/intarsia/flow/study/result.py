"""What a study answers, as it is kept: every figure of the report stands here, so that the report computes nothing.

Times are seconds, sizes bytes, areas mm², rates per second. ``None`` is a value that there is not.
"""

from __future__ import annotations

from intarsia.flow.study.file import Study
from intarsia.flow.study.model_records import ModelRecord
from intarsia.flow.study.record import Record
from intarsia.ground.units import seconds_text

VERSION = 1
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
