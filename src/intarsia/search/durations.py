"""What every task takes on every chip: worked out once for each combination of the few fields that it depends on.

Durations are those of ``place.tasks``, from the same formulas, as columns over the rows of a *table*, which has one row
for each such combination. Where a chip has a second kind of tensor cores, a product is as short as it gets on either;
and its work counts with prices of the kinds, as ``schedule.mixed.bound`` explains: those at which equal use of both
kinds costs the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from intarsia.cost import collective_seconds
from intarsia.cost.demand import few_rows, misaligned
from intarsia.cost.layer import Groups
from intarsia.cost.systolic import products_of, seen, systolic_cycles
from intarsia.cost.traffic import product_bytes
from intarsia.cost.vector import cycles_of
from intarsia.graph import Collective, Contraction, Elementwise, FusedAttention, Lookup, Node
from intarsia.machines.chips import Mapping
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.clusters import Cluster
from intarsia.machines.template import Points
from intarsia.search.cores import Cores, cores_of
from intarsia.search.question import linked

Floats = NDArray[np.float64]
Product = Contraction | FusedAttention
KINDS = {
    "tensor": ("tensor_cores", "width", "depth", "buffer_mib", "clock", "hbm_bandwidth"),
    "vector": ("vector_cores", "vector_width", "clock", "hbm_bandwidth"),
    "network": ("link_bandwidth",),
}
"""Of each kind of task, the fields that its durations depend on."""
MORE = ("more_cores", "more_width", "more_depth")
"""Those of the second kind of tensor cores, where a chip of the space has one."""


@dataclass(frozen=True, slots=True)
class Task:
    """Durations on each chip of a table: the shortest, the fewest core-seconds, on all cores; bytes through the HBM."""

    shortest: Floats
    energy: Floats
    spread: Floats
    moved: Floats
    kind: str

    def of(self, rows: NDArray[np.int32]) -> Task:
        """The same for rows of the table."""
        return Task(self.shortest[rows], self.energy[rows], self.spread[rows], self.moved[rows], self.kind)


@dataclass(frozen=True, slots=True)
class Table:
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
class Durations:
    """Of every task on the points of a space, on one kind of cluster.

    Attributes:
        points: the chips.
        cluster: its network.
        efficiency: of all of them.
        mapping: how products are laid on their tensor cores.
        monotone: products take a little less where that is so of larger ones; for tasks without windows.
    """

    points: Points
    cluster: Cluster
    efficiency: Efficiency
    mapping: Mapping
    monotone: bool = False
    _tasks: dict[object, Task] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tables = {kind: _table(self.points, kind) for kind in KINDS}
        points = self.tables["tensor"].points
        self._first = cores_of(points.tensor_cores, points.width, points.depth)
        self._second = cores_of(points.more_cores, points.more_width, points.more_depth)

    def of(self, node: Node, groups: Groups) -> Task:
        """Of a node, with the ranks of its collective where they are."""
        work = node.work
        if isinstance(work, Collective):
            group = groups[work.group]
            links = self.tables["network"].points.link_bandwidth
            lasts = np.array(
                [
                    collective_seconds(
                        work.pattern, work.bytes_whole, group, linked(self.cluster, own), self.efficiency
                    )
                    for own in links.tolist()
                ]
            )
            return Task(lasts, lasts, lasts, np.zeros(len(lasts)), "network")
        if work not in self._tasks:
            self._tasks[work] = self._kernel(work)
        return self._tasks[work]

    def _kernel(self, work: Product | Elementwise | Lookup) -> Task:
        kind = "tensor" if isinstance(work, Contraction | FusedAttention) else "vector"
        points, cores = self.tables[kind].points, self.tables[kind].cores
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
        first = Task(np.minimum(alone, spread), np.minimum(alone, spread * cores), spread, moved, kind)
        if isinstance(work, Contraction | FusedAttention) and points.more_cores.any():
            return self._either(work, first)
        return first

    def _either(self, work: Product, first: Task) -> Task:
        """A product that may run on the second kind as well, where there is one."""
        points, there = self.tables["tensor"].points, self._second
        flow, kernel = points.hbm_bandwidth * self.efficiency.memory, self.efficiency.kernel
        one, every = self._products(work, there)
        alone = np.maximum(one, first.moved * there.count / flow) + kernel
        spread = np.maximum(every, first.moved / flow) + kernel
        share = self._first.cells / (self._first.cells + there.cells)
        energy = np.minimum(
            share * first.energy, (1 - share) * np.minimum(alone / there.count, spread) * self._first.count
        )
        has = points.more_cores > 0
        return Task(
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
        rate = self.tables["tensor"].points.clock * reached
        return self._cycles((work,), on, spread=False) / rate, self._cycles((work,), on, spread=True) / rate

    def _fused(self, work: FusedAttention, on: Cores, *, spread: bool) -> Floats:
        points = self.tables["tensor"].points
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
        every = [
            systolic_cycles(product, self.mapping, cores, width, depth, monotone=self.monotone) for product in products
        ]
        return reduce(np.add, every)[on.which].astype(np.float64)


def _table(points: Points, kind: str) -> Table:
    fields = (*KINDS[kind], *MORE) if kind == "tensor" and points.more_cores.any() else KINDS[kind]
    columns = np.stack([getattr(points, name) for name in fields], axis=1).astype(np.float64)
    _, first, row = np.unique(columns, axis=0, return_index=True, return_inverse=True)
    found = points.rows(first)
    cores = {"tensor": found.tensor_cores, "vector": found.vector_cores, "network": np.ones(len(first))}[kind]
    return Table(found, cores.astype(np.float64), row.ravel().astype(np.int32))
