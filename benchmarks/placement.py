"""How the time of a plan grows with layers, devices and choices, each time in a fresh interpreter, as users start it.

    python benchmarks/placement.py [--limit SECONDS] [--json FILE]

First the best plan with its proof: of published questions; of one model with more and more layers; of one on more and
more devices; of one with more and more of what may be chosen. The efficiencies are those that ``plan`` takes. Then the
problem that the published dynamic program solves (``place/published.py``): a chain of layers whose stages all have one
tensor width and no other choice; the middle of several calls, without the interpreter's start.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from command import options, read, write

from intarsia.graph import Model
from intarsia.machines.chips import efficiency_of
from intarsia.machines.clusters import read_cluster
from intarsia.models import read_model
from intarsia.models.transformer import from_sizes
from intarsia.place import Choices, best_plan, check_plan
from intarsia.place.published import ChainProblem, place_chain
from intarsia.solvers import Found, Limits, OutOfTime

RESTRICTED: dict[str, dict[str, list[object]]] = {
    "interleave": {"interleave": [1]},
    "order": {"order": ["1f1b"]},
    "ZeRO": {"zero": [1]},
    "recompute": {"recompute": ["full"]},
    "context": {"context": [1]},
}
"""What the rows on choices leave free, one after the other; tensor, pipeline, data and microbatch are always free."""
CALLS = 7
"""Of the chain's program; the middle one counts."""


@dataclass(frozen=True)
class Question:
    """What is asked; ``layers`` for the model of 8,192 channels with so many, else a name of the catalogue."""

    about: str
    model: str
    cluster: str
    batch: int
    sequence: int
    fixed: tuple[str, ...] = ()
    layers: int = 0
    compare: bool = False


@dataclass(frozen=True)
class Line:
    """One answer.

    ``seconds`` are of wall time with the interpreter's start; ``strategies`` are all that make sense, ``solved`` those
    whose splits were searched; ``proved`` where bound and plan are equal.
    """

    about: str
    model: str
    cluster: str
    batch: int
    layers: int
    fixed: tuple[str, ...]
    strategies: int
    solved: int
    step: float
    gap: float
    proved: bool
    seconds: float


@dataclass(frozen=True)
class Chain:
    """One problem of the published program, and the middle of the seconds of its calls."""

    layers: int
    devices: int
    widths: tuple[int, ...]
    seconds: float


def growing_choices() -> Iterator[Question]:
    names = tuple(RESTRICTED)
    for free in range(len(names) + 1):
        about = f"+ {names[free - 1]}" if free else "four degrees"
        yield Question(about, "llama3-70b", "h100x1024", 4096, 8192, fixed=names[free:])


QUESTIONS = (
    Question("published goals", "gpt3-175b", "a100x1024", 1536, 2048, compare=True),
    Question("published goals", "gpt3-175b", "a100x1024", 4096, 2048, compare=True),
    Question("published goals", "llama3-405b", "h100x16384", 2048, 8192, compare=True),
    *(
        Question("published models", name, "tpuv4-likex1024", 4096, sequence)
        for name, sequence in (("bert-large", 512), ("gpt2-xl", 1024), ("opt-350m", 2048), ("llama2-7b", 4096))
    ),
    Question("experts", "mixtral-8x7b", "h100x256", 1024, 4096),
    *(Question("layers", f"{n} × 8192", "h100x1024", 1024, 4096, layers=n) for n in (24, 48, 96, 192)),
    *(Question("devices", "llama3-70b", f"h100x{n}", 4 * n, 8192) for n in (64, 256, 1024, 4096, 16384)),
    *growing_choices(),
)
CHAINS = tuple(
    (layers, devices, widths)
    for layers in (24, 48, 96)
    for devices in (1024, 2048, 4096)
    for widths in ((1,), (1, 2, 4, 8))
)


def model_of(question: Question) -> Model:
    """The model that a question names."""
    if not question.layers:
        return read_model(question.model)
    return from_sizes(
        hidden=8192,
        heads=64,
        layers=question.layers,
        sequence=question.sequence,
        kv_heads=8,
        vocab=128_256,
        gated=True,
    )


def answer(question: Question, limit: float) -> Line:
    """Find and check one plan."""
    model, cluster = model_of(question), read_cluster(question.cluster)
    efficiency = efficiency_of(cluster.chip)
    choices = Choices()
    for name in question.fixed:
        choices = choices.only(RESTRICTED[name])
    sizes = (question.batch, question.sequence)
    outcome = best_plan(model, cluster, efficiency, *sizes, choices, Limits(seconds=limit), compare=question.compare)
    plan = outcome.value if isinstance(outcome, Found) else outcome.best if isinstance(outcome, OutOfTime) else None
    if plan is None:
        raise SystemExit(f"no plan for {question}: {outcome}")
    wrong = check_plan(model, cluster, efficiency, *sizes, plan)
    if wrong:
        raise SystemExit("; ".join(wrong))
    return Line(
        question.about, question.model, question.cluster, question.batch, question.layers, question.fixed,
        plan.removed.strategies, plan.removed.solved, plan.seconds, plan.gap, plan.optimal, 0.0,
    )  # fmt: skip


def text(line: Line) -> str:
    gap = "" if line.proved else f"  gap {100 * line.gap:.2g} %"
    return (
        f"{line.about:16} {line.model:14} {line.cluster:16} {line.batch:6} {line.strategies:10,} {line.solved:6,}"
        f" {line.step:7.3f} s {line.seconds:6.2f} s{gap}"
    )


def place(layers: int, devices: int, widths: tuple[int, ...]) -> Chain:
    """Time the published program on a chain of layers that cost and keep up to four times as much as each other."""
    draw = random.Random(0)
    cost, size = (np.array([draw.uniform(0.5, 2.0) for _ in range(layers)]) for _ in range(2))
    share = 1 / np.array(widths)[:, None]
    problem = ChainProblem(
        widths=widths,
        seconds=cost * share * (1 + 0.1 * np.arange(len(widths))[:, None]),
        states=size * share,
        activations=0.2 * size * share,
        gradients=0.3 * size * share,
        devices=devices,
        microbatches=4096,
        capacity=64.0,
        bandwidth=1.0,
    )
    seconds = []
    for _ in range(CALLS):
        start = time.perf_counter()
        found = place_chain(problem)
        seconds.append(time.perf_counter() - start)
        assert found is not None
    return Chain(layers, devices, widths, statistics.median(seconds))


def plans(limit: float) -> Iterator[Line]:
    """The answer of every question, printed as it comes."""
    print(f"{'':16} {'model':14} {'cluster':16} {'batch':>6} {'strategies':>10} {'solved':>6} {'step':>9} {'wall':>8}")
    for index in range(len(QUESTIONS)):
        command = [sys.executable, __file__, "--one", str(index), "--limit", str(limit)]
        start = time.perf_counter()
        found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        line = Line(**{**json.loads(found), "seconds": time.perf_counter() - start})
        print(text(line), flush=True)
        yield line


def chains() -> Iterator[Chain]:
    """The published program's own problem, printed as it comes."""
    print(f"\n{'layers':>6} {'devices':>7} {'tensor widths':>13} {'seconds':>9}")
    for layers, devices, widths in CHAINS:
        chain = place(layers, devices, widths)
        print(f"{layers:6} {devices:7} {', '.join(map(str, widths)):>13} {chain.seconds:9.4f}", flush=True)
        yield chain


def main() -> None:
    """Print the tables and write them."""
    parser = options(__doc__)
    parser.add_argument("--limit", metavar="SECONDS", type=float, default=300.0, help="of each plan (default 300)")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)  # what the fresh interpreter is asked
    arguments = read(parser)
    if arguments.one is not None:
        print(json.dumps(asdict(answer(QUESTIONS[arguments.one], arguments.limit))))
        return
    found = [asdict(line) for line in plans(arguments.limit)]
    write(arguments.json, {"plans": found, "chains": [asdict(chain) for chain in chains()]})


if __name__ == "__main__":
    main()
