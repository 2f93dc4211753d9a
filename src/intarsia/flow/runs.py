"""What ``compile``, ``run`` and ``bench`` answer: plain values, so that an answer can be kept as JSON and read back.

Times are seconds, sizes bytes, unless a name says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CompileAnswer:
    """A compiled operator in a folder.

    Attributes:
        operator: what was compiled, as text.
        target, configuration: what for, as text.
        nest: the embedding as a loop nest.
        tiling: how its loops were cut.
        fixed: whether the embedding is the reference's own.
        folder: where the files are.
        files: (name, bytes) of each file.
        instructions: length of the program.
        cycles: predicted.
        bound: cycles that no program can beat.
    """

    operator: str
    target: str
    configuration: str
    nest: str
    tiling: str
    fixed: bool
    folder: Path
    files: tuple[tuple[str, int], ...]
    instructions: int
    cycles: int
    bound: int


@dataclass(frozen=True, slots=True)
class UnitShare:
    """Where the cycles of one unit went, as (cause, cycles), in the order of the timing model."""

    unit: str
    cycles: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Bound:
    """Cycles that no program of an operator can beat, by what limits it; the largest counts."""

    compute: int
    read: int
    write: int

    @property
    def cycles(self) -> int:
        """The largest of the three."""
        return max(self.compute, self.read, self.write)


@dataclass(frozen=True, slots=True)
class Host:
    """Layout work on the host: at every run, and once for what is constant.

    Attributes:
        run_bytes, run_seconds: pack the inputs, unpack the output.
        once_bytes, once_seconds: pack weights and bias.
        source: where the seconds are from.
    """

    run_bytes: int
    run_seconds: float
    once_bytes: int
    once_seconds: float
    source: str


@dataclass(frozen=True, slots=True)
class Device:
    """What a target with a timing model says of one program.

    Attributes:
        cycles, seconds: predicted on the device.
        instructions: length of the program.
        bound: what no program can beat.
        read, written: bytes that the device moved.
        utilisation: iterations that can change the result, per lane and cycle, 0 to 1.
        units: where the cycles went.
        host: layout work.
        tiling: how the loops were cut.
    """

    cycles: int
    seconds: float
    instructions: int
    bound: Bound
    read: int
    written: int
    utilisation: float
    units: tuple[UnitShare, ...]
    host: Host
    tiling: str

    @property
    def gap(self) -> float:
        """Cycles beyond the bound, as a part of it."""
        return self.cycles / self.bound.cycles - 1


@dataclass(frozen=True, slots=True)
class Execution:
    """One program, run once.

    Attributes:
        nest: the embedding as a loop nest.
        correct: whether the output equals the reference interpreter's, bit for bit.
        calls: of the instruction, those left out because they read only padding not counted.
        device: what the timing model says, None where the target has none.
        all_calls: of the embedding, those included that read only padding.
    """

    nest: str
    correct: bool
    calls: int
    device: Device | None = None
    all_calls: int = 0


@dataclass(frozen=True, slots=True)
class RunAnswer:
    """An operator run on a target, with the chosen and with the fixed embedding.

    Attributes:
        operator: what was run, as text.
        target, configuration: on what, as text.
        seed: of the inputs.
        chosen, fixed: the two executions; no fixed one where the target has no reference. They are the same if the
            fixed embedding is the best.
        seconds: wall time of compiling, simulating and comparing.
    """

    operator: str
    target: str
    configuration: str
    seed: int
    chosen: Execution
    fixed: Execution | None
    seconds: float

    @property
    def correct(self) -> bool:
        """Whether every execution gave the reference's bits."""
        return self.chosen.correct and (self.fixed is None or self.fixed.correct)

    @property
    def speedup(self) -> float | None:
        """Cycles of the fixed embedding over those of the chosen one."""
        if self.fixed is None or self.fixed.device is None or self.chosen.device is None:
            return None
        return self.fixed.device.cycles / self.chosen.device.cycles

    @property
    def fewer_calls(self) -> float | None:
        """Calls of the fixed embedding over those of the chosen one, calls that read only padding included in both.

        The reference runs them too; programs made here leave them out, with either embedding.
        """
        return None if self.fixed is None else self.fixed.all_calls / max(1, self.chosen.all_calls)


@dataclass(frozen=True, slots=True)
class BenchRow:
    """One layer of a suite: its name, how often it occurs, and its run; or why it could not be run."""

    name: str
    count: int
    run: RunAnswer | None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class BenchAnswer:
    """A suite of layers.

    Attributes:
        suite, target, configuration: what ran on what, as text.
        seed: of the inputs.
        workers: processes.
        seconds: wall time of this run; layers that were kept from an earlier one cost nothing.
        rows: the layers in the order of the suite.
    """

    suite: str
    target: str
    configuration: str
    seed: int
    workers: int
    seconds: float
    rows: tuple[BenchRow, ...]

    @property
    def speedups(self) -> tuple[tuple[str, float], ...]:
        """(layer, speed-up over the fixed embedding), the least first."""
        runs = [(row.name, row.run.speedup) for row in self.rows if row.run is not None]
        return tuple(sorted(((n, s) for n, s in runs if s is not None), key=lambda pair: pair[1]))

    @property
    def mean_speedup(self) -> float | None:
        """The geometric mean over the layers that ran."""
        return geometric_mean([s for _, s in self.speedups])

    @property
    def call_ratios(self) -> tuple[tuple[str, float], ...]:
        """(layer, calls of the fixed embedding over those of the chosen one), the least first."""
        runs = [(row.name, row.run.fewer_calls) for row in self.rows if row.run is not None]
        return tuple(sorted(((n, s) for n, s in runs if s is not None), key=lambda pair: pair[1]))

    @property
    def mean_call_ratio(self) -> float | None:
        """The geometric mean over the layers that ran."""
        return geometric_mean([s for _, s in self.call_ratios])

    @property
    def gaps(self) -> tuple[tuple[str, float], ...]:
        """(layer, cycles beyond the lower bound as a part of it), the least first."""
        runs = [(row.name, row.run.chosen.device) for row in self.rows if row.run is not None]
        return tuple(sorted(((n, d.gap) for n, d in runs if d is not None), key=lambda pair: pair[1]))

    @property
    def mean_gap(self) -> float | None:
        """The geometric mean of cycles over their lower bound, less one."""
        mean = geometric_mean([1 + gap for _, gap in self.gaps])
        return None if mean is None else mean - 1

    @property
    def correct(self) -> bool:
        """Whether every layer ran, and right."""
        return all(row.run is not None and row.run.correct for row in self.rows)


def geometric_mean(values: list[float]) -> float | None:
    """The geometric mean of positive values, None of none."""
    return exp(sum(map(log, values)) / len(values)) if values else None
