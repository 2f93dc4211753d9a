"""Nodes of a layer as tasks of a schedule, on a chip whose cores are scheduled one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from intarsia.cost import Demand, collective_seconds, demand, kernel_seconds
from intarsia.cost.layer import Groups
from intarsia.graph import Collective, Contraction, Elementwise, FusedAttention, Lookup, Node
from intarsia.machines.chips import Chip, Efficiency
from intarsia.machines.clusters import Cluster
from intarsia.schedule import Durations, Kind, ScheduleProblem, Task


@dataclass(frozen=True, slots=True)
class LayerTasks:
    """A schedule's problem, and what the schedule itself does not see.

    Attributes:
        problem: tasks and cores.
        hbm: seconds in which the HBM moves all bytes at full bandwidth: no schedule is shorter, however its cores
            share it.
    """

    problem: ScheduleProblem
    hbm: float


Kernel = Contraction | Elementwise | FusedAttention | Lookup

Passes = Sequence[tuple[str, tuple[Node, ...]]]
"""Passes of a layer with their names, in the order in which they run."""


def layer_tasks(passes: Passes, cluster: Cluster, groups: Groups, efficiency: Efficiency) -> LayerTasks:
    """The tasks of a layer's passes; a pass waits for the whole pass before it.

    A task on one core gets that core's share of the HBM bandwidth, a task that is spread gets all of it; cores of
    different kinds do not slow each other down, and ``LayerTasks.hbm`` says what that leaves out. On a chip with a
    second kind of tensor cores a product has a time on each. On a chip that runs one kernel after the other there is
    one core, which is the chip.

    Args:
        passes: forward, what is computed again, backward; empty ones are skipped.
        cluster: chip and network.
        groups: where the ranks of collectives are.
        efficiency: of the chip.
    """
    chip = cluster.chip
    tasks: list[Task] = []
    moved = 0
    ends: tuple[str, ...] = ()
    for prefix, nodes in passes:
        names = {node.name for node in nodes}
        for node in nodes:
            needs = tuple(f"{prefix}/{need}" for need in node.needs if need in names) or ends
            task, size = _task(f"{prefix}/{node.name}", node, needs, cluster, groups, efficiency)
            tasks.append(task)
            moved += size
        ends = tuple(f"{prefix}/{name}" for name in _ends(nodes)) or ends
    second = chip.second.count if chip.second is not None else 0
    cores = (1, 1) if chip.serial else (chip.tensor.count, chip.vector.count, second)
    return LayerTasks(ScheduleProblem(tuple(tasks), *cores), moved / (chip.hbm_bandwidth * efficiency.memory))


def _task(
    name: str, node: Node, needs: tuple[str, ...], cluster: Cluster, groups: Groups, efficiency: Efficiency
) -> tuple[Task, int]:
    chip = cluster.chip
    work = node.work
    if isinstance(work, Collective):
        seconds = collective_seconds(work.pattern, work.bytes_whole, groups[work.group], cluster, efficiency)
        kind = Kind.NETWORK if seconds else Kind.FREE
        return Task(name, kind, seconds, seconds, needs), 0
    whole = demand(chip, work)
    if chip.serial:
        seconds = kernel_seconds(whole, chip, efficiency)
        return Task(name, Kind.TENSOR, seconds, seconds, needs), whole.hbm_bytes
    kind, second = Kind.VECTOR, None
    if isinstance(work, Contraction | FusedAttention):
        kind, other = Kind.TENSOR, chip.kinds[1:]
        second = _durations(other[0], work, demand(other[0], work), efficiency) if other else None
    took = _durations(chip, work, whole, efficiency)
    return Task(name, kind, took.one, took.all, needs, second), whole.hbm_bytes


def _durations(chip: Chip, work: Kernel, whole: Demand, efficiency: Efficiency) -> Durations:
    """Of a kernel, whose demand is known, on the chip's first kind of tensor cores or on its vector cores."""
    cores = chip.tensor.count if isinstance(work, Contraction | FusedAttention) else chip.vector.count
    single = demand(chip, work, cores=1)
    share = Demand(single.contraction, single.flash, single.vector, single.hbm_bytes * cores, single.misaligned)
    return Durations(kernel_seconds(share, chip, efficiency), kernel_seconds(whole, chip, efficiency))


def _ends(nodes: tuple[Node, ...]) -> tuple[str, ...]:
    """Nodes on which no other of the pass waits."""
    waited = {need for node in nodes for need in node.needs}
    return tuple(node.name for node in nodes if node.name not in waited)
