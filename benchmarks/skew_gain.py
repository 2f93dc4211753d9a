"""What skewed embeddings gain over the best aligned and fused ones: calls of each, with and without duplication.

    python benchmarks/skew_gain.py [--layer NAME ...] [--limit SECONDS] [--json FILE]

Requirements: none; ``inputs-once`` (no activation is packed twice; weights, which are constant and packed before the
run, may be, as a banded matrix needs); on VTA also ``constant-only`` (activations stay row-major, only weights are
rearranged) and ``no-duplication`` (neither is packed twice, which leaves a banded matrix no room).
A value is *proved* if no embedding of its family needs fewer calls. A skewed value that is not proved is still an
embedding that was found and checked, so it is what is gained at least if the fused value is proved.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import exp, log

from command import options, read, write

from intarsia.embed import Embedding, EmbeddingProblem, Family, Requirement, optimise
from intarsia.embed.check import check
from intarsia.machines import find_instruction
from intarsia.operators import Operator, read_operator
from intarsia.solvers import Found, Infeasible

FAMILIES: tuple[Family, ...] = ("aligned", "fused", "skewed")
Asked = Requirement | None
ASKED: dict[str, tuple[Asked, ...]] = {
    "vta.gemm": (None, "inputs-once", "constant-only", "no-duplication"),
    "vta.gemm:16x16x16": (None, "inputs-once"),
    "nvidia.mma.m16n8k16": (None, "inputs-once"),
    "nvidia.mma.m16n8k32": (None, "inputs-once"),
}
"""What is asked of every instruction, None for nothing."""
LAYERS = {
    "depthwise 3x3": "depthwise:n=1,c=32,h=56,w=56,r=3,s=3,pad=1",
    "depthwise 3x3 /2": "depthwise:n=1,c=32,h=56,w=56,r=3,s=3,stride=2,pad=1",
    "one channel 3x3": "conv2d:n=1,c=1,h=56,w=56,k=1,r=3,s=3,pad=1",
    "one channel 5x5": "conv2d:n=1,c=1,h=56,w=56,k=1,r=5,s=5,pad=2",
    "one channel 1-D, 9": "conv1d:n=1,c=1,w=512,k=1,s=9,pad=4",
    "depthwise 1-D, 9": "conv2d:n=1,c=64,h=1,w=256,k=64,r=1,s=9,pad=0x4,groups=64",
    "1 to 4, 3x3": "conv2d:n=1,c=1,h=56,w=56,k=4,r=3,s=3,pad=1",
    "1 to 16, 3x3 (DeepBench)": "deepbench:conv/inference_server/6",
    "1 to 32, 20x5 /2 (DeepBench)": "deepbench:conv/inference_device/0",
    "3 to 64, 3x3 (DeepBench)": "deepbench:conv/inference_server/10",
    "3 to 64, 7x7 /2 (ResNet)": "conv2d:n=1,c=3,h=224,w=224,k=64,r=7,s=7,stride=2,pad=3",
}


@dataclass(frozen=True)
class Line:
    """One search: calls (0 if nothing was found), the proved bound on them, whether they are equal, seconds."""

    layer: str
    instruction: str
    require: str
    family: str
    calls: int
    bound: int
    proved: bool
    seconds: float


def operator_of(spec: str, instruction: str) -> Operator:
    """The layer with the instruction's element types; a row of DeepBench by its own sizes."""
    operator = read_operator(spec)
    if find_instruction(instruction).semantics.tensors[1].dtype == "int8":
        return operator
    text = str(operator).replace("int8", "float16").replace("int32", "float32")
    return read_operator(text)


def search(layer: str, instruction: str, require: Asked, family: Family, limit: float) -> Line:
    """One search, its answer checked."""
    operator = operator_of(LAYERS[layer], instruction)
    asked = () if require is None else (require,)
    problem = EmbeddingProblem(operator, find_instruction(instruction), family, asked, limit=limit)
    started = time.perf_counter()
    outcome = optimise(problem)
    seconds = time.perf_counter() - started
    best: Embedding | None = None
    bound = 0
    if not isinstance(outcome, Infeasible):
        best = outcome.value if isinstance(outcome, Found) else outcome.best
        bound = outcome.bound[0]
    if best is not None:
        report = check(best)
        assert report.good, f"{best}\n{report}"
    calls = 0 if best is None else best.calls
    return Line(layer, instruction, require or "none", family, calls, bound, calls == bound, seconds)


def lines(layers: tuple[str, ...], limit: float) -> Iterator[Line]:
    """All searches, one row of the table printed after the other."""
    for instruction, requirements in ASKED.items():
        for require in requirements:
            print(f"\n{instruction}, {f'requirement {require}' if require else 'no requirement'}")
            print(f"{'layer':30} {'aligned':>11} {'fused':>11} {'skewed':>11} {'gain':>8} {'bound':>10} {'seconds':>8}")
            for layer in layers:
                found = tuple(search(layer, instruction, require, family, limit) for family in FAMILIES)
                print(row(found), flush=True)
                yield from found


def row(found: tuple[Line, ...]) -> str:
    """One layer; calls that are not proved have a question mark."""
    calls = " ".join(f"{line.calls:>10,}{' ' if line.proved else '?'}" for line in found)
    seconds = sum(line.seconds for line in found)
    return f"{found[0].layer:30} {calls} {gain(found):7.2f}x {found[-1].bound:>10,} {seconds:8.2f}"


def gain(found: tuple[Line, ...]) -> float:
    """How many times fewer calls the skewed family needs than the better of the others."""
    others = [line.calls for line in found if line.family != "skewed" and line.calls]
    skewed = next(line.calls for line in found if line.family == "skewed")
    return min(others) / skewed if others and skewed else 1.0


def summary(every: list[Line]) -> list[dict[str, object]]:
    """For each instruction and requirement the geometric mean of the gains, printed and returned."""
    print("\ngeometric mean of the gain of skew")
    found: list[dict[str, object]] = []
    for instruction, requirements in ASKED.items():
        for require in [r or "none" for r in requirements]:
            own = [line for line in every if (line.instruction, line.require) == (instruction, require)]
            gains = [gain(tuple(line for line in own if line.layer == layer)) for layer in {line.layer for line in own}]
            mean = exp(sum(map(log, gains)) / len(gains))
            proved = sum(line.proved for line in own)
            print(f"{instruction:22} {require:15} {mean:7.2f}x  {proved} of {len(own)} searches proved")
            found.append({"instruction": instruction, "require": require, "gain": mean, "largest": max(gains)})
    return found


def main() -> None:
    """Print the table and write it."""
    parser = options(__doc__)
    parser.add_argument("--limit", metavar="SECONDS", type=float, default=3.0, help="of each search (default 3)")
    parser.add_argument(
        "--layer", nargs="+", choices=LAYERS, default=tuple(LAYERS), metavar="NAME", help=f"of: {', '.join(LAYERS)}"
    )
    arguments = read(parser)
    started = time.perf_counter()
    every = list(lines(tuple(arguments.layer), arguments.limit))
    means = summary(every)
    seconds = time.perf_counter() - started
    print(f"{seconds:.0f} seconds")
    searches = [asdict(line) for line in every]
    write(arguments.json, {"limit": arguments.limit, "seconds": seconds, "means": means, "searches": searches})


if __name__ == "__main__":
    main()
