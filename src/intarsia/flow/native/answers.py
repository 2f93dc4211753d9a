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
    """Our kernel on one shape, with one dtype of the result."""

    form: str
    correct: bool
    times: Times
    part: float
    words: str
    notes: tuple[str, ...] = ()


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
    """

    suite: str
    processor: str
    core: int
    threads: int
    seed: int
    seconds: float
    shapes: tuple[BenchedShape, ...]
    goals: dict[str, Goal] = field(default_factory=dict)

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


@dataclass(frozen=True, slots=True)
class NodeRun:
    """A node of a model.

    Attributes:
        name, kind: the node's.
        library: times of ONNX Runtime, the node alone.
        ours: times of native code, None where there is none.
        correct: whether native code gave ONNX Runtime's bits.
        part: of the peak, 0 to 1.
        words: the embedding in words.
        why: why there is no native code, or what a user should know of it.
    """

    name: str
    kind: str
    library: Times
    ours: Times | None = None
    correct: bool = True
    part: float | None = None
    words: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class ModelRun:
    """A model that ran node by node.

    Attributes:
        path: of the file.
        processor: its name.
        threads, seed: of the run.
        nodes: in the order of the file.
        whole: times of ONNX Runtime for the whole model at once.
        peak: measured in the same run.
        same: whether the model's outputs are those of ONNX Runtime, floats within its tolerance of another fusion.
    """

    path: str
    processor: str
    threads: int
    seed: int
    nodes: tuple[NodeRun, ...]
    whole: Times
    peak: Peak
    same: bool

    @property
    def native(self) -> tuple[NodeRun, ...]:
        """The nodes that ran as native code."""
        return tuple(node for node in self.nodes if node.ours is not None)

    @property
    def correct(self) -> bool:
        """Whether every node gave ONNX Runtime's bits, and the model its outputs."""
        return self.same and all(node.correct for node in self.nodes)

    @property
    def seconds(self) -> float:
        """Of all nodes one after the other, native code where there is some."""
        return sum((node.ours or node.library).least for node in self.nodes)

    @property
    def library_seconds(self) -> float:
        """Of all nodes one after the other by ONNX Runtime."""
        return sum(node.library.least for node in self.nodes)

    @property
    def speedup(self) -> float | None:
        """ONNX Runtime's time for the nodes that have native code, over that of the code; None without such nodes."""
        if not self.native:
            return None
        return sum(n.library.least for n in self.native) / sum(n.ours.least for n in self.native if n.ours)
