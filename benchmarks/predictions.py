"""How well published training runs are predicted that no fit has seen.

    python benchmarks/predictions.py [--json FILE]

Every table names its source in its first line. The efficiencies are those that the package ships.
"""

from __future__ import annotations

import argparse
import json
from importlib.resources import files
from pathlib import Path

from intarsia.flow import predict_table

HERE = Path(__file__).parent / "measured"
SHIPPED = Path(str(files("intarsia.machines.chips"))) / "measurements"
WORDS = {"recompute": "", "attention": "flash", "dtype": "bf16", "grad_dtype": "fp32", "schedule": "1f1b"}
TABLES = (
    ("A100, Megatron, 2 to 8 GPUs: fitted on", SHIPPED / "vtrain_a100_single_node.csv", "a100"),
    ("A100, Megatron, 1.7B to 1T, 32 to 3072 GPUs", SHIPPED / "megatron_sc21_a100.csv", "a100"),
    ("A100, Megatron, 22B to 1T, sequence parallel", HERE / "korthikanti_a100.csv", "a100"),
    ("A100, FSDP, 125M to 70B", HERE / "llm_foundry_a100.csv", "a100"),
    ("H100, FSDP, 760M to 70B (borrowed efficiencies)", HERE / "llm_foundry_h100.csv", "h100"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = []
    print(f"{'runs':<50} {'number':>6} {'MAPE':>7} {'median':>7} {'bias':>7} {'worst':>7}")
    for name, path, cluster in TABLES:
        answer = predict_table(path, cluster, WORDS)
        ratios = [r for r in _ratios(answer.text) if r]
        errors = sorted(abs(r - 1) for r in ratios)
        row = {
            "runs": name,
            "number": len(errors),
            "mape": sum(errors) / len(errors),
            "median": errors[len(errors) // 2],
            "bias": sum(ratios) / len(ratios) - 1,
            "worst": errors[-1],
        }
        rows.append(row)
        texts = " ".join(f"{100 * row[key]:>5.1f} %" for key in ("mape", "median", "bias", "worst"))
        print(f"{name:<50} {row['number']:>6} {texts}", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n")


def _ratios(text: str) -> list[float]:
    lines = text.splitlines()
    columns = lines[0].split(",")
    measured, predicted = columns.index("iteration_ms"), columns.index("predicted_ms")
    cells = [line.split(",") for line in lines[1:]]
    return [float(row[predicted]) / float(row[measured]) for row in cells]


if __name__ == "__main__":
    main()
