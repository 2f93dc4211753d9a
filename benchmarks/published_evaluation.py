"""The published evaluation: the best chip of the published space against baseline chips of the same area.

    python benchmarks/published_evaluation.py [--models NAME,NAME] [--hbm GIB] [--workers N] [--store FILE] [--json F]

Wang et al. (ICML 2024, arXiv 2407.13143) compare the chip that their search finds for a model with the TPUv4-like point
and with the chip of Spotlight (Sakhuja et al., HPCA 2023), all within the area of the former: 278.83 mm² at 22 nm. Here
1024 devices train each model with a global batch of 4096, on each chip under its own best plan, which is proved; tensor
parallelism is at most as wide as published. The edge template stands twice, since its hardware can be scaled by copies
or as Spotlight's artifact does it (docs/decisions/0015):

    nvdla-scaled      160 cores of NVDLA's large configuration, each with its own buffer of 512 KiB
    spotlight-scaled  8 arrays of 120×120 on a shared 128 MiB: the NVDLA-like chip of Spotlight at cloud scale

A ratio is how many times more sequences a second the found chip trains. "At most" is what the search's bound leaves to
any chip of the space, whatever the schedules of its layers. The plans of the baselines are the best with the list
schedules that were made of their layers, as is the plan of the found chip. The paper's own ratios do not stand here:
at hand were its abstract ("higher throughput" than both) and its code, which has no configuration of Spotlight's chip.

An interrupted run continues: evaluations of chips are kept in the store.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

from command import options, read, write

from intarsia.flow.searching import SearchAnswer, search_chip
from intarsia.machines.chips import efficiency_of, read_chip
from intarsia.machines.clusters import read_cluster
from intarsia.machines.template import PHAZE
from intarsia.models import read_model
from intarsia.place.choices import Choices
from intarsia.place.plan import Plan
from intarsia.place.search import best_plan
from intarsia.solvers import Found, Infeasible, Limits

DEVICES, BATCH, HBM_GIB = 1024, 4096, 80
LIMIT = 3600.0
"""Of the search for one plan, seconds: a proof is waited for."""
CLUSTER = f"tpuv4x{DEVICES}"
BASELINES = ("tpuv4-like", "nvdla-scaled", "spotlight-scaled")
PUBLISHED = {
    "bert-large": (512, 1),
    "gpt2-xl": (1024, 1),
    "opt-350m": (2048, 1),
    "llama2-7b": (4096, 1),
    "megatron-bert-large": (512, 8),
    "megatron-gpt2-2.5b": (1024, 4),
    "megatron-gpt2-8.3b": (1024, 8),
    "gpt3-175b": (2048, 8),
}
"""Model to tokens of a sequence and the widest tensor parallelism."""


@dataclass(frozen=True, slots=True)
class Row:
    """One model.

    Attributes:
        model: its name.
        baselines: seconds of an iteration on each baseline chip; None where no plan fits.
        plans: the strategy of each of them.
        found: the chip that was searched.
        seconds: of an iteration on it; None where no plan fits on any.
        bound: no chip of the space takes less.
    """

    model: str
    baselines: dict[str, float | None]
    plans: dict[str, dict[str, Any] | None]
    found: str
    seconds: float | None
    bound: float

    def ratio(self, chip: str) -> tuple[float, float] | None:
        """How many times faster than a baseline: what was found, and the most that the bound leaves."""
        seconds = self.baselines[chip]
        return (seconds / self.seconds, seconds / self.bound) if seconds and self.seconds else None


def main() -> None:
    """Print a line for each model, then the geometric means."""
    parser = options(__doc__)
    parser.add_argument("--models", metavar="NAMES", default="all", help="of the eight (default all)")
    parser.add_argument("--hbm", metavar="GIB", type=int, default=HBM_GIB, help=f"capacity (default {HBM_GIB})")
    parser.add_argument("--workers", metavar="N", type=int, default=0, help="processes (default: one to each core)")
    parser.add_argument("--store", metavar="FILE", type=Path, help="of evaluations (default: the user's)")
    arguments = read(parser)
    names = list(PUBLISHED) if arguments.models == "all" else arguments.models.split(",")
    if unknown := sorted(set(names) - set(PUBLISHED)):
        parser.error(f"unknown model: {', '.join(unknown)}; allowed: all, {', '.join(PUBLISHED)}")
    if arguments.hbm < 1 or arguments.workers < 0:
        parser.error(f"--hbm {arguments.hbm} --workers {arguments.workers}; allowed: 1 or more, 0 or more")
    _head()
    rows = []
    for name in names:
        rows.append(_row(name, arguments.hbm, arguments.workers, arguments.store))
        _line(rows[-1])
    means = {chip: _means(rows, chip) for chip in BASELINES}
    _foot(means)
    write(
        arguments.json,
        {
            "devices": DEVICES,
            "global_batch": BATCH,
            "hbm_gib": arguments.hbm,
            "budget_mm2": PHAZE.budget,
            "baselines": {name: asdict(read_chip(name)) for name in BASELINES},
            "models": [asdict(row) | {"ratios": {chip: row.ratio(chip) for chip in BASELINES}} for row in rows],
            "geometric_mean": means,
        },
    )


def _row(name: str, gib: int, workers: int, store: Path | None) -> Row:
    sequence, widest = PUBLISHED[name]
    tensor = tuple(str(width) for width in (1, 2, 4, 8) if width <= widest)
    plans = {chip: _planned(name, chip, gib, sequence, tensor) for chip in BASELINES}
    answer = search_chip(
        name,
        CLUSTER,
        BATCH,
        space="phaze",
        hbm_gib=(gib,),
        sequence=sequence,
        only={"tensor": tensor},
        workers=workers,
        store=store,
    )
    return _of(name, plans, answer)


def _planned(name: str, chip: str, gib: int, sequence: int, tensor: tuple[str, ...]) -> Plan | None:
    """The best plan on a baseline, proved; nothing where none fits."""
    its = replace(read_chip(chip), hbm_bytes=gib << 30)
    cluster = replace(read_cluster(CLUSTER), chip=its)
    choices, limits = Choices().only({"tensor": tensor}), Limits(seconds=LIMIT)
    outcome = best_plan(read_model(name), cluster, efficiency_of(its), BATCH, sequence, choices, limits, compare=False)
    if isinstance(outcome, Infeasible):
        return None
    assert isinstance(outcome, Found), f"no proof for {name} on {chip} within {LIMIT:.0f} s"
    assert outcome.value.optimal, f"a gap for {name} on {chip}: {outcome.value.gap}"
    return outcome.value


def _of(name: str, plans: dict[str, Plan | None], answer: SearchAnswer) -> Row:
    searched = answer.searched
    return Row(
        name,
        {chip: plan.seconds if plan else None for chip, plan in plans.items()},
        {chip: asdict(plan.strategy) if plan else None for chip, plan in plans.items()},
        str(searched.point) if searched.point else "",
        searched.seconds[0] if searched.point else None,
        searched.certificate.bound,
    )


def _means(rows: list[Row], chip: str) -> tuple[float, float] | None:
    """Geometric means of what was found and of the most."""
    ratios = [ratio for row in rows if (ratio := row.ratio(chip)) is not None]
    if not ratios:
        return None
    found, most = (prod(column) ** (1 / len(ratios)) for column in zip(*ratios, strict=True))
    return found, most


def _head() -> None:
    print("sequences a second; found chip over baseline: found, and at most\n")
    print(f"{'model':<20}", *(f"{chip:>17}" for chip in BASELINES), f"{'found':>9}", end=" ")
    print(*(f"{'/ ' + chip:>18}" for chip in BASELINES), " chip")


def _line(row: Row) -> None:
    theirs = [f"{BATCH / seconds:17.1f}" if seconds else f"{'does not fit':>17}" for seconds in row.baselines.values()]
    found = f"{BATCH / row.seconds:9.1f}" if row.seconds else f"{'none fits':>9}"
    print(
        f"{row.model:<20}",
        *theirs,
        found,
        *(_ratio(row.ratio(chip)) for chip in BASELINES),
        f" {row.found}",
        flush=True,
    )


def _foot(means: dict[str, tuple[float, float] | None]) -> None:
    blank = " " * (20 + 18 * len(BASELINES) + 10)
    print(f"{'geometric mean':<{len(blank)}}", *(_ratio(means[chip]) for chip in BASELINES))


def _ratio(ratio: tuple[float, float] | None) -> str:
    return f"{'-':>18}" if ratio is None else f"{f'{ratio[0]:.2f}, ≤ {ratio[1]:.2f}':>18}"


if __name__ == "__main__":
    main()
