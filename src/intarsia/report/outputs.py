"""The folder of a plan: the plan itself, the files that start it, a picture of its iteration, what to know of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from intarsia.graph import Model
from intarsia.ground import InputError, folder
from intarsia.machines.clusters import Cluster
from intarsia.place.plan_file import PlanFile
from intarsia.place.plan_json import write_plan
from intarsia.place.simulate import simulate
from intarsia.place.step import StageTime
from intarsia.report.deepspeed import deepspeed_json
from intarsia.report.export import Export, Launch
from intarsia.report.megatron import megatron_script
from intarsia.report.pipeline_trace import trace_text
from intarsia.report.torchtitan import torchtitan_toml

PLAN = "plan.json"
Maker = Callable[[], Export]


@dataclass(frozen=True, slots=True)
class Outputs:
    """What was written.

    Attributes:
        files: names, sorted.
        notes: of each file what differs from the plan; of one that could not be made, why.
    """

    files: tuple[str, ...]
    notes: dict[str, tuple[str, ...]]


def write_outputs(path: Path, plan: PlanFile, model: Model, cluster: Cluster, stages: tuple[StageTime, ...]) -> Outputs:
    """Writes the folder, whole or not at all; other files in it stay.

    Args:
        path: the folder.
        plan: the plan.
        model: its model.
        cluster: its devices.
        stages: the seconds of its stages, as predicted.

    Raises:
        InputError: the folder cannot be written.
    """
    launch = Launch(plan, model, cluster)
    makers: dict[str, Maker] = {
        "megatron.sh": lambda: megatron_script(launch),
        "torchtitan.toml": lambda: torchtitan_toml(launch),
        "deepspeed.json": lambda: deepspeed_json(launch),
        "trace.json": lambda: _trace(plan, stages),
    }
    made = {name: _made(name, make) for name, make in makers.items()}
    notes = {name: export.notes for name, export in made.items()}
    with folder(path, seal=PLAN) as staged:
        for name, export in made.items():
            (staged / name).write_text(export.text, encoding="utf-8")
            (staged / name).chmod(0o755 if name.endswith(".sh") else 0o644)
        (staged / "README.txt").write_text(_readme(launch, made), encoding="utf-8")
        write_plan(staged / PLAN, plan)
        files = tuple(sorted(file.name for file in staged.iterdir()))
    return Outputs(files, notes)


def _made(name: str, make: Maker) -> Export:
    """The file, or one that only says why it is none, so that no older one is taken for it."""
    try:
        return make()
    except InputError as error:
        said = json.dumps(f"not written: {error}", ensure_ascii=False)
        script = f"#!/bin/sh\n# not written: {error}\nexit 1\n"
        text = script if name.endswith(".sh") else f'{{"otherData": {{"error": {said}}}, "traceEvents": []}}\n'
        return Export(text, (f"not written: {error}",))


def _trace(plan: PlanFile, stages: tuple[StageTime, ...]) -> Export:
    timeline = simulate(stages, plan.strategy)
    return Export(trace_text(timeline, name=plan.model, predicted=plan.seconds), ())


def _readme(launch: Launch, made: dict[str, Export]) -> str:
    lines = [*launch.heading(), "", f"{PLAN}: the plan; `intarsia predict --plan {PLAN}` says the same again."]
    lines.append("trace.json: one iteration, pass by pass; open it at ui.perfetto.dev or chrome://tracing.")
    for name, export in made.items():
        if export.notes:
            lines += ["", f"{name}:", *(f"- {note}" for note in export.notes)]
    return "\n".join(lines) + "\n"
