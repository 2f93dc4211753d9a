"""What the flow answers: everything that the command line prints, computed; a printer only chooses words.

Times are seconds, sizes bytes, unless a name says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from pathlib import Path
from typing import TypeAlias

from intarsia.embed.embedding import Embedding
from intarsia.embed.scalar import Call
from intarsia.machines import Instruction
from intarsia.operators import Operator
from intarsia.solvers import Outcome

Fit: TypeAlias = Embedding | Call
"""A solution of an axis-level space, or of the scalar one."""


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked of an embedding.

    Attributes:
        operator, instruction: what is embedded in what.
        space: aligned, fused, skewed or scalar.
        require, prefer: as given; what is preferred most comes first.
        limit: seconds of wall time.
    """

    operator: Operator
    instruction: Instruction
    space: str = "fused"
    require: tuple[str, ...] = ()
    prefer: tuple[str, ...] = ("calls", "duplicated")
    limit: float = 60.0


@dataclass(frozen=True, slots=True)
class Counts:
    """How many embeddings there are.

    Attributes:
        total: of all that meet the requirements.
        classes: of them modulo symmetry.
        complete: whether the counting ended; if not, there are at least so many.
    """

    total: int
    classes: int
    complete: bool


@dataclass(frozen=True, slots=True)
class EmbedAnswer:
    """The answer to a question.

    Attributes:
        question: what was asked.
        outcome: the best solution with its bound, or why there is none.
        counts: of all solutions, None where nothing was counted.
        measures: (name, value) of the best solution: calls, padded lanes, duplicated bytes, moved bytes.
        listed: all solutions if they were asked for, else none.
    """

    question: Question
    outcome: Outcome[Fit]
    counts: Counts | None
    measures: tuple[tuple[str, int], ...]
    listed: tuple[Fit, ...]


@dataclass(frozen=True, slots=True)
class CompileAnswer:
    """A compiled operator in a folder.

    Attributes:
        operator: what was compiled.
        target, configuration: what for, as text.
        embedding: how.
        fixed: whether the embedding is the reference's own.
        folder: where the files are.
        files: (name, bytes) of each file.
        instructions: length of the program.
        cycles: predicted.
    """

    operator: Operator
    target: str
    configuration: str
    embedding: Embedding
    fixed: bool
    folder: Path
    files: tuple[tuple[str, int], ...]
    instructions: int
    cycles: int


@dataclass(frozen=True, slots=True)
class UnitShare:
    """Where the cycles of one unit went, as (cause, cycles), in the order of the timing model."""

    unit: str
    cycles: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Execution:
    """One program, run once.

    Attributes:
        embedding: how the operator was run.
        correct: whether the output equals the reference interpreter's, bit for bit.
        calls: of the instruction, those left out because they read only padding not counted.
        cycles: on the device, None where the target has no timing model.
        bound: proved lower bound on the cycles of any program for this operator, None likewise.
        read, written: bytes that the device moved.
        utilisation: iterations of the operator per lane and cycle, 0 to 1.
        units: where the cycles went.
        host_bytes, host_seconds: layout work on the host before the run.
    """

    embedding: Embedding
    correct: bool
    calls: int
    cycles: int | None = None
    bound: int | None = None
    read: int = 0
    written: int = 0
    utilisation: float = 0.0
    units: tuple[UnitShare, ...] = ()
    host_bytes: int = 0
    host_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class RunAnswer:
    """An operator run on a target, with the chosen and with the fixed embedding.

    Attributes:
        operator: what was run.
        target, configuration: on what, as text.
        seed: of the inputs.
        chosen, fixed: the two executions; no fixed one where the target has no reference.
    """

    operator: Operator
    target: str
    configuration: str
    seed: int
    chosen: Execution
    fixed: Execution | None

    @property
    def correct(self) -> bool:
        """Whether every execution gave the reference's bits."""
        return self.chosen.correct and (self.fixed is None or self.fixed.correct)

    @property
    def speedup(self) -> float | None:
        """Cycles of the fixed embedding over those of the chosen one."""
        if self.fixed is None or self.fixed.cycles is None or not self.chosen.cycles:
            return None
        return self.fixed.cycles / self.chosen.cycles


@dataclass(frozen=True, slots=True)
class BenchRow:
    """One layer of a suite: its name, how often it occurs, and its run; or why it could not be run."""

    name: str
    count: int
    run: RunAnswer | None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class BenchAnswer:
    """A suite of layers."""

    suite: str
    target: str
    configuration: str
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
    def mean_gap(self) -> float | None:
        """The geometric mean of cycles over their lower bound."""
        chosen = [row.run.chosen for row in self.rows if row.run is not None]
        return geometric_mean([e.cycles / e.bound for e in chosen if e.cycles and e.bound])

    @property
    def correct(self) -> bool:
        """Whether every layer ran, and right."""
        return all(row.run is not None and row.run.correct for row in self.rows)


def geometric_mean(values: list[float]) -> float | None:
    """The geometric mean of positive values, None of none."""
    return exp(sum(map(log, values)) / len(values)) if values else None
