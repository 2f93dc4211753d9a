"""Lower bounds on the makespan of a layer's passes for many template chips at once, as columns.

A pass takes at least its critical path with every task as short as it gets, the work of each kind of core with every
task at its fewest core-seconds, and the HBM's seconds. Durations are those of ``place.tasks``, from the same formulas.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from intarsia.cost import Placed, collective_seconds
from intarsia.cost.demand import misaligned
from intarsia.cost.layer import Groups
from intarsia.cost.traffic import product_bytes
from intarsia.cost.vector import cycles_of
from intarsia.graph import Collective, Contraction, Elementwise, FusedAttention, Group, Lookup, Node, Variant
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.clusters import Cluster
from intarsia.machines.template import Points

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Product = Contraction | FusedAttention


@dataclass(frozen=True, slots=True)
class _Task:
    """Durations on each chip: the shortest, the fewest core-seconds, and the bytes through the HBM; on which cores."""

    shortest: Floats
    energy: Floats
    moved: Floats
    kind: str

    def of(self, rows: Ints | slice) -> _Task:
        """The same for some chips."""
        return _Task(self.shortest[rows], self.energy[rows], self.moved[rows], self.kind)


@dataclass
class Rough:
    """Bounds for the points of a space on one kind of cluster.

    Attributes:
        points: the chips.
        cluster: its network; its chip gives clock and bandwidths, which all points share.
        efficiency: of all of them.
    """

    points: Points
    cluster: Cluster
    efficiency: Efficiency
    _tasks: dict[object, _Task] = field(default_factory=dict)

    def __post_init__(self) -> None:
        points = self.points
        cores = np.stack([points.tensor_cores, points.width, points.depth], axis=1)
        self._arrays, self._array = np.unique(cores, axis=0, return_inverse=True)
        self._array = self._array.ravel()
        self._sizes, self._size = np.unique(points.buffer_mib, return_inverse=True)
        self._flow = self.cluster.chip.hbm_bandwidth * self.efficiency.memory

    def groups(self, variant: Variant) -> Groups:
        """Where the ranks of a variant's collectives are."""
        return {
            Group.TENSOR: Placed(variant.tensor, 1),
            Group.CONTEXT: Placed(variant.context, variant.tensor),
            Group.EXPERT: Placed(variant.expert, variant.tensor),
        }

    def seconds(self, nodes: tuple[Node, ...], groups: Groups, rows: Ints | None = None) -> Floats:
        """At least so long takes a pass of these nodes.

        Args:
            nodes: of the pass.
            groups: where the ranks of collectives are.
            rows: chips for which it is worth a better bound: tasks that start after a head and are followed by a tail
                need head + work ÷ cores + tail; all chips, and a cheap bound, for None.

        Returns:
            seconds, [points] or [rows].
        """
        every = slice(None) if rows is None else rows
        tasks = {node.name: self._task(node, groups).of(every) for node in nodes}
        needs = {node.name: [need for need in node.needs if need in tasks] for node in nodes}
        tensor, vector = self.points.tensor_cores[every], self.points.vector_cores[every]
        cores: dict[str, Ints | int] = {"tensor": tensor, "vector": vector, "network": 1}
        zero = np.zeros(len(self.points) if rows is None else len(rows))
        heads: dict[str, Floats] = {}
        for name, its in needs.items():
            heads[name] = reduce(np.maximum, [heads[need] + tasks[need].shortest for need in its], zero)
        longest = reduce(np.maximum, [heads[name] + tasks[name].shortest for name in tasks], zero)
        for kind, count in cores.items():
            own = [name for name in tasks if tasks[name].kind == kind]
            work = [tasks[name].energy / count for name in own]
            if rows is None:
                longest = np.maximum(longest, sum(work, zero))
            elif own:
                tails = _tails(tasks, needs, zero)
                stacked = [np.stack(columns) for columns in ([heads[n] for n in own], [tails[n] for n in own], work)]
                longest = np.maximum(longest, _windows(*stacked))
        return np.maximum(longest, sum((task.moved for task in tasks.values()), zero) / self._flow)

    def _task(self, node: Node, groups: Groups) -> _Task:
        work = node.work
        if isinstance(work, Collective):
            lasts = collective_seconds(
                work.pattern, work.bytes_whole, groups[work.group], self.cluster, self.efficiency
            )
            found = np.full(len(self.points), lasts)
            return _Task(found, found, np.zeros(len(self.points)), "network")
        if work not in self._tasks:
            self._tasks[work] = self._kernel(work)
        return self._tasks[work]

    def _kernel(self, work: Product | Elementwise | Lookup) -> _Task:
        points, chip = self.points, self.cluster.chip
        cores: Ints = points.tensor_cores if isinstance(work, Contraction | FusedAttention) else points.vector_cores
        one: Floats
        every: Floats
        match work:
            case Contraction():
                reached = self.efficiency.matmul * (self.efficiency.misaligned if misaligned(work) else 1.0)
                one, every = (systolic_column(self._arrays, work, spread=s)[self._array] for s in (False, True))
                one, every = one / (chip.clock * reached), every / (chip.clock * reached)
                sizes = [product_bytes(work, int(mib) << 20) for mib in self._sizes]
                moved = np.array(sizes, dtype=np.float64)[self._size]
            case FusedAttention():
                multiplies = (points.width * points.depth).astype(np.float64)
                one = work.flops / (2 * chip.clock * self.efficiency.flash) / multiplies
                every = one / cores.astype(np.float64)
                moved = np.full(len(points), float(work.bytes_moved))
            case Elementwise():
                one = cycles_of(work) / chip.clock / points.width.astype(np.float64)
                every, moved = one / cores.astype(np.float64), np.full(len(points), float(work.bytes_moved))
            case Lookup():
                one = every = np.zeros(len(points))
                moved = np.full(len(points), float(work.bytes_moved))
        kernel = self.efficiency.kernel
        alone = np.maximum(one, moved * cores / self._flow) + kernel
        spread = np.maximum(every, moved / self._flow) + kernel
        kind = "tensor" if isinstance(work, Contraction | FusedAttention) else "vector"
        return _Task(np.minimum(alone, spread), np.minimum(alone, spread * cores), moved, kind)


def _tails(tasks: dict[str, _Task], needs: dict[str, list[str]], zero: Floats) -> dict[str, Floats]:
    """Seconds that must pass after each task."""
    tails = dict.fromkeys(tasks, zero)
    for name in reversed(tasks):
        for need in needs[name]:
            tails[need] = np.maximum(tails[need], tasks[name].shortest + tails[name])
    return tails


def _windows(heads: Floats, tails: Floats, work: Floats) -> Floats:
    """The most, over all sets of tasks above a head and a tail, of head + work + tail; each [tasks, points]."""
    order = np.argsort(-tails, axis=0, kind="stable")
    heads, tails, work = (np.take_along_axis(column, order, axis=0) for column in (heads, tails, work))
    best = np.zeros(heads.shape[1])
    for head in heads:
        inside = heads >= head
        best = np.maximum(best, np.max(np.where(inside, head + np.cumsum(work * inside, axis=0) + tails, 0), axis=0))
    return best


def systolic_column(arrays: Ints, work: Contraction, *, spread: bool) -> Floats:
    """Cycles of a product on each of some systolic cores, as ``cost.systolic`` has them.

    Args:
        arrays: count, width and depth of each, [arrays, 3].
        work: the product.
        spread: over all cores, or on one.
    """
    count, width, depth = arrays.T
    cores = count if spread else np.ones_like(count)
    best = np.full(len(arrays), np.inf)
    for streamed, kept in ((work.m, work.n), (work.n, work.m)):
        blocks = work.batch * -(-kept // width) * -(-work.k // depth)
        cut = 1
        while cut <= cores.max():
            cycles = -(-blocks * cut // cores) * np.maximum(-(-streamed // cut), depth) + width + depth
            best = np.where(cut <= cores, np.minimum(best, cycles), best)
            cut *= 2
    return best
