"""Schedules of transformer-like layers (35, 46 and 60 operators, forward and backward) and of random layered graphs.

python benchmarks/schedule.py [FILE.json] [LIMIT] [transformer|layered|all]
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from intarsia.schedule import Kind, ScheduleProblem, Task, check, list_schedule, solve
from intarsia.solvers import Limits, OutOfTime

CORES = tuple((tensor, vector) for tensor in (1, 2, 3, 4, 6, 8) for vector in (1, 2, 4, 8))
SEEDS = range(3)


@dataclass(frozen=True)
class Line:
    """One problem; seconds of wall time and of this process's processor, without compiling the search."""

    graph: str
    tasks: int
    tensor_cores: int
    vector_cores: int
    makespan: float
    gap: float
    over_list: float
    nodes: int
    proved: bool
    seconds: float
    processor_seconds: float


class Layer:
    """Tasks of a transformer-like layer under construction; spreading costs up to a quarter more core-seconds."""

    def __init__(self, seed: int, cores: tuple[int, int]) -> None:
        self.random = random.Random(seed)
        self.cores = cores
        self.tasks: list[Task] = []

    def add(self, name: str, kind: Kind, work: float, *needs: str) -> None:
        """A task of so many operations (tensor, vector) or bytes (network)."""
        rate = {Kind.TENSOR: 50e12, Kind.VECTOR: 5e11, Kind.NETWORK: 2e11}[kind]
        one = together = work / rate + 2e-6
        if kind is not Kind.NETWORK:
            loss = self.random.uniform(1.0, 1.25 if kind is Kind.TENSOR else 1.4)
            together = work / rate / self.cores[kind is Kind.VECTOR] * loss + 2e-6
        self.tasks.append(Task(name, kind, one, together, tuple(dict.fromkeys(needs))))


def transformer(seed: int, cores: tuple[int, int], size: int) -> ScheduleProblem:
    """A layer of 35 operators; of 46 with separate projections; of 60 with gradient exchange and optimizer too."""
    layer = Layer(seed, cores)
    h, s = layer.random.choice((1024, 2048, 4096)), layer.random.choice((1024, 2048, 4096))
    t, f = s * layer.random.choice((1, 2)), layer.random.choice((4 * h, 8 * h // 3))
    T, V, N, split = Kind.TENSOR, Kind.VECTOR, Kind.NETWORK, size > 35
    scores, wide, square = 2 * t * s * h, 2 * t * f * h, 2 * t * h * h
    add = layer.add
    add("norm1", V, 5 * t * h)
    for name in ("q", "k", "v") if split else ("qkv",):
        add(name, T, square * (1 if split else 3), "norm1")
    for name in ("q", "k") if split else ():
        add(f"rope_{name}", V, 4 * t * h, name)
    add("scores", T, scores, *(("rope_q", "rope_k") if split else ("qkv",)))
    add("softmax", V, 5 * t * s * h // 128, "scores")
    add("attend", T, scores, "softmax", "v" if split else "qkv")
    add("proj", T, square, "attend")
    add("reduce1", N, 2 * t * h, "proj")
    add("norm2", V, 6 * t * h, "reduce1")
    for name in ("up", "gate"):
        add(name, T, wide, "norm2")
    add("act", V, 6 * t * f, "up", "gate")
    add("down", T, wide, "act")
    add("reduce2", N, 2 * t * h, "down")
    add("add", V, 2 * t * h, "reduce2")
    backward(layer, t, h, f, scores, split)
    if size > 46:
        for name in ("down", "up", "gate", "proj", "q", "k", "v"):
            weights = h * f if name in {"down", "up", "gate"} else h * h
            add(f"send_{name}", N, 2 * weights, f"w_{name}")
            add(f"step_{name}", V, 12 * weights, f"send_{name}")
    return ScheduleProblem(tuple(layer.tasks), *cores)


def backward(layer: Layer, t: int, h: int, f: int, scores: int, split: bool) -> None:  # noqa: FBT001
    """The gradients of inputs (d_) and weights (w_)."""
    T, V, N, wide, square = Kind.TENSOR, Kind.VECTOR, Kind.NETWORK, 2 * t * f * h, 2 * t * h * h
    add = layer.add
    add("d_down", T, wide, "add")
    add("w_down", T, wide, "add")
    add("d_act", V, 8 * t * f, "d_down")
    for name in ("up", "gate"):
        add(f"d_{name}", T, wide, "d_act")
        add(f"w_{name}", T, wide, "d_act")
    add("d_sum", V, 2 * t * h, "d_up", "d_gate")
    add("reduce3", N, 2 * t * h, "d_sum")
    add("d_norm2", V, 8 * t * h, "reduce3")
    add("d_proj", T, square, "d_norm2")
    add("w_proj", T, square, "d_norm2")
    add("d_scores", T, scores, "d_proj")
    add("d_values", T, scores, "d_proj")
    add("d_softmax", V, 6 * scores // 256, "d_scores")
    add("d_queries", T, scores, "d_softmax")
    add("d_keys", T, scores, "d_softmax")
    if split:
        add("d_rope_q", V, 4 * t * h, "d_queries")
        add("d_rope_k", V, 4 * t * h, "d_keys")
        for name, need in (("q", "d_rope_q"), ("k", "d_rope_k"), ("v", "d_values")):
            add(f"d_{name}", T, square, need)
            add(f"w_{name}", T, square, need)
        add("d_input", V, 3 * t * h, "d_q", "d_k", "d_v")
    else:
        add("d_input", T, 3 * square, "d_queries", "d_keys", "d_values")
        add("w_qkv", T, 3 * square, "d_queries", "d_keys", "d_values")
    add("reduce4", N, 2 * t * h, "d_input")
    add("d_norm1", V, 8 * t * h, "reduce4")


def layered(seed: int, cores: tuple[int, int], size: int) -> ScheduleProblem:
    """Random levels of up to five tasks; durations log-normal, the speed-up of spreading cores**0.5 to cores."""
    draw = random.Random(seed)
    tasks: list[Task] = []
    levels: list[list[str]] = []
    while len(tasks) < size:
        level = []
        for _ in range(min(draw.randint(1, 5), size - len(tasks))):
            kind = draw.choices((Kind.TENSOR, Kind.VECTOR, Kind.NETWORK), (5, 4, 1))[0]
            one = draw.lognormvariate(0, 0.7) * 1e-3
            together = one / cores[kind is Kind.VECTOR] ** draw.uniform(0.5, 1.0)
            needs = [name for earlier in levels[-2:] for name in earlier if draw.random() < 0.35]
            if levels and not needs:
                needs = [draw.choice(levels[-1])]
            level.append(f"t{len(tasks)}")
            tasks.append(Task(level[-1], kind, one, together, tuple(needs)))
        levels.append(level)
    return ScheduleProblem(tuple(tasks), *cores)


def measure(graph: str, problem: ScheduleProblem, limit: float) -> Line:
    """Solve one problem and check the answer."""
    started, used = time.perf_counter(), time.process_time()
    outcome = solve(problem, Limits(seconds=limit))
    seconds, processor = time.perf_counter() - started, time.process_time() - used
    schedule = outcome.best if isinstance(outcome, OutOfTime) else outcome.value
    assert not check(problem, schedule)
    over = list_schedule(problem).makespan / schedule.makespan - 1
    return Line(
        graph, len(problem.tasks), problem.tensor_cores, problem.vector_cores, schedule.makespan, schedule.gap, over,
        outcome.effort.nodes, schedule.optimal, seconds, processor,
    )  # fmt: skip


def main(file: str = "", limit: str = "20", which: str = "all") -> int:
    """Print the table and write it."""
    solve(layered(0, (2, 2), 20), Limits(seconds=60))
    found: list[Line] = []
    graphs = [("transformer", transformer, size) for size in (35, 46, 60)]
    graphs += [("layered", layered, size) for size in (40, 60)]
    print(f"{'graph':12} {'tasks':>5} {'runs':>5} {'proved':>6} {'<5 s':>5} {'median':>8} {'worst':>8} "
          f"{'worst cpu':>9} {'worst gap':>9} {'list over':>9}")  # fmt: skip
    for graph, build, size in graphs:
        if which not in {graph, "all"}:
            continue
        own = [measure(graph, build(seed, cores, size), float(limit)) for cores in CORES for seed in SEEDS]
        found += own
        times = [line.seconds for line in own]
        quick = sum(line.proved and line.seconds < 5 for line in own)
        print(
            f"{graph:12} {size:5} {len(own):5} {sum(line.proved for line in own):6} {quick:5}"
            f" {statistics.median(times):6.3f} s {max(times):6.3f} s {max(x.processor_seconds for x in own):7.3f} s"
            f" {100 * max(line.gap for line in own):7.3f} % {100 * statistics.mean(x.over_list for x in own):7.2f} %",
            flush=True,
        )
    if file:
        Path(file).write_text(json.dumps([asdict(line) for line in found], indent=1) + "\n", encoding="utf-8")
    return 0 if all(line.proved for line in found) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
