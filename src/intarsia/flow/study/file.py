"""What a study is asked: one TOML file, every key of it."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from intarsia.flow.study.serving.keys import CHOICES, TRAINING, ServingKeys
from intarsia.ground import InputError
from intarsia.ground.records import refuse_unknown
from intarsia.ground.toml_records import decode_toml, read_toml
from intarsia.machines.chips import Mapping
from intarsia.place.choices import Choices
from intarsia.place.serving import ServingChoices

WHAT = "study file"
BASELINES = ("tpuv4-like", "a100", "h100")
"""Clusters of the catalogue whose chips a result is compared with, unless the file names others."""
BUDGETS = ("area_mm2", "watts", "dollars")
"""What a chip, and all chips of a cluster, may take at most."""

Value = bool | int | str
Choice = Value | tuple[Value, ...]


class Study(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=False):
    """One question about chips and plans.

    Attributes:
        models: names, configurations or ONNX files.
        cluster: ``NAMExN`` or a file: devices and network; its own chip counts where neither space nor chip is given.
            ``NAMExN,N`` for several, of which one is chosen.
        global_batch: sequences of an iteration; 0 in a study that serves.
        title: of the report; made from models and cluster if empty.
        space: of chips that are searched; empty for a fixed chip.
        chip: a fixed chip in the place of the cluster's own: a name or a file.
        sequence: tokens; each model's own if 0.
        objective: what is best: throughput, or for each mm², watt or dollar of the cluster; throughput if empty.
        several: how models count together; by the geometric mean if empty.
        costs: of products on tensor cores: of embeddings or of padded dimensions.
        budget: ``area_mm2``, ``watts``, ``dollars`` of a chip in the place of the space's own.
        total: the same of all chips of the cluster together.
        hbm_gib: capacities that are searched; the space's own if empty.
        choose: choices of plans that are restricted to values.
        front: ``area``, ``watts`` or ``dollars``: every chip that none beats with as little of it; the best alone if
            empty.
        tolerance: of the front, a fraction.
        audit: removed chips that are evaluated in full after the search.
        seed: of the audit's draw.
        workers: processes; 0 for one to each core.
        ray: address of a Ray cluster that evaluates chips instead; empty for none.
        baselines: names of clusters of the catalogue whose chips are compared, as many as ``cluster`` has.
        serving: what is served; None in a study that trains.
    """

    models: tuple[str, ...]
    cluster: str
    global_batch: int = 0
    title: str = ""
    space: str = ""
    chip: str = ""
    sequence: int = 0
    objective: str = ""
    several: str = ""
    costs: str = Mapping.EMBEDDED
    budget: dict[str, float] = {}
    total: dict[str, float] = {}
    hbm_gib: tuple[int, ...] = ()
    choose: dict[str, tuple[Value, ...]] = {}
    front: str = ""
    tolerance: float = 0.0
    audit: int = 0
    seed: int = 0
    workers: int = 0
    ray: str = ""
    baselines: tuple[str, ...] = BASELINES
    serving: ServingKeys | None = None

    @property
    def name(self) -> str:
        """What the report is headed with."""
        return self.title or f"{' + '.join(self.models)} on {self.cluster}"


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """The same as people write it: one model or cluster or several, one value of a choice or several."""

    cluster: str | tuple[str, ...]
    global_batch: int | UnsetType = UNSET
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
    total: dict[str, float] = {}
    hbm_gib: tuple[int, ...] = ()
    choose: dict[str, Choice] = {}
    front: str = ""
    tolerance: float = 0.0
    audit: int = 0
    seed: int = 0
    workers: int = 0
    ray: str = ""
    baselines: tuple[str, ...] = BASELINES
    serving: ServingKeys | None = None


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
        if value is not UNSET and value < least:
            raise InputError(f"{name} is not possible", where=where, value=str(value), allowed=f"{least} or more")
    if file.serving is not None:
        _refuse_training(file, models, file.serving, where)
    elif file.global_batch is UNSET:
        raise InputError(
            "a study trains with a global batch, or serves", where=where, value="neither",
            hint="global_batch = 512, or a table [serving]",
        )  # fmt: skip
    fixed = not file.space
    cluster = file.cluster if isinstance(file.cluster, str) else ",".join(file.cluster)
    for name in ("audit", "hbm_gib", "budget", "total", "front", "tolerance", "objective", "several", "ray"):
        given = getattr(file, name)
        if fixed and given:
            raise InputError(f"{name} is for a search of chips", where=where, value=str(given), hint='space = "phaze"')
    if fixed and "," in cluster:
        raise InputError(
            "one of several clusters is for a search of chips", where=where, value=cluster, hint='space = "phaze"'
        )
    if file.costs not in tuple(Mapping):
        raise refuse_unknown(file.costs, tuple(Mapping), what="costs", where=where)
    for table, budgets in (("budget", file.budget), ("total", file.total)):
        for name in budgets:
            if name not in BUDGETS:
                raise refuse_unknown(name, BUDGETS, what="key", where=f"{where}, [{table}]")
    content: dict[str, Any] = {field: getattr(file, field) for field in _File.__struct_fields__ if field != "model"}
    content |= {"models": models, "cluster": cluster, "global_batch": file.global_batch or 0}
    return Study(**content | {"choose": _choices(file.choose, where, serves=file.serving is not None)})


def _refuse_training(file: _File, models: tuple[str, ...], serving: ServingKeys, where: str) -> None:
    """Refuses what a study that serves has no use for."""
    serving.refuse(f"{where}, [serving]")
    for name in TRAINING:
        value = getattr(file, name)
        if value:
            raise InputError(f"{name} is for training", where=where, value=str(value), hint=f"{name} or [serving]")
    if file.costs != Mapping.EMBEDDED:
        raise InputError("costs is for training", where=where, value=file.costs, hint="costs or [serving]")
    if len(models) > 1:
        raise InputError("one model is served", where=where, value=", ".join(models), hint=f'model = "{models[0]}"')
    if not isinstance(file.cluster, str) or "," in file.cluster:
        value = file.cluster if isinstance(file.cluster, str) else ", ".join(file.cluster)
        raise InputError("one cluster serves", where=where, value=value, hint='cluster = "h100x8"')


def _choices(choose: dict[str, Choice], where: str, *, serves: bool) -> dict[str, tuple[Value, ...]]:
    """Each choice of plans, or of deployments, as a list of values, refused where it is none."""
    known = CHOICES if serves else tuple(field.name for field in fields(Choices))
    for name in choose:
        if name not in known:
            raise refuse_unknown(name, known, what="choice", where=f"{where}, [choose]")
    listed = {name: values if isinstance(values, tuple) else (values,) for name, values in choose.items()}
    try:
        if serves:
            ServingChoices().only({name: tuple(map(str, values)) for name, values in listed.items()})
        else:
            Choices().only(listed)
    except InputError as error:
        raise error.at(f"{where}, [choose]") from error
    return listed
