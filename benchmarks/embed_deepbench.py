"""Counts and proved optima of all DeepBench inference layers, aligned and fused, on VTA's GEMM and vpdpbusd.

    python benchmarks/embed_deepbench.py [--kind conv|gemm|all] [--limit SECONDS] [--json FILE]

Seconds are those of counting and proving together, from cold tables.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import asdict, dataclass
from math import exp, log

from command import options, read, write

from intarsia.embed import EmbeddingProblem, Family, count, fixed_embedding, optimise
from intarsia.embed.signed import forget
from intarsia.machines import Instruction, find_instruction
from intarsia.operators import Operator, rows, unique
from intarsia.solvers import Found

INSTRUCTIONS = (("vta.gemm", ("int8", "int8", "int32")), ("x86.vpdpbusd", ("uint8", "int8", "int32")))
FAMILIES: tuple[Family, ...] = ("aligned", "fused")


@dataclass(frozen=True)
class Line:
    """One layer, instruction and family."""

    layer: str
    instruction: str
    family: str
    total: int
    distinct: int
    calls: int
    duplicated: int
    fixed: int
    proved: bool
    seconds: float


def measure(layer: str, operator: Operator, instruction: Instruction, family: Family, limit: float) -> Line:
    """Count and optimise one layer, from cold tables."""
    forget()
    problem = EmbeddingProblem(operator, instruction, family, limit=limit)
    started = time.perf_counter()
    counted = count(problem)
    outcome = optimise(problem)
    seconds = time.perf_counter() - started
    calls, duplicated = (outcome.bound[0], outcome.bound[1]) if isinstance(outcome, Found) else (0, 0)
    fixed = fixed_embedding(operator, instruction).calls
    proved = isinstance(outcome, Found) and outcome.value.calls == calls
    return Line(
        layer, instruction.name, family, counted.total, counted.distinct, calls, duplicated, fixed, proved, seconds
    )


def lines(kinds: tuple[str, ...], limit: float) -> list[Line]:
    """All lines, printed as they come."""
    found = []
    for name, dtypes in INSTRUCTIONS:
        for kind in kinds:
            for row, _ in unique(rows("conv" if kind == "conv" else "gemm", "inference", dtypes)):
                for family in FAMILIES:
                    line = measure(row.name, row.operator, find_instruction(name), family, limit)
                    found.append(line)
                    print(
                        f"{line.layer:28} {name:13} {family:8} {line.total:>26,} {line.distinct:>22,}"
                        f" {line.calls:>13,} {line.duplicated:>13,} {line.fixed / max(1, line.calls):7.2f}x"
                        f" {line.seconds:7.3f} s {'' if line.proved else 'not proved'}",
                        flush=True,
                    )
    return found


def summary(found: list[Line]) -> None:
    """The figures by instruction and family."""
    for name, _ in INSTRUCTIONS:
        for family in FAMILIES:
            own = [line for line in found if line.instruction == name and line.family == family]
            seconds = [line.seconds for line in own]
            gain = exp(sum(log(line.fixed / line.calls) for line in own if line.calls) / len(own))
            print(
                f"{name} {family}: {len(own)} layers, {sum(line.proved for line in own)} proved,"
                f" median {statistics.median(seconds):.3f} s, worst {max(seconds):.3f} s,"
                f" {gain:.2f}x fewer calls than the fixed mapping (geometric mean)"
            )


def main() -> None:
    """Print the table and write it."""
    parser = options(__doc__)
    parser.add_argument("--kind", choices=("conv", "gemm", "all"), default="all")
    parser.add_argument("--limit", metavar="SECONDS", type=float, default=60.0, help="of each proof (default 60)")
    arguments = read(parser)
    print(f"{'layer':28} {'instruction':13} {'family':8} {'embeddings':>26} {'modulo symmetry':>22} {'calls':>13}")
    found = lines(("conv", "gemm") if arguments.kind == "all" else (arguments.kind,), arguments.limit)
    summary(found)
    write(arguments.json, [asdict(line) for line in found])


if __name__ == "__main__":
    main()
