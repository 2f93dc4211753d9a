"""A plan as a JSON file of a version, and back; whatever is wrong with a file is one message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from intarsia.graph import Recompute
from intarsia.ground import InputError, write_file
from intarsia.ground.records import decode_record
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.models.transformer import Transformer
from intarsia.place.memory import Memory
from intarsia.place.plan_file import PlanFile, RunnerUp
from intarsia.place.plan_refuse import refuse_plan
from intarsia.place.strategy import Split, Strategy

VERSION = 1
SERVED = ("window", "global_every")
"""Sizes of a transformer that only serving counts; a plan of training says nothing of them."""
WHAT = "plan file"


class _Model(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    transformer: Transformer | None
    layers: dict[str, int]


class _Stage(msgspec.Struct, forbid_unknown_fields=True):
    layers: dict[str, int]
    recompute: Recompute
    bytes_per_device: Memory


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """The plan as the file has it; times in seconds, sizes in bytes."""

    version: int
    model: _Model
    cluster: str
    devices: int
    strategy: Strategy
    stages: list[_Stage]
    efficiency: Efficiency
    seconds: float
    interval: tuple[float, float]
    parts: dict[str, float]
    capacity: int
    bound: float | None
    runners_up: list[RunnerUp]


def write_plan(path: Path, plan: PlanFile) -> None:
    """Writes the file, whole or not at all.

    Raises:
        InputError: it cannot be written.
    """
    write_file(path, plan_text(plan))


def plan_text(plan: PlanFile) -> str:
    """The file's text; reads back as the same plan."""
    names = [name for name, _ in plan.layers]
    stages = [
        _Stage({name: n for name, n in zip(names, counts, strict=True) if n}, recompute, memory)
        for counts, recompute, memory in zip(plan.split.counts, plan.split.recompute, plan.memory, strict=True)
    ]
    file = _File(
        version=VERSION,
        model=_Model(plan.model, plan.transformer, dict(plan.layers)),
        cluster=plan.cluster,
        devices=plan.strategy.devices,
        strategy=plan.strategy,
        stages=stages,
        efficiency=plan.efficiency,
        seconds=plan.seconds,
        interval=plan.interval,
        parts=plan.parts,
        capacity=plan.capacity,
        bound=plan.bound,
        runners_up=list(plan.runners_up),
    )
    content = msgspec.to_builtins(file)
    if plan.transformer is not None:
        for name in SERVED:
            del content["model"]["transformer"][name]
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode() + "\n"


def read_plan(path: Path) -> PlanFile:
    """The plan of a file.

    Raises:
        InputError: the file cannot be read, is no JSON, has another version, lacks a field or has one too many, or one
            of another type; its degrees do not multiply to its devices; its stages do not cover the layers.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read the {WHAT}", where=str(path), value=error.strerror or str(error)) from error
    return plan_of(content, where=str(path))


def plan_of(content: bytes, *, where: str) -> PlanFile:
    """The same from bytes; ``where`` names their file."""
    raw = decode_record(content, dict[str, Any], what=WHAT, where=where)
    version = raw.get("version")
    if version != VERSION or isinstance(version, bool):
        shown = "none" if version is None else str(version)
        raise InputError(f"unknown version of a {WHAT}", where=where, value=shown, allowed=str(VERSION))
    file = decode_record(content, _File, what=WHAT, where=where)
    _refuse_unknown(raw, msgspec.to_builtins(file), "$", where)
    names = list(file.model.layers)
    strange = [name for stage in file.stages for name in stage.layers if name not in names]
    if strange:
        raise InputError(
            "a stage has layers that the model lacks", where=where, value=strange[0], allowed=", ".join(names)
        )
    plan = PlanFile(
        model=file.model.name,
        transformer=file.model.transformer,
        layers=tuple(file.model.layers.items()),
        cluster=file.cluster,
        efficiency=file.efficiency,
        strategy=file.strategy,
        split=Split(
            tuple(tuple(stage.layers.get(name, 0) for name in names) for stage in file.stages),
            tuple(stage.recompute for stage in file.stages),
        ),
        seconds=file.seconds,
        interval=file.interval,
        parts=file.parts,
        memory=tuple(stage.bytes_per_device for stage in file.stages),
        capacity=file.capacity,
        bound=file.bound,
        runners_up=tuple(file.runners_up),
    )
    refuse_plan(plan, file.devices, where=where)
    return plan


def _refuse_unknown(given: object, known: object, place: str, where: str) -> None:
    """Fields that were read into nothing are misspelt ones."""
    if isinstance(given, dict) and isinstance(known, dict):
        for key, value in given.items():
            if key not in known:
                raise InputError(f"the {WHAT} is wrong", where=where, value=f"unknown field `{key}` - at `{place}`")
            _refuse_unknown(value, known[key], f"{place}.{key}", where)
    if isinstance(given, list) and isinstance(known, list | tuple):
        for number, (value, its) in enumerate(zip(given, known, strict=True)):
            _refuse_unknown(value, its, f"{place}[{number}]", where)
