"""The slow, obvious twin of the search: every strategy, every composition of the layers, every vector of modes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise, product

from intarsia.graph import Recompute
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.place import Profile, Split, Strategy, demands, stage_memory, step_time
from intarsia.place.published import ChainProblem
from intarsia.place.space import Task, degrees, strategy_of, units_of, variants


def strategies(task: Task, efficiency: Efficiency) -> Iterator[tuple[Profile, Strategy]]:
    """Every strategy of a task with its profile."""
    for variant in variants(task):
        profile = demands(task.model, variant, task.cluster).priced(efficiency)
        for own in degrees(task, variant, [item.layer for item in profile.layers]):
            yield profile, strategy_of(task, variant, own)


def splits(profile: Profile, stages: int) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Every way to cut the chain, loss and head in one piece."""
    units = units_of([item.layer for item in profile.layers])
    for cuts in combinations(range(1, len(units)), stages - 1):
        borders = [0, *cuts, len(units)]
        rows = []
        for start, stop in pairwise(borders):
            row = [0] * len(profile.layers)
            for unit in units[start:stop]:
                for kind in unit:
                    row[kind] += 1
            rows.append(tuple(row))
        yield tuple(rows)


def best_split(
    profile: Profile, strategy: Strategy, modes: tuple[Recompute, ...], capacity: int
) -> tuple[float, Split] | None:
    """The best split of one strategy, by trying all."""
    repeated = [kind for kind, item in enumerate(profile.layers) if item.layer.repeat > 1]
    best: tuple[float, Split] | None = None
    for counts in splits(profile, strategy.pipeline):
        if strategy.interleave > 1 and any(
            row[repeated[0]] == 0 or row[repeated[0]] % strategy.interleave for row in counts
        ):
            continue
        for vector in product(modes, repeat=strategy.pipeline):
            split = Split(counts, vector)
            if any(stage_memory(profile, strategy, split, s).total > capacity for s in range(strategy.pipeline)):
                continue
            seconds = step_time(profile, strategy, split).seconds
            if best is None or seconds < best[0]:
                best = seconds, split
    return best


def best(task: Task, efficiency: Efficiency) -> tuple[float, Strategy, Split] | None:
    """The best plan, by trying all."""
    found: tuple[float, Strategy, Split] | None = None
    for profile, strategy in strategies(task, efficiency):
        own = best_split(profile, strategy, task.choices.recompute, task.cluster.chip.hbm_bytes)
        if own is not None and (found is None or own[0] < found[0]):
            found = own[0], strategy, own[1]
    return found


def published(problem: ChainProblem) -> float:
    """The published recurrence, literally: the slowest load of the layers from a on, with k devices and S stages."""
    best = float("inf")
    layers = problem.layers
    for width, tensor in enumerate(problem.widths):
        table: dict[tuple[int, int, int], float] = {(layers, 0, 0): 0.0}
        for stages in range(1, layers + 1):
            for devices in range(tensor, problem.devices + 1):
                for start in range(layers):
                    least = float("inf")
                    for stop in range(start + 1, layers + 1):
                        load = sum(problem.seconds[width, start:stop])
                        held = sum(problem.states[width, start:stop])
                        held += stages * sum(problem.activations[width, start:stop])
                        rest = table.get((stop, devices - tensor, stages - 1), float("inf"))
                        if held <= problem.capacity:
                            least = min(least, max(load, rest))
                    table[start, devices, stages] = least
            for devices in range(tensor, problem.devices + 1):
                best = min(best, problem.iteration(width, stages, table[0, devices, stages]))
    return best
