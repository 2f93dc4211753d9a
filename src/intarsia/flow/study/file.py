"""What a study is asked: one TOML file, every key of it."""

from __future__ import annotations

from dataclasses import fields
from math import inf
from pathlib import Path
from typing import Any

import msgspec

from intarsia.ground import InputError
from intarsia.ground.records import refuse_unknown
from intarsia.ground.toml_records import decode_toml, read_toml
from intarsia.machines.chips import Mapping
from intarsia.place.choices import Choices

WHAT = "study file"
BASELINES = ("tpuv4-like", "a100", "h100")
"""Clusters of the catalogue whose chips a result is compared with, unless the file names others."""

Value = bool | int | str
Choice = Value | tuple[Value, ...]


class Study(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=False):
    """One question about chips and plans.

    Attributes:
        models: names, configurations or ONNX files.
        cluster: ``NAMExN`` or a file: devices and network; its own chip counts where neither space nor chip is given.
        global_batch: sequences of an iteration.
        title: of the report; made from models and cluster if empty.
        space: of chips that are searched; empty for a fixed chip.
        chip: a fixed chip in the place of the cluster's own: a name or a file.
        sequence: tokens; each model's own if 0.
        objective: what is best: throughput, or for each mm², watt or dollar; throughput if empty.
        several: how models count together; by the geometric mean if empty.
        costs: of products on tensor cores: of embeddings or of padded dimensions.
        budget: ``area_mm2``, ``watts``, ``dollars`` of a chip in the place of the space's own.
        hbm_gib: capacities that are searched; the space's own if empty.
        choose: choices of plans that are restricted to values.
        front: smaller areas, mm², of which the best chip is searched for as well.
        audit: removed chips that are evaluated in full after the search.
        seed: of the audit's draw.
        workers: processes; 0 for one to each core.
        ray: address of a Ray cluster that evaluates chips instead; empty for none.
        baselines: names of clusters of the catalogue whose chips are compared, as many as ``cluster`` has.
    """

    models: tuple[str, ...]
    cluster: str
    global_batch: int
    title: str = ""
    space: str = ""
    chip: str = ""
    sequence: int = 0
    objective: str = ""
    several: str = ""
    costs: str = Mapping.EMBEDDED
    budget: dict[str, float] = {}
    hbm_gib: tuple[int, ...] = ()
    choose: dict[str, tuple[Value, ...]] = {}
    front: tuple[float, ...] = ()
    audit: int = 0
    seed: int = 0
    workers: int = 0
    ray: str = ""
    baselines: tuple[str, ...] = BASELINES

    @property
    def name(self) -> str:
        """What the report is headed with."""
        return self.title or f"{' + '.join(self.models)} on {self.cluster}"


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """The same as people write it: one model or several, one value of a choice or several."""

    cluster: str
    global_batch: int
    model: str = ""
    models: tuple[str, ...] = ()
    title: str = ""
    space: str = ""
    chip: str = ""
    sequence: int = 0
    objective: str = ""
    several: str = ""
    costs: str = Mapping.EMBEDDED
    budget: dict[str, float] = {}
    hbm_gib: tuple[int, ...] = ()
    choose: dict[str, Choice] = {}
    front: tuple[float, ...] = ()
    audit: int = 0
    seed: int = 0
    workers: int = 0
    ray: str = ""
    baselines: tuple[str, ...] = BASELINES


def read_study(path: Path) -> Study:
    """The study of a file.

    Raises:
        InputError: the file cannot be read, or has an unknown, missing or impossible key.
    """
    return _study(read_toml(path, _File, what=WHAT), str(path))


def decode_study(text: str, *, where: str) -> Study:
    """The study of a text; ``where`` names its file."""
    return _study(decode_toml(text, _File, what=WHAT, where=where), where)


def _study(file: _File, where: str) -> Study:
    models = (file.model,) if file.model else file.models
    if not models or (file.model and file.models):
        value = "both" if models else "neither"
        raise InputError("a study has a model or models", where=where, value=value, hint='model = "bert-large"')
    if file.space and file.chip:
        value = f"space {file.space}, chip {file.chip}"
        raise InputError("a chip is searched for or given", where=where, value=value, allowed="space or chip, not both")
    for name in ("global_batch", "sequence", "audit", "seed", "workers"):
        value = getattr(file, name)
        least = 1 if name == "global_batch" else 0
        if value < least:
            raise InputError(f"{name} is not possible", where=where, value=str(value), allowed=f"{least} or more")
    fixed = not file.space
    for name in ("audit", "hbm_gib", "budget", "front", "objective", "several", "ray"):
        given = getattr(file, name)
        if fixed and given:
            raise InputError(f"{name} is for a search of chips", where=where, value=str(given), hint='space = "phaze"')
    if any(not 0 < area < inf for area in file.front):
        raise InputError("an area of the front is not possible", where=where, value=str(min(file.front)), allowed="mm²")
    if file.costs not in tuple(Mapping):
        raise refuse_unknown(file.costs, tuple(Mapping), what="costs")
    content: dict[str, Any] = {field: getattr(file, field) for field in _File.__struct_fields__ if field != "model"}
    return Study(**content | {"models": models, "choose": _choices(file.choose, where)})


def _choices(choose: dict[str, Choice], where: str) -> dict[str, tuple[Value, ...]]:
    """Each choice as a list of values, refused where it is none."""
    known = tuple(field.name for field in fields(Choices))
    for name in choose:
        if name not in known:
            error = refuse_unknown(name, known, what="choice")
            raise InputError(error.what, where=f"{where}, [choose]", value=name, allowed=error.allowed, hint=error.hint)
    listed = {name: values if isinstance(values, tuple) else (values,) for name, values in choose.items()}
    try:
        Choices().only(listed)
    except InputError as error:
        raise InputError(
            error.what, where=f"{where}, [choose]", value=error.value, allowed=error.allowed, hint=error.hint
        ) from error
    return listed
