"""Training runs: from flags to predictions. One call a step, for the command line and for Python users."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from intarsia.flow.predictions import PredictAnswer, predict_strategy
from intarsia.flow.strategies import Flags, Sizes, named_model, read_strategy, sized_model
from intarsia.flow.table import TableAnswer
from intarsia.flow.table import predict_table as _predict_table
from intarsia.graph import Model
from intarsia.ground import InputError
from intarsia.machines.clusters import Cluster, read_cluster
from intarsia.place import Strategy

NEEDED = ("hidden", "heads", "layers")
"""Sizes without which a model is not described."""
MAY_BE_ZERO = ("experts", "top_k")


def predict_flags(flags: Mapping[str, Any]) -> PredictAnswer:
    """The prediction for flags as the command line names them.

    Args:
        flags: model or sizes, cluster, degrees and words; see ``intarsia predict --help``.

    Raises:
        InputError: anything of these that is missing or wrong.
    """
    model = model_of(flags)
    product = _degrees(flags)
    cluster = read_cluster(flags["cluster"], devices=flags["gpus"] or product * (flags["dp"] or 0))
    return predict_strategy(model, strategy_of(flags, model, cluster), cluster, calibration=flags["calibration"])


def predict_table(
    path: Path,
    cluster: str,
    words: Mapping[str, str],
    *,
    calibration: str = "",
    told: Callable[[int, int], None] | None = None,
) -> TableAnswer:
    """The predictions for a table of runs; see ``intarsia.flow.table``."""
    return _predict_table(path, cluster, words, calibration=calibration, told=told)


def model_of(flags: Mapping[str, Any]) -> Model:
    """The model that flags name, or describe by its sizes; a size that is not given is None."""
    every = {name: flags[name] for name in Sizes.__dataclass_fields__}
    given = {name: value for name, value in every.items() if value is not None and value is not False}
    if flags["model"]:
        if given:
            raise InputError("a model is named and described", value=", ".join(map(_flag, given)))
        return named_model(flags["model"])
    missing = [name for name in NEEDED if name not in given]
    if missing:
        raise InputError(
            "no model is given", value=f"missing {', '.join(map(_flag, missing))}", allowed="--model NAME, or all sizes"
        )
    for name, value in given.items():
        if value == 0 and name not in MAY_BE_ZERO:
            raise InputError(f"{name} is no size", value="0", allowed="1 or more")
    if not flags["seq"]:
        raise InputError("a model of sizes needs the length of its sequences", hint="--seq 2048")
    return sized_model(Sizes(**given), flags["seq"])


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def strategy_of(flags: Mapping[str, Any], model: Model, cluster: Cluster) -> Strategy:
    """The strategy of flags; what is not given follows from the model and the cluster."""
    rest = _degrees(flags)
    gpus = flags["gpus"] or (rest * flags["dp"] if flags["dp"] else cluster.devices)
    if flags["global_batch"] is None:
        raise InputError("the global batch is missing", allowed="--global-batch N, sequences of an iteration")
    return read_strategy(
        Flags(
            gpus=gpus,
            tp=flags["tp"],
            pp=flags["pp"],
            dp=flags["dp"] or max(gpus // rest, 1),
            cp=flags["cp"],
            ep=flags["ep"],
            microbatch=flags["microbatch"],
            global_batch=flags["global_batch"],
            seq=flags["seq"] or model.sequence,
            recompute=flags["recompute"] or "none",
            sequence_parallel=flags["sequence_parallel"],
            interleave=flags["interleave"],
            zero=flags["zero"],
            attention=flags["attention"],
            dtype=flags["dtype"],
            grad_dtype=flags["grad_dtype"],
            schedule=flags["schedule"],
        )
    )


def _degrees(flags: Mapping[str, Any]) -> int:
    for name in ("tp", "pp", "cp", "dp", "gpus"):
        if flags[name] is not None and flags[name] < 1:
            raise InputError(f"{name} is not positive", value=str(flags[name]), allowed="1 or more")
    product: int = flags["tp"] * flags["pp"] * flags["cp"]
    return product
