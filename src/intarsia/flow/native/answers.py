"""What ``run`` and ``bench`` answer of native code: plain values. Times are seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from intarsia.flow.runs import geometric_mean


@dataclass(frozen=True, slots=True)
class Times:
    """How long equal runs took.

    Attributes:
        least, middle: minimum and median.
        runs: how many.
    """

    least: float
    middle: float
    runs: int


def times_of(seconds: list[float]) -> Times:
    """Minimum and median of at least one run."""
    return Times(min(seconds), median(seconds), len(seconds))


@dataclass(frozen=True, slots=True)
class Peak:
    """What the processor does at its best, measured in the same run.

    Attributes:
        instruction: of the catalogue.
        calls: in a second, of all threads together.
        lanes: of a call.
    """

    instruction: str
    calls: float
    lanes: int

    def part(self, iterations: int, seconds: float) -> float:
        """The part of the peak that iterations of an operator in some seconds are, 0 to 1."""
        return iterations / (seconds * self.calls * self.lanes)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A plan that was measured: predicted cycles, and the seconds of its fastest run."""

    cycles: float
    seconds: float


@dataclass(frozen=True, slots=True)
class NativeAnswer:
    """An operator that ran as native code.

    Attributes:
        operator: what ran, as text.
        processor: its name.
        correct: whether the result is the reference's: bit for bit, floating-point sums within their error bound.
        threads, seed: of the run.
        features: the level that code could use.
        times: of a call.
        peak: measured in the same run, None where the operator ran without code.
        part: of the peak, 0 to 1.
        words: the embedding in words.
        plan: the embedding as a loop nest, and how it is executed.
        cycles: predicted.
        ranked: plans that were measured, in the order of their prediction.
        tau: rank correlation of prediction and measurement, None for fewer than two plans, or ties.
        regret: how much slower the plan that is predicted to be fastest was than the fastest, None without measurement.
        notes: what a user should know.
    """

    operator: str
    processor: str
    correct: bool
    threads: int
    seed: int
    features: str
    times: Times
    peak: Peak | None
    part: float | None
    words: str
    plan: str
    cycles: float | None
    ranked: tuple[Ranked, ...] = ()
    tau: float | None = None
    regret: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rival:
    """A library on one shape: its times, or why it has none.

    Attributes:
        library: its name and version.
        form: dtype of its result.
        times: None if it did not run.
        why: the reason: absent, not able, wrong.
    """

    library: str
    form: str = ""
    times: Times | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Ours:
    """Our kernel on one shape, with one dtype of the result; ``bound`` is what is predicted to take most time."""

    form: str
    correct: bool
    times: Times
    part: float
    words: str
    notes: tuple[str, ...] = ()
    bound: str = ""


@dataclass(frozen=True, slots=True)
class BenchedShape:
    """One shape of a suite.

    Attributes:
        name, group: of the shape.
        operator: as text.
        peak: measured while the shape ran.
        ours: with each dtype of the result that was asked for.
        rivals: the libraries.
        refused: why it did not run, empty if it did.
        count: how often the suite has it.
    """

    name: str
    group: str
    operator: str
    peak: Peak | None
    ours: tuple[Ours, ...]
    rivals: tuple[Rival, ...]
    refused: str = ""
    count: int = 1

    @property
    def correct(self) -> bool:
        """Whether all of ours are right."""
        return not self.refused and all(one.correct for one in self.ours)

    def ratio(self, rival: Rival) -> float | None:
        """The library's least time over that of ours with the same dtype of the result."""
        same = [one for one in self.ours if one.form == rival.form]
        if rival.times is None or not same:
            return None
        return rival.times.least / same[0].times.least

    @property
    def best(self) -> Rival | None:
        """The library that is ahead of the others, None if none ran."""
        ran = [(self.ratio(r), i) for i, r in enumerate(self.rivals)]
        told = [(ratio, i) for ratio, i in ran if ratio is not None]
        return self.rivals[min(told)[1]] if told else None

    @property
    def speedup(self) -> float | None:
        """The best library's time over ours, None if none ran."""
        return None if self.best is None else self.ratio(self.best)

    @property
    def compared(self) -> Ours | None:
        """Ours with the dtype of the best library's result, the first one without a library."""
        form = self.best.form if self.best else None
        return next((one for one in self.ours if form is None or one.form == form), None)


@dataclass(frozen=True, slots=True)
class Goal:
    """What a group of shapes must show: the geometric mean of the ratios to the best library, and the least one."""

    mean: float
    least: float


@dataclass(frozen=True, slots=True)
class NativeBench:
    """A suite on this processor.

    Attributes:
        suite, processor: their names.
        core: that everything ran on.
        threads, seed, seconds: of the run; seconds of all of it.
        shapes: in the order of the suite.
        goals: group to what it must show.
        features: the level that our code could use.
        kept: how many of the shapes were timed by a run before.
    """

    suite: str
    processor: str
    core: int
    threads: int
    seed: int
    seconds: float
    shapes: tuple[BenchedShape, ...]
    goals: dict[str, Goal] = field(default_factory=dict)
    features: str = ""
    kept: int = 0

    @property
    def correct(self) -> bool:
        """Whether every shape ran, and right."""
        return all(shape.correct for shape in self.shapes)

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups, in the order of the suite."""
        return tuple(dict.fromkeys(shape.group for shape in self.shapes))

    def ratios(self, group: str) -> list[float]:
        """Ratios to the best library of the shapes of a group that have one."""
        found = [shape.speedup for shape in self.shapes if shape.group == group]
        return [ratio for ratio in found if ratio is not None]

    def mean(self, group: str) -> float | None:
        """Their geometric mean, None without any."""
        return geometric_mean(self.ratios(group))

    @property
    def slowest(self) -> tuple[tuple[float, BenchedShape], ...]:
        """Ratio and shape of those that have a library, the least ratio first."""
        found = [(shape.speedup, shape) for shape in self.shapes]
        return tuple(sorted(((r, s) for r, s in found if r is not None), key=lambda entry: entry[0]))
