"""Int8 networks node by node: native code beside ONNX Runtime, every int8 node by both, compared bit for bit.

    python benchmarks/native_model.py [--networks NAME,NAME] [--size N] [--threads N] [--measure K] [--json FILE]

Needs onnxruntime (the extra `libraries`). The networks have their published layers and random weights; time does not
depend on them. Ratios are ONNX Runtime's time over ours, sums over the nodes that run as native code; a node that runs
by itself has its result written in the layout of the file (channels first), by either.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from command import options, read, write
from int8_networks import NETWORKS

from intarsia.cli.native_model import model_run_json
from intarsia.flow import NativeOptions, run_native_model
from intarsia.flow.runs import geometric_mean
from intarsia.ground.units import seconds_text


def main() -> None:
    """Print a line for each network."""
    parser = options(__doc__)
    add = parser.add_argument
    add("--networks", metavar="NAMES", default=",".join(NETWORKS), help=f"of {', '.join(NETWORKS)} (default both)")
    add("--size", metavar="N", type=int, default=224, help="height and width of the image (default 224)")
    add("--threads", metavar="N", type=int, default=1, help="that each may use (default 1)")
    add("--measure", metavar="K", type=int, default=0, help="plans measured for each node (default 0)")
    arguments = read(parser)
    columns = ("int8 nodes", "native", "ORT", "ratio", "mean", "least", "all nodes", "ORT whole")
    print(f"{'network':<14}" + "".join(f"{name:>12}" for name in columns))
    rows: list[dict[str, Any]] = []
    for name in arguments.networks.split(","):
        with tempfile.TemporaryDirectory() as folder:
            file = NETWORKS[name](Path(folder) / f"{name}.onnx", arguments.size)
            run = run_native_model(file, NativeOptions(arguments.threads, arguments.measure))
        ratios = [node.library.least / node.ours.least for node in run.native if node.ours is not None]
        ours = sum(node.ours.least for node in run.native if node.ours is not None)
        theirs = sum(node.library.least for node in run.native)
        cells = (
            f"{len(run.native)} {'right' if run.correct else 'WRONG'}", seconds_text(ours), seconds_text(theirs),
            f"{theirs / ours:.2f}", f"{geometric_mean(ratios):.2f}", f"{min(ratios):.2f}",
            seconds_text(run.seconds), seconds_text(run.whole.least),
        )  # fmt: skip
        print(f"{name:<14}" + "".join(f"{cell:>12}" for cell in cells), flush=True)
        rows.append({"network": name, **model_run_json(run)})
    write(arguments.json, rows)


if __name__ == "__main__":
    main()
