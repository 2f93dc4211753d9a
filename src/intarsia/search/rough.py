"""Lower bounds on the makespan of a layer's passes for many template chips at once, as columns.

A pass takes at least its critical path with every task as short as it gets, the work of each kind of core with every
task at its fewest core-seconds, and the HBM's seconds. What tasks take is looked up (``durations.py``). ``coarse`` adds
what it needs in the tables, and is quick for millions of chips; ``seconds`` is sharper (``windows.py``).
"""

from __future__ import annotations

from functools import reduce

import numpy as np
from numpy.typing import NDArray

from intarsia.cost import Placed
from intarsia.cost.layer import Groups
from intarsia.graph import Contraction, Group, Node, Variant
from intarsia.machines.chips import Mapping
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.clusters import Cluster
from intarsia.machines.template import Points
from intarsia.search.durations import Durations, Task
from intarsia.search.windows import needs_of, raise_to_windows, tails_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
REFERENCES = 3
"""Chips whose critical paths are tried on all."""
CHUNK = 1 << 14
"""Chips that are looked at together where all tasks of a pass are looked up for each."""


class Rough:
    """Bounds for the points of a space on one kind of cluster; what it is given is that of ``Durations``."""

    def __init__(
        self,
        points: Points,
        cluster: Cluster,
        efficiency: Efficiency,
        mapping: Mapping = Mapping.EMBEDDED,
        *,
        monotone: bool = False,
    ) -> None:
        self._durations = Durations(points, cluster, efficiency, mapping, monotone)
        self._tables = self._durations.tables
        self._least: dict[object, float] = {}
        step = max(len(points) // REFERENCES, 1)
        self._references: Ints = np.arange(step // 2, len(points), step)

    @staticmethod
    def groups_of(variant: Variant) -> Groups:
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
        tasks = {node.name: self._durations.of(node, groups) for node in nodes}
        tasks = {name: task.of(where[task.kind]) for name, task in tasks.items()}
        needs = needs_of(nodes)
        zero = np.zeros(len(rows))
        heads: dict[str, Floats] = {}
        for name, its in needs.items():
            heads[name] = reduce(np.maximum, [heads[need] + tasks[need].shortest for need in its], zero)
        longest = reduce(np.maximum, [heads[name] + tasks[name].shortest for name in tasks], zero)
        tails = tails_of(tasks, needs, zero)
        for kind, table in self._tables.items():
            own = [name for name in tasks if tasks[name].kind == kind]
            if own:
                work = [tasks[name].energy / table.cores[where[kind]] for name in own]
                columns = ([heads[n] for n in own], [tails[n] for n in own], work)
                raise_to_windows(longest, *(np.stack(column, axis=1) for column in columns))
        chips = self._durations
        flow = chips.points.hbm_bandwidth[rows] * chips.efficiency.memory
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
                task = self._durations.of(node, groups)
                found += task.spread[self._tables[task.kind].row[rows]]
        return found

    def _summed(self, nodes: tuple[Node, ...], groups: Groups) -> tuple[dict[str, Floats], list[dict[str, Floats]]]:
        """For each kind a lower bound by its table; and for some paths what each kind adds, by its table."""
        tasks = {node.name: self._durations.of(node, groups) for node in nodes}
        single: dict[str, Floats] = {}
        for kind, table in self._tables.items():
            own = [task.energy for task in tasks.values() if task.kind == kind]
            single[kind] = reduce(np.add, own, np.zeros(len(table.cores))) / table.cores
        tensor = self._tables["tensor"].points
        others = sum(float(task.moved[0]) for task in tasks.values() if task.kind != "tensor")
        moved = reduce(np.add, [t.moved for t in tasks.values() if t.kind == "tensor"], np.full(len(tensor), others))
        single["tensor"] = np.maximum(
            single["tensor"], moved / (tensor.hbm_bandwidth * self._durations.efficiency.memory)
        )
        paths = []
        for path in {self._path(nodes, tasks, int(row)) for row in self._references}:
            adds = {kind: np.zeros(len(table.cores)) for kind, table in self._tables.items()}
            for name in path:
                adds[tasks[name].kind] = adds[tasks[name].kind] + tasks[name].shortest
            paths.append(adds)
        return single, paths

    def _path(self, nodes: tuple[Node, ...], tasks: dict[str, Task], row: int) -> tuple[str, ...]:
        """The critical path of a pass on one chip, each task at its shortest."""
        best: dict[str, tuple[float, tuple[str, ...]]] = {"": (0.0, ())}
        for name, its in needs_of(nodes).items():
            before, path = max((best[need] for need in its), default=(0.0, ()))
            own = float(tasks[name].shortest[self._tables[tasks[name].kind].row[row]])
            best[name] = (before + own, (*path, name))
        return max(best.values())[1]
