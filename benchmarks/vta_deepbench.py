"""DeepBench's inference layers on VTA, chosen and fixed, both checked: what `intarsia bench` prints.

python benchmarks/vta_deepbench.py [FILE.json] [conv|gemm|all] [WORKERS]
"""

from __future__ import annotations

import sys
from pathlib import Path

from intarsia.cli.bench import bench_json, print_bench
from intarsia.cli.printing import progress, to_json
from intarsia.flow import bench_deepbench
from intarsia.ground import write_file


def main(file: str = "", kind: str = "all", workers: str = "2", config: str = "default") -> int:
    with progress("layers") as told:
        answer = bench_deepbench("vta", kind=kind, config=config, workers=int(workers), told=told)
    print_bench(answer)
    if file:
        write_file(Path(file), to_json(bench_json(answer)) + "\n")
    return 0 if answer.correct else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
