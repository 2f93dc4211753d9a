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


def predict_flags(flags: Mapping[str, Any]) -> PredictAnswer:
    """The prediction for flags as the command line names them.

    Args:
        flags: model or sizes, cluster, degrees and words; see ``intarsia predict --help``.

    Raises:
        InputError: anything of these that is missing or wrong.
    """
    model = model_of(flags)
    product = _degrees(flags)
    cluster = read_cluster(flags["cluster"], devices=flags["gpus"] or product * flags["dp"])
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
    """The model that flags name, or describe by its sizes."""
    described = [name for name in ("hidden", "heads", "layers") if flags[name]]
    if flags["model"]:
        if described:
            raise InputError("a model is named and described", value=", ".join(f"--{name}" for name in described))
        return named_model(flags["model"])
    if len(described) < 3:
        missing = [f"--{name}" for name in ("hidden", "heads", "layers") if not flags[name]]
        raise InputError(
            "no model is given", value=f"missing {', '.join(missing)}", allowed="--model NAME, or all sizes"
        )
    sizes = Sizes(**{name: flags[name] for name in Sizes.__dataclass_fields__})
    if not flags["seq"]:
        raise InputError("a model of sizes needs the length of its sequences", hint="--seq 2048")
    return sized_model(sizes, flags["seq"])


def strategy_of(flags: Mapping[str, Any], model: Model, cluster: Cluster) -> Strategy:
    """The strategy of flags; what is not given follows from the model and the cluster."""
    rest = _degrees(flags)
    gpus = flags["gpus"] or (rest * flags["dp"] if flags["dp"] else cluster.devices)
    if not flags["global_batch"]:
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
    for name in ("tp", "pp", "cp"):
        if flags[name] < 1:
            raise InputError(f"{name} is not positive", value=str(flags[name]), allowed="1 or more")
    product: int = flags["tp"] * flags["pp"] * flags["cp"]
    return product
