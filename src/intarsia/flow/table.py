"""A table of runs: a strategy and a model in each row, predicted; compared where it says what was measured."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from statistics import median

from intarsia.flow.cells import read_csv, read_positive, read_truth, read_whole
from intarsia.flow.predictions import predict_strategy
from intarsia.flow.strategies import Flags, Sizes, named_model, read_strategy, sized_model
from intarsia.graph import Model
from intarsia.ground import InputError
from intarsia.machines.clusters import read_cluster
from intarsia.place import Strategy

SIZES = ("hidden", "heads", "layers")
NEEDED = ("tp", "dp", "pp", "global_batch", "microbatch", "seq")
DEFAULTS = {
    "cp": 1,
    "ep": 1,
    "interleave": 1,
    "zero": 0,
    "kv_heads": 0,
    "ffn": 0,
    "vocab": 0,
    "experts": 0,
    "top_k": 0,
}
TRUTHS = ("sequence_parallel", "gated")
WORDS = ("recompute", "attention", "dtype", "grad_dtype", "schedule")
KNOWN = (*SIZES, *NEEDED, *DEFAULTS, *TRUTHS, *WORDS, "model", "gpus", "iteration_ms")
ADDED = ("predicted_ms", "predicted_gib", "fits")
TOLD = 200
"""Rows between two words of progress: about a second."""
ALIKE = 0.8
"""How like a column that is read (0 to 1) another one may be before it is taken for a slip of the pen."""


@dataclass(frozen=True, slots=True)
class Row:
    """One run of a table.

    Attributes:
        line: of the file, from 1.
        cells: as read.
        model: what runs.
        strategy: how.
        measured: seconds of an iteration; 0 where the table does not say.
    """

    line: int
    cells: dict[str, str]
    model: Model
    strategy: Strategy
    measured: float


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a table is predicted.

    Attributes:
        rows: compared.
        mape: mean of |predicted ÷ measured − 1|.
        median: its median.
        tau: Kendall's τ-b within equal model, gpus and global batch; None where no group has two runs.
        regret: mean of (measured time of the run that prediction chooses ÷ best measured − 1) over such groups.
        groups: how many there are.
    """

    rows: int
    mape: float
    median: float
    tau: float | None
    regret: float | None
    groups: int


@dataclass(frozen=True, slots=True)
class TableAnswer:
    """A predicted table."""

    rows: int
    text: str
    quality: Quality | None


def read_runs(path: Path, defaults: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    """The columns and the runs of a CSV file; lines that begin with # are comments.

    Args:
        path: the file.
        defaults: words for the columns that the file lacks; an empty one must come from the file.

    Raises:
        InputError: a column is missing, unknown values, or a strategy that is not possible; with file and line.
    """
    table = read_csv(path, what="table")
    columns = table.columns
    missing = [name for name in NEEDED if name not in columns]
    missing += [name for name in SIZES if name not in columns and "model" not in columns]
    missing += [name for name in WORDS if name not in columns and not defaults.get(name)]
    if missing:
        raise InputError(
            "the table lacks columns",
            where=str(path),
            value=", ".join(missing),
            allowed=", ".join(KNOWN),
            hint=" ".join(f"--{name.replace('_', '-')}" for name in missing if name in WORDS),
        )
    for name in columns:
        near = get_close_matches(name.lower(), KNOWN, n=1, cutoff=ALIKE) if name not in (*KNOWN, *ADDED) else []
        if near and near[0] not in columns:
            raise InputError(
                "a column is almost one of those that are read", where=str(path), value=name, hint=f"{near[0]}"
            )
    return columns, tuple(_row(f"{path}, line {line}", line, cells, defaults) for line, cells in table.rows)


def _row(where: str, line: int, cells: dict[str, str], defaults: Mapping[str, str]) -> Row:
    number = {name: read_whole(cells.get(name, ""), name, where, default=usual) for name, usual in DEFAULTS.items()}
    number |= {name: read_whole(cells[name], name, where) for name in NEEDED}
    truth = {name: read_truth(cells.get(name, ""), name, where) for name in TRUTHS}
    word = {name: cells.get(name) or defaults.get(name, "") for name in WORDS}
    product = number["tp"] * number["pp"] * number["dp"] * number["cp"]
    model = _model(cells, number, gated=truth["gated"], where=where)
    strategy = read_strategy(
        Flags(
            gpus=read_whole(cells.get("gpus", ""), "gpus", where, default=product),
            tp=number["tp"],
            pp=number["pp"],
            dp=number["dp"],
            cp=number["cp"],
            ep=number["ep"],
            microbatch=number["microbatch"],
            global_batch=number["global_batch"],
            seq=number["seq"],
            recompute=word["recompute"],
            sequence_parallel=truth["sequence_parallel"],
            interleave=number["interleave"],
            zero=number["zero"],
            attention=word["attention"],
            dtype=word["dtype"],
            grad_dtype=word["grad_dtype"],
            schedule=word["schedule"],
        ),
        where=where,
    )
    text = cells.get("iteration_ms", "")
    measured = read_positive(text, "iteration_ms", where) / 1e3 if text else 0.0
    return Row(line, cells, model, strategy, measured)


def _model(cells: dict[str, str], number: dict[str, int], *, gated: bool, where: str) -> Model:
    try:
        if cells.get("model"):
            return named_model(cells["model"])
        hidden, heads, layers = (read_whole(cells.get(name, ""), name, where, least=1) for name in SIZES)
        optional = {name: number[name] for name in ("kv_heads", "ffn", "vocab", "experts", "top_k")}
        return sized_model(Sizes(hidden, heads, layers, gated=gated, **optional), number["seq"])
    except InputError as error:
        raise error.at(error.where or where) from error


def predict_table(
    path: Path,
    cluster: str,
    defaults: Mapping[str, str],
    *,
    calibration: str = "",
    told: Callable[[int, int], None] | None = None,
) -> TableAnswer:
    """Predicts every row; the answer's text is the table with three more columns.

    Args:
        path: the table.
        cluster: ``NAME`` (each row takes its own number of devices), ``NAMExN`` or a file.
        defaults: see ``read_runs``.
        calibration: a file of efficiencies; empty for what is shipped.
        told: is told how many rows are done, and of how many.
    """
    columns, rows = read_runs(path, defaults)
    output = io.StringIO()
    writer = csv.DictWriter(output, [name for name in columns if name not in ADDED] + list(ADDED), lineterminator="\n")
    writer.writeheader()
    predicted = []
    for done, row in enumerate(rows, 1):
        where = f"{path}, line {row.line}"
        of_row = read_cluster(cluster, devices=row.strategy.devices)
        answer = predict_strategy(row.model, row.strategy, of_row, calibration=calibration, where=where)
        found = answer.prediction
        predicted.append(found.seconds)
        cells = {name: text for name, text in row.cells.items() if name not in ADDED}
        cells["predicted_ms"] = f"{found.seconds * 1e3:.3f}"
        cells["predicted_gib"] = f"{found.memory[found.fullest].total / 2**30:.2f}"
        cells["fits"] = "true" if found.fits else "false"
        writer.writerow(cells)
        if told and done % TOLD == 0:
            told(done, len(rows))
    measured = [(row, seconds) for row, seconds in zip(rows, predicted, strict=True) if row.measured]
    return TableAnswer(len(rows), output.getvalue(), quality(measured) if measured else None)


def quality(predicted: list[tuple[Row, float]]) -> Quality:
    """Errors, and ranks within equal model, gpus and global batch."""
    errors = [abs(seconds / row.measured - 1) for row, seconds in predicted]
    groups = defaultdict(list)
    for row, seconds in predicted:
        strategy = row.strategy
        groups[row.model, strategy.devices, strategy.global_batch, strategy.sequence].append((seconds, row.measured))
    several = [runs for runs in groups.values() if len(runs) > 1]
    taus = [tau for tau in (_kendall(runs) for runs in several) if tau is not None]
    regrets = [min(runs)[1] / min(measured for _, measured in runs) - 1 for runs in several]
    return Quality(
        rows=len(errors),
        mape=sum(errors) / len(errors),
        median=median(errors),
        tau=sum(taus) / len(taus) if taus else None,
        regret=sum(regrets) / len(regrets) if regrets else None,
        groups=len(several),
    )


def _kendall(runs: list[tuple[float, float]]) -> float | None:
    """τ-b; None where one side is all ties."""
    from intarsia.solvers.ranks import kendall

    return kendall([predicted for predicted, _ in runs], [measured for _, measured in runs])
