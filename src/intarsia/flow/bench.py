"""Every layer of a suite on VTA, chosen and fixed, both checked; long layers first, each kept as soon as it is done."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import msgspec

from intarsia.flow.compiling import told_of_compiling
from intarsia.flow.runs import BenchAnswer, BenchRow, RunAnswer
from intarsia.flow.vta import Options, run_vta
from intarsia.ground import QUIET, InputError
from intarsia.ground.processes import cores
from intarsia.ground.resume import answer_all
from intarsia.ground.store import Json, Store, default_store
from intarsia.operators import parse_operator
from intarsia.operators.deepbench import KINDS, Kind, Row, rows, unique
from intarsia.targets.vta import VtaConfig
from intarsia.targets.vta.ready import get_ready

Progress = Callable[[int, int], None]
"""Is told how many layers are done, and of how many."""


def deepbench_rows(which: str, kind: str) -> tuple[tuple[Row, int], ...]:
    """The rows of a set, equal ones folded into the first, with how often each occurs.

    Raises:
        InputError: an unknown set or kind.
    """
    if kind not in (*KINDS, "all"):
        raise InputError("unknown kind", where="deepbench", value=kind, allowed=", ".join((*KINDS, "all")))
    kinds = KINDS if kind == "all" else (cast("Kind", kind),)
    return tuple(one for k in kinds for one in unique(rows(k, which)))


def bench_layers(
    suite: str,
    layers: tuple[tuple[Row, int], ...],
    options: Options,
    *,
    workers: int = 0,
    store: Path | None = None,
    fresh: bool = False,
    told: Progress | None = None,
) -> BenchAnswer:
    """Run layers in several processes; those that were run before by the same code are taken from the store.

    Args:
        suite: its name.
        layers: the layers, and how often each occurs.
        options: how they are compiled; ``fixed`` does not matter, both are run.
        workers: processes; 0 for one to each core.
        store: where results are kept; the user's cache folder for None.
        fresh: run again what was kept.
        told: is told how far it is.

    Raises:
        InputError: the store cannot be used, or one layer's process is killed again and again.
    """
    started = time.perf_counter()
    order = sorted(range(len(layers)), key=lambda i: -layers[i][0].operator.iterations)
    questions = [_question(layers[i][0], options) for i in order]
    names = [layers[i][0].name for i in order]
    with Store(store or default_store()) as kept:
        answers = answer_all(
            questions, run_layer, store=kept, workers=workers, fresh=fresh, told=told, names=names, first=_get_ready
        )
    found = dict(zip(order, answers, strict=True))
    made = tuple(_row(row.name, count, found[i]) for i, (row, count) in enumerate(layers))
    seconds = time.perf_counter() - started
    return BenchAnswer(suite, "vta", str(options.config), options.seed, workers or cores(), seconds, made)


def _get_ready() -> None:
    """Has the simulator compiled here: each process would do it otherwise."""
    with told_of_compiling(QUIET):
        get_ready()


def _question(row: Row, options: Options) -> Json:
    config = json.loads(options.config.to_json())
    rest = {name: value for name, value in asdict(options).items() if name not in ("config", "fixed")}
    return {"bench": "vta", "operator": str(row.operator), "config": config, **rest}


def run_layer(question: Json) -> Json:
    """Run one layer: the function of the worker processes. What VTA refuses is an answer here."""
    asked = cast("dict[str, Any]", question)
    config = VtaConfig.from_json(json.dumps(asked["config"]))
    options = Options(config, shift=asked["shift"], seed=asked["seed"], seconds=asked["seconds"])
    try:
        answer = run_vta(parse_operator(asked["operator"]), options)
    except InputError as error:
        return {"refused": str(error)}
    return {"run": msgspec.to_builtins(answer)}


def _row(name: str, count: int, answer: Json) -> BenchRow:
    told = cast("dict[str, Any]", answer)
    if "refused" in told:
        return BenchRow(name, count, None, told["refused"])
    return BenchRow(name, count, msgspec.convert(told["run"], RunAnswer))
