"""How the time of a plan grows with layers, devices and choices; each line in a fresh interpreter, as users start it.

python benchmarks/placement.py [FILE.json]
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.clusters import read_cluster
from intarsia.models.transformer import Transformer, find_model, from_sizes
from intarsia.place import Choices, best_plan, check_plan
from intarsia.solvers import Found, Limits, OutOfTime

EFFICIENCY = Efficiency(
    matmul=0.747, flash=0.55, memory=0.764, misaligned=0.305, kernel=6e-6, host=6.84e-5, link=0.9, collective=3.4e-5,
    straggle=5.4e-5, error=0.09, source="fixed for this benchmark",
)  # fmt: skip
FEW = {"context": [1], "expert": [1], "interleave": [1], "order": ["1f1b"], "zero": [1], "recompute": ["full"]}


@dataclass(frozen=True)
class Question:
    """What is asked; ``layers`` for the model of 8,192 channels with so many, else a name of the catalogue."""

    about: str
    model: str
    cluster: str
    batch: int
    sequence: int
    few: bool = False
    layers: int = 0
    compare: bool = True


@dataclass(frozen=True)
class Line:
    """One answer; ``proved`` where bound and plan are equal, ``seconds`` of wall time with the interpreter's start."""

    about: str
    model: str
    cluster: str
    batch: int
    strategies: int
    splits: int
    step: float
    gap: float
    proved: bool
    seconds: float
    proof_seconds: float


QUESTIONS = (
    Question("published goals", "gpt3-175b", "a100x1024", 1536, 2048),
    Question("published goals", "gpt3-175b", "a100x1024", 4096, 2048),
    Question("published goals", "llama3-405b", "h100x16384", 2048, 8192),
    *(Question("layers", f"{n} × 8192", "h100x1024", 1024, 4096, layers=n, compare=False) for n in (24, 48, 96, 192)),
    *(Question("devices", "llama3-70b", f"h100x{n}", 4 * n, 8192, compare=False) for n in (64, 256, 1024, 4096, 16384)),
    *(
        Question("few choices", "llama3-70b", f"h100x{n}", 4 * n, 8192, few=True, compare=False)
        for n in (64, 1024, 16384)
    ),
    Question("experts", "mixtral-8x7b", "h100x256", 1024, 4096, compare=False),
    *(
        Question("published models", name, "tpuv4-likex1024", 4096, sequence, compare=False)
        for name, sequence in (("bert-large", 512), ("gpt2-xl", 1024), ("opt-350m", 2048), ("llama2-7b", 4096))
    ),
)


def model_of(question: Question) -> Transformer:
    """The model that a question names."""
    if not question.layers:
        return find_model(question.model)
    sizes = {"hidden": 8192, "heads": 64, "kv_heads": 8, "vocab": 128_256, "gated": True}
    return from_sizes(**sizes, layers=question.layers, sequence=question.sequence)  # type: ignore[arg-type]


def answer(question: Question) -> Line:
    """Find and check one plan."""
    start = time.perf_counter()
    model, cluster = model_of(question), read_cluster(question.cluster)
    choices = Choices().only(FEW) if question.few else Choices()
    outcome = best_plan(
        model, cluster, EFFICIENCY, question.batch, question.sequence, choices, Limits(seconds=300),
        compare=question.compare,
    )  # fmt: skip
    proof = time.perf_counter() - start
    plan = outcome.value if isinstance(outcome, Found) else outcome.best if isinstance(outcome, OutOfTime) else None
    if plan is None:
        raise SystemExit(f"no plan for {question}: {outcome}")
    wrong = check_plan(model, cluster, EFFICIENCY, question.batch, question.sequence, plan)
    if wrong:
        raise SystemExit("; ".join(wrong))
    return Line(
        question.about, question.model, question.cluster, question.batch, plan.removed.strategies,
        plan.removed.solved, plan.seconds, plan.gap, plan.optimal, 0.0, proof,
    )  # fmt: skip


def main(file: str = "") -> int:
    """Print the table and write it."""
    lines = []
    print(f"{'':16} {'model':14} {'cluster':16} {'batch':>6} {'strategies':>10} {'splits':>6} {'step':>9} {'wall':>8}")
    for index, question in enumerate(QUESTIONS):
        start = time.perf_counter()
        command = [sys.executable, __file__, "--one", str(index)]
        found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        line = Line(**{**json.loads(found), "seconds": time.perf_counter() - start})
        lines.append(line)
        print(
            f"{line.about:16} {question.model:14} {line.cluster:16} {line.batch:6} {line.strategies:10} {line.splits:6}"
            f" {line.step:7.3f} s {line.seconds:6.2f} s{'' if line.proved else f'  gap {100 * line.gap:.2g} %'}",
            flush=True,
        )
    if file:
        Path(file).write_text(json.dumps([asdict(line) for line in lines], indent=1) + "\n", encoding="utf-8")
    return 0 if all(line.proved for line in lines) else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(asdict(answer(QUESTIONS[int(sys.argv[2])]))))
        sys.exit(0)
    sys.exit(main(*sys.argv[1:]))
