"""Lower bounds on the makespan of a layer's passes for many template chips at once, as columns.

A pass takes at least its critical path with every task as short as it gets, the work of each kind of core with every
task at its fewest core-seconds, and the HBM's seconds. Durations are those of ``place.tasks``, from the same formulas.

Where a chip has a second kind of tensor cores, a product is as short as it gets on either; and its work counts with
prices of the kinds, as ``schedule.mixed.bound`` explains: those at which equal use of both kinds costs the same.

A task's durations depend on few fields of a chip: they are worked out once for each combination of those (a *table*),
and looked up. ``coarse`` adds what it needs in the tables, and is quick for millions of chips; ``seconds`` is sharper.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from intarsia.cost import Placed, collective_seconds
from intarsia.cost.demand import few_rows, misaligned
from intarsia.cost.layer import Groups
from intarsia.cost.systolic import products_of, seen, systolic_cycles
from intarsia.cost.traffic import product_bytes
from intarsia.cost.vector import cycles_of
from intarsia.graph import Collective, Contraction, Elementwise, FusedAttention, Group, Lookup, Node, Variant
from intarsia.machines.chips import Mapping
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.clusters import Cluster
from intarsia.machines.template import Points
from intarsia.search.cores import Cores, cores_of
from intarsia.search.question import linked

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Product = Contraction | FusedAttention
KINDS = {
    "tensor": ("tensor_cores", "width", "depth", "buffer_mib", "clock", "hbm_bandwidth"),
    "vector": ("vector_cores", "vector_width", "clock", "hbm_bandwidth"),
    "network": ("link_bandwidth",),
}
"""Of each kind of task, the fields that its durations depend on."""
MORE = ("more_cores", "more_width", "more_depth")
"""Those of the second kind of tensor cores, where a chip of the space has one."""
REFERENCES = 3
"""Chips whose critical paths are tried on all."""
CHUNK = 1 << 14
"""Chips that are looked at together where all tasks of a pass are looked up for each."""


@dataclass(frozen=True, slots=True)
class _Task:
    """Durations on each chip of a table: the shortest, the fewest core-seconds, on all cores; bytes through the HBM."""

    shortest: Floats
    energy: Floats
    spread: Floats
    moved: Floats
    kind: str

    def of(self, rows: NDArray[np.int32]) -> _Task:
        """The same for rows of the table."""
        return _Task(self.shortest[rows], self.energy[rows], self.spread[rows], self.moved[rows], self.kind)


@dataclass(frozen=True, slots=True)
class _Table:
    """The different chips, as far as a kind of task can tell them apart.

    Attributes:
        points: one of each.
        cores: of the kind, on each.
        row: of every chip of the space, its place here.
    """

    points: Points
    cores: Floats
    row: NDArray[np.int32]


@dataclass
class Rough:
    """Bounds for the points of a space on one kind of cluster.

    Attributes:
        points: the chips.
        cluster: its network.
        efficiency: of all of them.
        mapping: how products are laid on their tensor cores.
    """

    points: Points
    cluster: Cluster
    efficiency: Efficiency
    mapping: Mapping = Mapping.EMBEDDED
    _tasks: dict[object, _Task] = field(default_factory=dict)
    _least: dict[object, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._tables = {kind: _table(self.points, kind) for kind in KINDS}
        points = self._tables["tensor"].points
        self._first = cores_of(points.tensor_cores, points.width, points.depth)
        self._second = cores_of(points.more_cores, points.more_width, points.more_depth)
        step = max(len(self.points) // REFERENCES, 1)
        self._references: Ints = np.arange(step // 2, len(self.points), step)

    def groups(self, variant: Variant) -> Groups:
        """Where the ranks of a variant's collectives are."""
        return {
            Group.TENSOR: Placed(variant.tensor, 1),
            Group.CONTEXT: Placed(variant.context, variant.tensor),
            Group.EXPERT: Placed(variant.expert, variant.tensor),
        }

    def seconds(self, nodes: tuple[Node, ...], groups: Groups, rows: Ints) -> Floats:
        """At least so long takes a pass of these nodes on some chips.

        Tasks that start after a head and are followed by a tail need head + work ÷ cores + tail.

        Args:
            nodes: of the pass.
            groups: where the ranks of collectives are.
            rows: the chips.

        Returns:
            seconds, [rows].
        """
        parts = [self._seconds(nodes, groups, rows[at : at + CHUNK]) for at in range(0, len(rows), CHUNK)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _seconds(self, nodes: tuple[Node, ...], groups: Groups, rows: Ints) -> Floats:
        where = {kind: table.row[rows] for kind, table in self._tables.items()}
        tasks = {node.name: self._task(node, groups) for node in nodes}
        tasks = {name: task.of(where[task.kind]) for name, task in tasks.items()}
        needs = _needs(nodes)
        zero = np.zeros(len(rows))
        heads: dict[str, Floats] = {}
        for name, its in needs.items():
            heads[name] = reduce(np.maximum, [heads[need] + tasks[need].shortest for need in its], zero)
        longest = reduce(np.maximum, [heads[name] + tasks[name].shortest for name in tasks], zero)
        tails = _tails(tasks, needs, zero)
        for kind, table in self._tables.items():
            own = [name for name in tasks if tasks[name].kind == kind]
            if own:
                work = [tasks[name].energy / table.cores[where[kind]] for name in own]
                stacked = [np.stack(columns) for columns in ([heads[n] for n in own], [tails[n] for n in own], work)]
                longest = np.maximum(longest, _windows(*stacked))
        flow = self.points.hbm_bandwidth[rows] * self.efficiency.memory
        return np.maximum(longest, sum((task.moved for task in tasks.values()), zero) / flow)

    def coarse(self, nodes: tuple[Node, ...], groups: Groups, rows: Ints) -> Floats:
        """At least so long takes a pass of these nodes, less sharp but quick: work, HBM, and a few paths.

        Returns:
            seconds, [rows].
        """
        where = {kind: table.row[rows] for kind, table in self._tables.items()}
        single, paths = self._summed(nodes, groups)
        found = reduce(np.maximum, [column[where[kind]] for kind, column in single.items()])
        for path in paths:
            found = np.maximum(found, reduce(np.add, [column[where[kind]] for kind, column in path.items()]))
        return np.asarray(found)

    def least(self, nodes: tuple[Node, ...], groups: Groups) -> float:
        """At least so long takes a pass of these nodes on any of the chips."""
        asked = (nodes, tuple(groups.items()))
        if asked not in self._least:
            single, paths = self._summed(nodes, groups)
            found = max(float(column.min()) for column in single.values())
            along = [sum(float(column.min()) for column in path.values()) for path in paths]
            self._least[asked] = max([found, *along])
        return self._least[asked]

    def weights(self, nodes: tuple[Node, ...], groups: Groups, rows: Ints) -> Floats:
        """Seconds of those products of a pass that make weight gradients, each on all cores, on some chips."""
        found = np.zeros(len(rows))
        for node in nodes:
            if isinstance(node.work, Contraction) and node.work.accumulates:
                task = self._task(node, groups)
                found += task.spread[self._tables[task.kind].row[rows]]
        return found

    def _summed(self, nodes: tuple[Node, ...], groups: Groups) -> tuple[dict[str, Floats], list[dict[str, Floats]]]:
        """For each kind a lower bound by its table; and for some paths what each kind adds, by its table."""
        tasks = {node.name: self._task(node, groups) for node in nodes}
        single: dict[str, Floats] = {}
        for kind, table in self._tables.items():
            own = [task.energy for task in tasks.values() if task.kind == kind]
            single[kind] = reduce(np.add, own, np.zeros(len(table.cores))) / table.cores
        tensor = self._tables["tensor"].points
        others = sum(float(task.moved[0]) for task in tasks.values() if task.kind != "tensor")
        moved = reduce(np.add, [t.moved for t in tasks.values() if t.kind == "tensor"], np.full(len(tensor), others))
        single["tensor"] = np.maximum(single["tensor"], moved / (tensor.hbm_bandwidth * self.efficiency.memory))
        paths = []
        for path in {self._path(nodes, tasks, int(row)) for row in self._references}:
            adds = {kind: np.zeros(len(table.cores)) for kind, table in self._tables.items()}
            for name in path:
                adds[tasks[name].kind] = adds[tasks[name].kind] + tasks[name].shortest
            paths.append(adds)
        return single, paths

    def _path(self, nodes: tuple[Node, ...], tasks: dict[str, _Task], row: int) -> tuple[str, ...]:
        """The critical path of a pass on one chip, each task at its shortest."""
        best: dict[str, tuple[float, tuple[str, ...]]] = {"": (0.0, ())}
        for name, its in _needs(nodes).items():
            before, path = max((best[need] for need in its), default=(0.0, ()))
            own = float(tasks[name].shortest[self._tables[tasks[name].kind].row[row]])
            best[name] = (before + own, (*path, name))
        return max(best.values())[1]

    def _task(self, node: Node, groups: Groups) -> _Task:
        work = node.work
        if isinstance(work, Collective):
            group = groups[work.group]
            links = self._tables["network"].points.link_bandwidth
            lasts = np.array(
                [
                    collective_seconds(
                        work.pattern, work.bytes_whole, group, linked(self.cluster, own), self.efficiency
                    )
                    for own in links.tolist()
                ]
            )
            return _Task(lasts, lasts, lasts, np.zeros(len(lasts)), "network")
        if work not in self._tasks:
            self._tasks[work] = self._kernel(work)
        return self._tasks[work]

    def _kernel(self, work: Product | Elementwise | Lookup) -> _Task:
        kind = "tensor" if isinstance(work, Contraction | FusedAttention) else "vector"
        points, cores = self._tables[kind].points, self._tables[kind].cores
        one: Floats
        every: Floats
        moved = np.full(len(points), float(work.bytes_moved))
        match work:
            case Contraction():
                one, every = self._products(work, self._first)
                sizes, size = np.unique(points.buffer_mib, return_inverse=True)
                moved = np.array([product_bytes(work, mib << 20) for mib in sizes.tolist()], dtype=np.float64)[size]
            case FusedAttention():
                one, every = self._products(work, self._first)
            case Elementwise():
                one = cycles_of(work) / points.clock / points.vector_width.astype(np.float64)
                every = one / cores
            case Lookup():
                one = every = np.zeros(len(points))
        flow, kernel = points.hbm_bandwidth * self.efficiency.memory, self.efficiency.kernel
        alone = np.maximum(one, moved * cores / flow) + kernel
        spread = np.maximum(every, moved / flow) + kernel
        first = _Task(np.minimum(alone, spread), np.minimum(alone, spread * cores), spread, moved, kind)
        if isinstance(work, Contraction | FusedAttention) and points.more_cores.any():
            return self._either(work, first)
        return first

    def _either(self, work: Product, first: _Task) -> _Task:
        """A product that may run on the second kind as well, where there is one."""
        points, there = self._tables["tensor"].points, self._second
        flow, kernel = points.hbm_bandwidth * self.efficiency.memory, self.efficiency.kernel
        one, every = self._products(work, there)
        alone = np.maximum(one, first.moved * there.count / flow) + kernel
        spread = np.maximum(every, first.moved / flow) + kernel
        share = self._first.cells / (self._first.cells + there.cells)
        energy = np.minimum(
            share * first.energy, (1 - share) * np.minimum(alone / there.count, spread) * self._first.count
        )
        has = points.more_cores > 0
        return _Task(
            np.where(has, np.minimum(first.shortest, np.minimum(alone, spread)), first.shortest),
            np.where(has, energy, first.energy),
            np.where(has, np.minimum(first.spread, spread), first.spread),
            first.moved,
            first.kind,
        )

    def _products(self, work: Product, on: Cores) -> tuple[Floats, Floats]:
        """Seconds on one core of a kind of each chip, and spread over all."""
        if isinstance(work, FusedAttention):
            return self._fused(work, on, spread=False), self._fused(work, on, spread=True)
        reached = self.efficiency.matmul * (self.efficiency.misaligned if misaligned(work) else 1.0)
        rate = self._tables["tensor"].points.clock * reached
        return self._cycles((work,), on, spread=False) / rate, self._cycles((work,), on, spread=True) / rate

    def _fused(self, work: FusedAttention, on: Cores, *, spread: bool) -> Floats:
        points = self._tables["tensor"].points
        products = self._cycles(products_of(work), on, spread=spread) / points.clock
        if not few_rows(work):
            return seen(work) * products / self.efficiency.flash
        cells = on.cells if spread else on.cells / on.count
        packed = work.flops / (2 * cells * points.clock)
        return np.maximum(packed / self.efficiency.flash, products / self.efficiency.matmul)

    def _cycles(self, products: tuple[Contraction, ...], on: Cores, *, spread: bool) -> Floats:
        """Of products one after the other on one core of a kind of each chip, or spread over all."""
        count, width, depth = on.arrays.T
        cores = count if spread else np.ones_like(count)
        every = [systolic_cycles(product, self.mapping, cores, width, depth) for product in products]
        return reduce(np.add, every)[on.which].astype(np.float64)


def _table(points: Points, kind: str) -> _Table:
    fields = (*KINDS[kind], *MORE) if kind == "tensor" and points.more_cores.any() else KINDS[kind]
    columns = np.stack([getattr(points, name) for name in fields], axis=1).astype(np.float64)
    _, first, row = np.unique(columns, axis=0, return_index=True, return_inverse=True)
    found = points.rows(first)
    cores = {"tensor": found.tensor_cores, "vector": found.vector_cores, "network": np.ones(len(first))}[kind]
    return _Table(found, cores.astype(np.float64), row.ravel().astype(np.int32))


def _needs(nodes: tuple[Node, ...]) -> dict[str, list[str]]:
    """Of each node, those of the same pass that it waits for."""
    names = {node.name for node in nodes}
    return {node.name: [need for need in node.needs if need in names] for node in nodes}


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
