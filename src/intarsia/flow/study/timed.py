"""Where an iteration's seconds go: the plan's parts, and operators one by one with the roof that binds each."""

from __future__ import annotations

from intarsia.cost import demand
from intarsia.flow.study.layers import Running
from intarsia.flow.study.model_records import OperatorTime, TimeRecord
from intarsia.graph import Collective, Node
from intarsia.machines.chips import Chip, Efficiency
from intarsia.place.plan import Plan
from intarsia.place.tasks import Kernel

SHOWN = 12
"""Operators that are told one by one."""


def time_record(plan: Plan, run: Running) -> TimeRecord:
    """Parts that add up to the iteration; operators of one microbatch through all layers, each on all its cores."""
    found = plan.prediction.time
    parts = {
        "compute": found.compute,
        "communication": found.communication,
        "bubble": found.bubble,
        "optimizer": found.optimizer,
    }
    seconds: dict[tuple[str, str, str], float] = {}
    nodes: dict[tuple[str, str, str], Node] = {}
    for layer, prefix, node, task in run.each():
        key = (f"{layer.name}: {prefix} {node.name}", str(task.kind), layer.name)
        seconds[key] = seconds.get(key, 0.0) + task.quickest * layer.repeat
        nodes[key] = node
    whole = sum(seconds.values())
    order = sorted(seconds, key=lambda key: -seconds[key])
    operators = tuple(
        OperatorTime(key[0], key[1], seconds[key], seconds[key] / whole if whole else 0.0, binding(nodes[key], run))
        for key in order[:SHOWN]
        if seconds[key]
    )
    return TimeRecord(parts, operators, sum(seconds[key] for key in order[SHOWN:]))


def binding(node: Node, run: Running) -> str:
    """The roof that a node's seconds come from."""
    if isinstance(node.work, Collective):
        return "network"
    roofs = min((_roofs(node.work, chip, run.efficiency) for chip in run.cluster.chip.kinds), key=_highest)
    return max(roofs, key=lambda name: roofs[name])


def _highest(roofs: dict[str, float]) -> float:
    return max(roofs.values())


def _roofs(work: Kernel, chip: Chip, reached: Efficiency) -> dict[str, float]:
    """The seconds of each on all cores of a chip with one kind of tensor cores."""
    asked = demand(chip, work)
    return {
        "tensor cores": asked.contraction / (reached.matmul * (reached.misaligned if asked.misaligned else 1.0)),
        "tensor cores, fused attention": asked.flash / reached.flash,
        "vector cores": asked.vector,
        "HBM": asked.hbm_bytes / (chip.hbm_bandwidth * reached.memory),
        "start of a kernel": reached.kernel,
    }
