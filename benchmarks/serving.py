"""How well published figures of serving are predicted, with the efficiencies that are shipped.

    python benchmarks/serving.py [--json FILE]

No number was fitted to them: efficiencies are those of training, from the A100, with hosts left out of decode. What
they were used for is ``SERVING_ERROR``, by which the interval of a prediction grows. The table names its sources in its
first line. A deployment is what the source ran: its tensor degree on as many devices, its batch; how many prompts are
read at once is chosen, as the sources do not say; ``nim`` reads them one by one.
"""

from __future__ import annotations

import csv
import math
import statistics
from pathlib import Path
from typing import Any

from command import options, read, write

from intarsia.flow.serving import serve_model
from intarsia.flow.serving_question import ServingWanted

TABLE = Path(__file__).parent / "measured" / "serving.csv"


def main() -> None:
    """Print the table and the errors, and write both."""
    arguments = read(options(__doc__))
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    rows = [_row(row) for row in csv.DictReader(line for line in lines if not line.startswith("#"))]
    print(f"{'source':<18} {'run':<52} {'quantity':<17} {'measured':>9} {'predicted':>9} {'ratio':>6}")
    for row in rows:
        run = f"{row['model']}, {row['cluster']}, {row['dtype']}, batch {row['batch']}, {row['prompt']}+{row['output']}"
        figures = f"{row['measured']:>9.4g} {row['predicted']:>9.4g} {row['ratio']:>6.2f}"
        print(f"{row['source']:<18} {run:<52} {row['quantity']:<17} {figures}")
    groups = [_group(title, [row for row in rows if row[key] == value]) for title, key, value in GROUPS]
    groups.append(_group("all", rows))
    print(f"\n{'figures':<30} {'number':>6} {'mean error':>10} {'median':>7} {'bias':>7} {'deviation':>9}")
    for group in groups:
        figures = f"{group['mape']:>9.1%} {group['median']:>7.1%} {group['bias']:>+7.1%} {group['deviation']:>9.2f}"
        print(f"{group['figures']:<30} {group['number']:>6} {figures}")
    write(arguments.json, {"rows": rows, "groups": groups})


GROUPS = (
    ("first tokens", "quantity", "ttft"),
    ("tokens per second", "quantity", "tokens_per_second"),
    ("time between tokens", "quantity", "tpot"),
    ("A100", "chip", "a100"),
    ("H100", "chip", "h100"),
)


def _row(row: dict[str, str]) -> dict[str, Any]:
    one_by_one = row["source"].startswith("nim") or row["batch"] == "1"
    only = {"tensor": (row["tensor"],), "pipeline": ("1",), "data": ("1",)}
    wanted = ServingWanted(
        int(row["prompt"]), int(row["output"]), batch=int(row["batch"]),
        only=only | ({"prompts": ("1",)} if one_by_one else {}), dtype=row["dtype"], cache=row["kv_dtype"],
    )  # fmt: skip
    answer = serve_model(row["model"], row["cluster"], wanted)
    if answer.plan is None:
        raise SystemExit(f"{row}: {answer.because}")
    predicted, measured = float(getattr(answer.plan.pace, row["quantity"])), float(row["measured"])
    return {**row, "chip": row["cluster"].split("x")[0], "measured": measured, "predicted": predicted} | {
        "ratio": predicted / measured
    }


def _group(title: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    ratios = [row["ratio"] for row in rows]
    errors = [abs(ratio - 1) for ratio in ratios]
    return {
        "figures": title,
        "number": len(rows),
        "mape": statistics.mean(errors),
        "median": statistics.median(errors),
        "bias": statistics.mean(ratios) - 1,
        "deviation": math.sqrt(statistics.mean(math.log(ratio) ** 2 for ratio in ratios)),
    }


if __name__ == "__main__":
    main()
