"""What both ways of ``serve`` share: what is asked, and the head of what is printed."""

from __future__ import annotations

from argparse import Namespace
from math import inf
from typing import TYPE_CHECKING, Any

from intarsia.cli.choices import restrictions
from intarsia.ground.units import count_text, seconds_text

if TYPE_CHECKING:
    from intarsia.flow.serving_question import ServingWanted
    from intarsia.graph import Model
    from intarsia.place.serving import ServingTask


def wanted(arguments: Namespace) -> ServingWanted:
    """The options as the flow takes them."""
    from intarsia.flow.serving_question import ServingWanted

    return ServingWanted(
        prompt=arguments.prompt,
        output=arguments.output,
        ttft=arguments.ttft,
        tpot=arguments.tpot,
        batch=arguments.batch,
        phase=arguments.phase,
        only=restrictions(arguments.only),
        dtype=arguments.dtype,
        cache=arguments.kv_dtype,
        calibration=arguments.calibration,
    )


def head_fields(model: Model, task: ServingTask) -> list[tuple[str, str]]:
    """Model, cluster, and what is asked of them."""
    limits = (("ttft", task.ttft), ("tpot", task.tpot))
    at_most = "".join(f", {name} {seconds_text(limit)} at most" for name, limit in limits if limit < inf)
    return [
        ("model", f"{model.name}, {count_text(model.parameters)} parameters"),
        ("cluster", f"{task.cluster.name}, {task.cluster.devices} devices"),
        ("asked", f"{task.output} tokens to a prompt of {task.prompt}{at_most}"),
    ]


def head_json(model: Model, task: ServingTask) -> dict[str, Any]:
    """The same as JSON."""
    limits = (("ttft", task.ttft), ("tpot", task.tpot))
    return {
        "model": model.name,
        "parameters": model.parameters,
        "cluster": task.cluster.name,
        "devices": task.cluster.devices,
        "prompt": task.prompt,
        "output": task.output,
        "reads": task.reads,
        "limits": {name: limit if limit < inf else None for name, limit in limits},
        "dtype": task.dtype,
        "kv_dtype": task.cache,
    }
