"""How well published training runs are predicted on which no number was fitted, with the efficiencies that are shipped.

    python benchmarks/predictions.py [--json FILE]

Every table names its source in its first line. None of these runs is in the fit, but none was out of sight either when
the formulas around it were chosen; the column says for what:

    form    how far device and host hide behind each other, the bounds of what is fitted, and how much the fit trusts
            the measured operators (``cost/layer.py``, ``place/calibrate.py``)
    rates   three constants judged from these rows: fused attention's share of the peak, the half of FSDP's exchange
            that shows, 0.88 on borrowed matmul rates

So the errors say how well few numbers describe many runs. For runs that nothing has seen they are too good by as much
as those choices were fitted to them; ``intarsia calibrate a100`` leaves runs out of the fit, not out of the choices.
"""

from __future__ import annotations

import csv
import statistics
from importlib.resources import files
from pathlib import Path

from command import options, read, write

from intarsia.flow import predict_table

HERE = Path(__file__).parent / "measured"
SHIPPED = Path(str(files("intarsia.machines.chips"))) / "measurements"
WORDS = {"recompute": "", "attention": "flash", "dtype": "bf16", "grad_dtype": "fp32", "schedule": "1f1b"}
TABLES = (
    ("A100, Megatron, 2 to 8 GPUs", "the fit", SHIPPED / "vtrain_a100_single_node.csv", "a100"),
    ("A100, Megatron, 1.7B to 1T, 32 to 3072 GPUs", "form", SHIPPED / "megatron_sc21_a100.csv", "a100"),
    ("A100, Megatron, 22B to 1T, 8 to 512 GPUs", "form", HERE / "korthikanti_a100.csv", "a100"),
    ("A100, FSDP, 125M to 70B", "rates", HERE / "llm_foundry_a100.csv", "a100"),
    ("H100, FSDP, 760M to 70B (borrowed)", "rates", HERE / "llm_foundry_h100.csv", "h100"),
)


def main() -> None:
    """Print the table and write it."""
    arguments = read(options(__doc__))
    rows = []
    print(f"{'runs':<44} {'seen by':<8} {'number':>6} {'MAPE':>7} {'median':>7} {'bias':>7} {'worst':>7}")
    for name, seen, path, cluster in TABLES:
        ratios = _ratios(predict_table(path, cluster, WORDS).text)
        errors = [abs(ratio - 1) for ratio in ratios]
        figures = {
            "mape": statistics.mean(errors),
            "median": statistics.median(errors),
            "bias": statistics.mean(ratios) - 1,
            "worst": max(errors),
        }
        rows.append({"runs": name, "seen_by": seen, "number": len(errors), **figures})
        texts = " ".join(f"{100 * figure:>5.1f} %" for figure in figures.values())
        print(f"{name:<44} {seen:<8} {len(errors):>6} {texts}", flush=True)
    write(arguments.json, rows)


def _ratios(text: str) -> list[float]:
    """Predicted ÷ measured of each row."""
    return [float(row["predicted_ms"]) / float(row["iteration_ms"]) for row in csv.DictReader(text.splitlines())]


if __name__ == "__main__":
    main()
