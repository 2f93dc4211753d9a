"""DeepBench's inference convolutions on a 16×16×16 core, whose batch rows the fixed embedding leaves empty.

python benchmarks/vta_batch16.py [FILE.json] [WORKERS]
"""

from __future__ import annotations

import sys

import vta_deepbench

if __name__ == "__main__":
    file, workers, *_ = [*sys.argv[1:], "", ""][:2]
    sys.exit(vta_deepbench.main(file, "conv", workers or "2", "batch16"))
