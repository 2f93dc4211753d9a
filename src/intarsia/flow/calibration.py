"""What ``calibrate`` does: measured operators, then measured iterations, to a chip's efficiency and its errors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

from intarsia.cost.calibrate import Measured, OperatorFit, fit_operators
from intarsia.flow.cells import read_csv, read_positive, read_whole
from intarsia.flow.table import Quality, Row, quality, read_runs
from intarsia.graph import Contraction, Elementwise
from intarsia.ground import InputError
from intarsia.machines.chips import Chip, Efficiency, read_chip, write_efficiency
from intarsia.machines.clusters import read_cluster
from intarsia.place.calibrate import CrossValidation, Priced, Run, cross_validate, fit_iterations
from intarsia.place.refuse import refuse_strategy

FIRST = Efficiency(
    matmul=0.9,
    flash=0.32,
    memory=0.75,
    misaligned=0.35,
    kernel=3e-6,
    host=6e-5,
    link=0.8,
    collective=3e-5,
    straggle=5e-5,
    error=0.1,
    source="",
)
"""Where a fit starts. ``flash`` is not fitted, since nothing that is shipped uses it: 0.32 of the peak is what
llm-foundry's published A100 runs show (FlashAttention-2 by itself is faster: 50 to 73 %, Dao 2023)."""
FOLDS = 10
LEAST = 3
"""Operators of a kind; a fit has two unknowns."""
STRATEGY_FOLD = ("hidden", "layers", "tp", "dp", "pp")
SIZE_FOLD = ("hidden", "microbatch")


@dataclass(frozen=True, slots=True)
class CalibrateAnswer:
    """A calibration with what it is worth.

    Attributes:
        chip: whose.
        operators: what the operators said; None where none were given.
        efficiency: the result.
        validations: how well runs are predicted that a fit has not seen.
        fitted: how well the runs are predicted that were fitted on.
        tested: how well another table is predicted, that no fit has seen; None where none was given.
        runs: how many iterations were fitted on.
    """

    chip: Chip
    operators: OperatorFit | None
    efficiency: Efficiency
    validations: tuple[CrossValidation, ...]
    fitted: Quality | None
    tested: Quality | None
    runs: int


def shipped(chip: str) -> tuple[tuple[Path, ...], Path, Path]:
    """The measurements that the package ships of a chip: operators, iterations, and runs to test on.

    Raises:
        InputError: it ships none of this chip.
    """
    if chip != "a100":
        raise InputError(
            "no measurements of this chip are shipped", value=chip, allowed="a100", hint="--operators FILE"
        )
    folder = Path(str(files("intarsia.machines.chips") / "measurements"))
    operators = tuple(sorted(folder.glob("a100_*.csv")))
    return operators, folder / "vtrain_a100_single_node.csv", folder / "megatron_sc21_a100.csv"


def calibrate(
    chip: str,
    cluster: str,
    operators: Sequence[Path],
    iterations: Path | None,
    test: Path | None,
    words: Mapping[str, str],
    output: Path | None,
    *,
    seed: int = 0,
) -> CalibrateAnswer:
    """Fits, validates and stores a chip's efficiency.

    Args:
        chip: a name or file.
        cluster: of the iterations, without its size.
        operators: tables of measured operators (see ``read_operators``).
        iterations: a table of runs with ``iteration_ms``, or None.
        test: another, never fitted on, or None.
        words: recompute, attention, dtype, grad_dtype and schedule of tables that lack them.
        output: where the efficiency is stored, or None.
        seed: of draws.

    Raises:
        InputError: a file or a word is wrong.
    """
    of_chip = read_chip(chip)
    measured = [row for path in operators for row in read_operators(path)]
    if not measured and iterations is None:
        raise InputError("nothing is given to calibrate on", allowed="--operators FILE…, --iterations FILE")
    found = fit_operators(of_chip, measured) if measured else None
    start = _start(found)
    fitted: Quality | None = None
    validations: tuple[CrossValidation, ...] = ()
    efficiency = replace(start, error=_rms(found.errors)) if found else start
    runs = 0
    if iterations is not None:
        rows, priced = _priced(iterations, cluster, words, of_chip)
        efficiency = fit_iterations(priced, start, range(len(rows)), seed=seed)
        validations = tuple(
            cross_validate(
                priced, start, ", ".join(names), _labels(rows, names), folds=folds, first=efficiency, seed=seed
            )
            for names, folds in ((STRATEGY_FOLD, FOLDS), (SIZE_FOLD, 0))
            if len(set(_labels(rows, names))) > 1
        )
        fitted = _quality(rows, priced, efficiency)
        runs = len(rows)
    efficiency = replace(efficiency, source=_source(operators, iterations, runs))
    tested = _quality(*_priced(test, cluster, words, of_chip), efficiency) if test else None
    if output is not None:
        write_efficiency(output, of_chip, efficiency)
    return CalibrateAnswer(of_chip, found, efficiency, validations, fitted, tested, runs)


def read_operators(path: Path) -> tuple[Measured, ...]:
    """Measured operators: columns m, k, n, ms (products), or elements (or rows, width) and gelements_per_s.

    Elements have 2 bytes; a pass over them reads and writes each.
    """
    found = read_csv(path, what="operators")
    columns = set(found.columns)
    if {"m", "k", "n", "ms"} <= columns:
        measured = tuple(_product(path.stem, cells, f"{path}, line {line}") for line, cells in found.rows)
    elif "gelements_per_s" in columns and ("elements" in columns or {"rows", "width"} <= columns):
        measured = tuple(_pass(path.stem, cells, f"{path}, line {line}") for line, cells in found.rows)
    else:
        raise InputError(
            "the operators' columns are not known",
            where=str(path),
            value=", ".join(found.columns),
            allowed="m, k, n, ms; elements, gelements_per_s; rows, width, gelements_per_s",
        )
    if len(measured) < LEAST:
        raise InputError("too few operators", where=str(path), value=str(len(measured)), allowed=f"{LEAST} or more")
    return measured


def _product(name: str, cells: Mapping[str, str], where: str) -> Measured:
    m, k, n = (read_whole(cells[column], column, where, least=1) for column in ("m", "k", "n"))
    return Measured(name, Contraction(1, m, n, k), read_positive(cells["ms"], "ms", where) / 1e3)


def _pass(name: str, cells: Mapping[str, str], where: str) -> Measured:
    sizes = ("elements",) if "elements" in cells else ("rows", "width")
    elements = math.prod(read_whole(cells[column], column, where, least=1) for column in sizes)
    work = Elementwise((("multiply", elements),), 2 * elements, 2 * elements)
    return Measured(name, work, elements / (read_positive(cells["gelements_per_s"], "gelements_per_s", where) * 1e9))


def _start(found: OperatorFit | None) -> Efficiency:
    if found is None:
        return FIRST
    return replace(FIRST, matmul=found.matmul or FIRST.matmul, memory=found.memory or FIRST.memory)


def _priced(path: Path, cluster: str, words: Mapping[str, str], chip: Chip) -> tuple[tuple[Row, ...], Priced]:
    _, rows = read_runs(path, words)
    unmeasured = [row.line for row in rows if not row.measured]
    if unmeasured:
        raise InputError(
            "iteration_ms is empty", where=f"{path}, line {unmeasured[0]}", allowed="milliseconds of one iteration"
        )
    clusters = {size: read_cluster(cluster, devices=size) for size in {row.strategy.devices for row in rows}}
    for row in rows:
        of_row = clusters[row.strategy.devices]
        if of_row.chip.name != chip.name:
            raise InputError("the cluster is of another chip", where=cluster, value=of_row.chip.name, allowed=chip.name)
        refuse_strategy(row.model, row.strategy, of_row, where=f"{path}, line {row.line}")
    return rows, Priced([Run(row.model, row.strategy, clusters[row.strategy.devices], row.measured) for row in rows])


def _quality(rows: Sequence[Row], priced: Priced, efficiency: Efficiency) -> Quality:
    seconds = priced.seconds(efficiency, range(len(rows)))
    return quality([(row, float(s)) for row, s in zip(rows, seconds, strict=True)])


def _labels(rows: Sequence[Row], names: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(row.cells.get(name, "") for name in names) for row in rows]


def _rms(errors: Sequence[float]) -> float:
    return math.sqrt(sum(error**2 for error in errors) / len(errors))


def _source(operators: Sequence[Path], iterations: Path | None, runs: int) -> str:
    parts = [path.name for path in operators]
    if iterations is not None:
        parts.append(f"{iterations.name} ({runs} iterations)")
    return "fitted on " + ", ".join(parts)
