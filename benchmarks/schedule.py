"""Schedules of transformer-like layers (35, 46 and 60 operators, forward and backward) and of random layered graphs.

    python benchmarks/schedule.py [--graphs transformer|layered|all] [--seeds FIRST LAST] [--limit SECONDS]
                                  [--json FILE]

Each on every number of cores, with three draws of its sizes (or those of other seeds).
What takes longer than 5 s is listed under the table.
"""

from __future__ import annotations

import random
import statistics
import time
from dataclasses import asdict, dataclass

from command import options, read, write

from intarsia.schedule import Kind, ScheduleProblem, Task, check, list_schedule, solve
from intarsia.solvers import Limits, OutOfTime

CORES = tuple((tensor, vector) for tensor in (1, 2, 3, 4, 6, 8) for vector in (1, 2, 4, 8))
GRAPHS = (*(("transformer", size) for size in (35, 46, 60)), *(("layered", size) for size in (40, 60)))
LONG = 5.0
"""Seconds in which a schedule should be proved."""


@dataclass(frozen=True)
class Line:
    """One problem; seconds of wall time and of this process's processor, without compiling the search."""

    graph: str
    tasks: int
    tensor_cores: int
    vector_cores: int
    seed: int
    makespan: float
    gap: float
    over_list: float
    nodes: int
    proved: bool
    seconds: float
    processor_seconds: float

    @property
    def quick(self) -> bool:
        return self.proved and self.seconds < LONG


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
    backward(layer, t, h, f, scores, split=split)
    if size > 46:
        for name in ("down", "up", "gate", "proj", "q", "k", "v"):
            weights = h * f if name in {"down", "up", "gate"} else h * h
            add(f"send_{name}", N, 2 * weights, f"w_{name}")
            add(f"step_{name}", V, 12 * weights, f"send_{name}")
    return ScheduleProblem(tuple(layer.tasks), *cores)


def backward(layer: Layer, t: int, h: int, f: int, scores: int, *, split: bool) -> None:
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


def measure(graph: str, size: int, seed: int, cores: tuple[int, int], limit: float) -> Line:
    """Solve one problem and check the answer."""
    problem = (transformer if graph == "transformer" else layered)(seed, cores, size)
    started, used = time.perf_counter(), time.process_time()
    outcome = solve(problem, Limits(seconds=limit))
    seconds, processor = time.perf_counter() - started, time.process_time() - used
    schedule = outcome.best if isinstance(outcome, OutOfTime) else outcome.value
    assert not check(problem, schedule)
    over = list_schedule(problem).makespan / schedule.makespan - 1
    return Line(
        graph, len(problem.tasks), *cores, seed, schedule.makespan, schedule.gap, over,
        outcome.effort.nodes, schedule.optimal, seconds, processor,
    )  # fmt: skip


def row(own: list[Line]) -> str:
    """The problems of one graph."""
    times = [line.seconds for line in own]
    return (
        f"{own[0].graph:12} {own[0].tasks:5} {len(own):5} {sum(line.proved for line in own):6}"
        f" {sum(line.quick for line in own):5} {statistics.median(times):6.3f} s {max(times):6.3f} s"
        f" {max(line.processor_seconds for line in own):7.3f} s {100 * max(line.gap for line in own):7.3f} %"
        f" {100 * statistics.mean(line.over_list for line in own):7.2f} %"
    )


def summary(found: list[Line]) -> None:
    """The whole, and each problem that took long or was not proved."""
    names = sorted({line.graph for line in found}, reverse=True)
    for own in ([line for line in found if line.graph == name] for name in names):
        print(
            f"{own[0].graph}: {len(own)} problems, {sum(line.proved for line in own)} proved,"
            f" {sum(line.quick for line in own)} within {LONG:.0f} s, worst {max(line.seconds for line in own):.2f} s,"
            f" total {sum(line.seconds for line in own):.0f} s"
        )
    for line in (line for line in found if not line.quick):
        told = "proved" if line.proved else f"gap {100 * line.gap:.3f} %"
        cores = f"{line.tensor_cores} + {line.vector_cores} cores"
        print(f"  {line.graph} of {line.tasks}, {cores}, seed {line.seed}: {line.seconds:.2f} s, {told}")


def main() -> None:
    """Print the table and write it."""
    parser = options(__doc__)
    parser.add_argument("--graphs", choices=("transformer", "layered", "all"), default="all")
    parser.add_argument("--seeds", metavar=("FIRST", "LAST"), nargs=2, type=int, default=(0, 2), help="default 0 2")
    parser.add_argument("--limit", metavar="SECONDS", type=float, default=20.0, help="of each proof (default 20)")
    arguments = read(parser)
    seeds = range(arguments.seeds[0], arguments.seeds[1] + 1)
    solve(layered(0, (2, 2), 20), Limits(seconds=60))  # compiles the search
    found: list[Line] = []
    print(f"{'graph':12} {'tasks':>5} {'runs':>5} {'proved':>6} {'<5 s':>5} {'median':>8} {'worst':>8} "
          f"{'worst cpu':>9} {'worst gap':>9} {'list over':>9}")  # fmt: skip
    for graph, size in GRAPHS:
        if arguments.graphs in {graph, "all"}:
            own = [measure(graph, size, seed, cores, arguments.limit) for cores in CORES for seed in seeds]
            print(row(own), flush=True)
            found += own
    summary(found)
    write(arguments.json, [asdict(line) for line in found])


if __name__ == "__main__":
    main()
