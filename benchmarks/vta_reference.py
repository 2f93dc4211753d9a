"""The layers on which VTA's tuned reference was measured: its cycles on the RTL beside ours, with a lower bound.

    python benchmarks/vta_reference.py [--json FILE]

The reference is TVM's schedule, tuned, batch 1, default configuration, its epilogue included; its cycles were measured
on the generated RTL under Verilator. Ours are those of the timing model. The lower bound of a layer is the largest of
what the compute unit, the read port and the write port need at least; the gap is what our program takes beyond it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from command import options, read, write

from intarsia.cli.printing import print_fields, print_table
from intarsia.cli.run import execution_json
from intarsia.flow import run_operator
from intarsia.flow.runs import RunAnswer, geometric_mean
from intarsia.ground.units import count_text, percent_text, ratio_text


@dataclass(frozen=True)
class Layer:
    """A layer, and the cycles of the tuned reference on the RTL."""

    name: str
    spec: str
    reference: int
    channels: int


def layer(h: int, w: int, c: int, k: int, kernel: tuple[int, int], stride: int, pad: int, reference: int) -> Layer:
    r, s = kernel
    spec = f"conv2d:n=1,c={c},h={h},w={w},k={k},r={r},s={s},stride={stride},pad={pad}"
    name = f"{w}x{h} {c}→{k} {s}x{r}" + (f" s{stride}" if stride > 1 else "")
    return Layer(name, spec, reference, c)


LAYERS = (
    layer(56, 56, 64, 64, (3, 3), 1, 1, 543_603),
    layer(56, 56, 64, 128, (3, 3), 2, 1, 275_655),
    layer(56, 56, 64, 128, (1, 1), 2, 0, 110_445),
    layer(28, 28, 128, 128, (3, 3), 1, 1, 499_047),
    layer(28, 28, 128, 256, (3, 3), 2, 1, 253_181),
    layer(28, 28, 128, 256, (1, 1), 2, 0, 74_447),
    layer(14, 14, 256, 256, (3, 3), 1, 1, 476_714),
    layer(14, 14, 256, 512, (3, 3), 2, 1, 242_736),
    layer(14, 14, 256, 512, (1, 1), 2, 0, 41_327),
    layer(7, 7, 512, 512, (3, 3), 1, 1, 468_704),
    layer(48, 480, 1, 16, (3, 3), 1, 1, 374_405),
    layer(224, 224, 3, 64, (3, 3), 1, 1, 3_245_311),
    layer(224, 224, 3, 64, (7, 7), 2, 3, 3_478_820),
    layer(108, 108, 3, 64, (3, 3), 2, 1, 197_625),
    layer(161, 700, 1, 64, (5, 5), 2, 1, 4_603_828),
    layer(56, 56, 64, 256, (1, 1), 1, 0, 579_555),
    layer(14, 14, 1024, 256, (1, 1), 1, 0, 226_523),
    # No valid schedule exists in the reference's space: measured with the output height padded by hand.
    layer(161, 700, 1, 32, (5, 20), 2, 0, 6_891_269),
)
FEW_CHANNELS = 3


@dataclass(frozen=True)
class Summary:
    """Geometric means: faster than the reference, on layers of few channels, and cycles over the bound; the worst."""

    faster: float
    few_channels: float
    worst: float
    gap: float


def summary(runs: list[tuple[Layer, RunAnswer]]) -> Summary:
    ratios = [(layer, layer.reference / cycles(run)) for layer, run in runs]
    gaps = [1 + run.chosen.device.gap for _, run in runs if run.chosen.device]
    return Summary(
        geometric_mean([r for _, r in ratios]) or 0,
        geometric_mean([r for layer, r in ratios if layer.channels <= FEW_CHANNELS]) or 0,
        min(r for _, r in ratios),
        (geometric_mean(gaps) or 1) - 1,
    )


def cycles(run: RunAnswer) -> int:
    assert run.chosen.device is not None
    return run.chosen.device.cycles


def row(layer: Layer, run: RunAnswer) -> tuple[str, ...]:
    chosen, fixed = run.chosen.device, run.fixed.device if run.fixed else None
    assert chosen is not None
    assert fixed is not None
    return (
        layer.name,
        count_text(layer.reference),
        count_text(fixed.cycles),
        count_text(chosen.cycles),
        ratio_text(layer.reference / chosen.cycles),
        count_text(chosen.bound.cycles),
        percent_text(chosen.gap, 1),
        "yes" if run.correct else "NO",
    )


def main() -> int:
    """Print the table and write it; 1 where a result is wrong."""
    arguments = read(options(__doc__))
    runs = [(layer, run_operator(layer.spec, "vta")) for layer in LAYERS]
    numbers = ("reference", "fixed", "ours", "faster", "lower bound", "gap")
    print_table(("layer", *numbers, "correct"), [row(layer, run) for layer, run in runs], right=numbers)
    told = summary(runs)
    print()
    print_fields(
        [
            ("all", f"{ratio_text(told.faster)} geometric mean, worst {ratio_text(told.worst)}"),
            ("1 to 3 channels", f"{ratio_text(told.few_channels)} geometric mean"),
            ("over the bound", f"{percent_text(told.gap, 1)} geometric mean"),
        ]
    )
    write(arguments.json, document(runs, told))
    return 0 if all(run.correct for _, run in runs) else 1


def document(runs: list[tuple[Layer, RunAnswer]], told: Summary) -> dict[str, object]:
    return {
        "faster": told.faster,
        "faster_few_channels": told.few_channels,
        "worst": told.worst,
        "gap": told.gap,
        "layers": [
            {
                "name": layer.name,
                "spec": layer.spec,
                "reference": layer.reference,
                "chosen": execution_json(run.chosen),
                "fixed": execution_json(run.fixed) if run.fixed else None,
            }
            for layer, run in runs
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
