"""A table of runs: a strategy and a model in each row, predicted; compared where it says what was measured."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from intarsia.flow.predictions import predict_strategy
from intarsia.flow.strategies import Flags, Sizes, named_model, read_strategy, sized_model
from intarsia.graph import Model
from intarsia.ground import InputError
from intarsia.machines.clusters import read_cluster
from intarsia.place import Strategy

NEEDED = ("hidden", "heads", "layers", "tp", "dp", "pp", "global_batch", "microbatch", "seq")
DEFAULTS = {
    "cp": 1,
    "ep": 1,
    "interleave": 1,
    "zero": 0,
    "sequence_parallel": 0,
    "kv_heads": 0,
    "ffn": 0,
    "gated": 0,
    "vocab": 0,
    "experts": 0,
    "top_k": 0,
}
WORDS = ("recompute", "attention", "dtype", "grad_dtype", "schedule")
TRUTH = {"true": 1, "false": 0, "yes": 1, "no": 0}


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
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("cannot read the table", where=str(path), value=str(error)) from error
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line and not line.startswith("#")]
    if len(lines) < 2:
        raise InputError("the table has no rows", where=str(path))
    reader = csv.DictReader(io.StringIO("\n".join(line for _, line in lines)))
    columns = tuple(reader.fieldnames or ())
    missing = [name for name in NEEDED if name not in columns and not (name == "hidden" and "model" in columns)]
    if "model" in columns:
        missing = [name for name in missing if name not in ("hidden", "heads", "layers")]
    missing += [name for name in WORDS if name not in columns and not defaults.get(name)]
    if missing:
        raise InputError(
            "the table lacks columns",
            where=str(path),
            value=", ".join(missing),
            allowed=", ".join((*NEEDED, *DEFAULTS, *WORDS, "model", "gpus", "iteration_ms")),
            hint=" ".join(f"--{name.replace('_', '-')}" for name in missing if name in WORDS),
        )
    return columns, tuple(
        _row(f"{path}, line {number}", number, cells, defaults)
        for (number, _), cells in zip(lines[1:], reader, strict=True)
    )


def _row(where: str, line: int, cells: dict[str, str], defaults: Mapping[str, str]) -> Row:
    if None in cells or None in cells.values():
        raise InputError("the row has more or fewer cells than the table has columns", where=where)
    number = {name: _integer(cells.get(name, ""), name, where, default) for name, default in DEFAULTS.items()}
    number |= {name: _integer(cells.get(name, ""), name, where, None) for name in NEEDED if name in cells}
    word = {name: cells.get(name) or defaults.get(name, "") for name in WORDS}
    product = number["tp"] * number["pp"] * number["dp"] * number["cp"]
    strategy = read_strategy(
        Flags(
            gpus=_integer(cells.get("gpus", ""), "gpus", where, product),
            tp=number["tp"],
            pp=number["pp"],
            dp=number["dp"],
            cp=number["cp"],
            ep=number["ep"],
            microbatch=number["microbatch"],
            global_batch=number["global_batch"],
            seq=number["seq"],
            recompute=word["recompute"],
            sequence_parallel=bool(number["sequence_parallel"]),
            interleave=number["interleave"],
            zero=number["zero"],
            attention=word["attention"],
            dtype=word["dtype"],
            grad_dtype=word["grad_dtype"],
            schedule=word["schedule"],
        ),
        where=where,
    )
    return Row(line, cells, _model(cells, number, where), strategy, _milliseconds(cells, where) / 1e3)


def _model(cells: dict[str, str], number: dict[str, int], where: str) -> Model:
    if cells.get("model"):
        return named_model(cells["model"])
    sizes = Sizes(
        hidden=number["hidden"],
        heads=number["heads"],
        layers=number["layers"],
        kv_heads=number["kv_heads"],
        ffn=number["ffn"],
        gated=bool(number["gated"]),
        vocab=number["vocab"],
        experts=number["experts"],
        top_k=number["top_k"],
    )
    try:
        return sized_model(sizes, number["seq"])
    except InputError as error:
        raise InputError(error.what, where=where, value=error.value, allowed=error.allowed, hint=error.hint) from error


def _integer(text: str, name: str, where: str, default: int | None) -> int:
    if not text.strip():
        if default is None:
            raise InputError(f"{name} is empty", where=where, allowed="a number")
        return default
    if text.strip().lower() in TRUTH:
        return TRUTH[text.strip().lower()]
    try:
        return int(text)
    except ValueError:
        raise InputError(f"{name} is no whole number", where=where, value=text) from None


def _milliseconds(cells: dict[str, str], where: str) -> float:
    text = cells.get("iteration_ms", "")
    if not text.strip():
        return 0.0
    try:
        value = float(text)
    except ValueError:
        raise InputError("iteration_ms is no number", where=where, value=text) from None
    if not 0 < value < float("inf"):
        raise InputError("iteration_ms is not positive", where=where, value=text)
    return value


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
    added = ("predicted_ms", "predicted_gib", "fits")
    writer = csv.DictWriter(output, [name for name in columns if name not in added] + list(added), lineterminator="\n")
    writer.writeheader()
    predicted = []
    for done, row in enumerate(rows, 1):
        where = f"{path}, line {row.line}"
        of_row = read_cluster(cluster, devices=row.strategy.devices)
        answer = predict_strategy(row.model, row.strategy, of_row, calibration=calibration, where=where)
        found = answer.prediction
        predicted.append(found.seconds)
        cells = {name: text for name, text in row.cells.items() if name not in added}
        cells["predicted_ms"] = f"{found.seconds * 1e3:.3f}"
        cells["predicted_gib"] = f"{found.memory[found.fullest].total / 2**30:.2f}"
        cells["fits"] = "true" if found.fits else "false"
        writer.writerow(cells)
        if told:
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
