"""``intarsia chips``: the chips and clusters that have names."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from intarsia.cli.command import Command, json_option
from intarsia.cli.printing import print_json, print_table

if TYPE_CHECKING:
    from intarsia.machines.chips import Chip, TensorCores
    from intarsia.machines.clusters import Cluster


def _options(parser: ArgumentParser) -> None:
    json_option(parser)


def _run(arguments: Namespace) -> int:
    from intarsia.machines.chips import chip_names, efficiency_of, read_chip
    from intarsia.machines.clusters import cluster_names, read_cluster

    chips = [(name, read_chip(name)) for name in chip_names()]
    clusters = [(name, read_cluster(name, devices=4096)) for name in cluster_names()]
    if arguments.json:
        described: dict[str, Any] = {
            name: asdict(chip) | {"peak_flops": chip.peak_flops, "efficiency": asdict(efficiency_of(chip))}
            for name, chip in chips
        }
        joined = {name: {"chip": c.chip.name, "levels": _levels(c), "source": c.source} for name, c in clusters}
        print_json({"chips": described, "clusters": joined})
        return 0
    nodes = {cluster.chip.name: cluster.levels[0].devices for _, cluster in clusters}
    columns = ("chip", "cores", "TFLOP/s", "HBM GiB", "TB/s", "link GB/s", "node", "efficiencies", "figures")
    rows = [
        (
            name,
            " + ".join(f"{own.count} × {own.width}×{own.depth} {own.dataflow}" for own in _kinds(chip)),
            f"{chip.peak_flops / 1e12:.0f}",
            f"{chip.hbm_bytes / 2**30:.0f}",
            f"{chip.hbm_bandwidth / 1e12:.2f}",
            f"{chip.link_bandwidth / 1e9:.0f}",
            str(nodes.get(chip.name, "–")),
            "borrowed" if efficiency_of(chip).source.startswith("borrowed") else "calibrated",
            "recalled, check" if "recalled" in chip.source else "published",
        )
        for name, chip in chips
    ]
    print_table(columns, rows, right=columns[2:7])
    print("\ndense bf16; links: all of a chip, one direction; recalled: some figure is from memory, see --json\n")
    levels = ("cluster", "chip", "node", "GB/s inside", "GB/s between", "topology")
    print_table(
        levels,
        [
            (
                name,
                cluster.chip.name,
                str(cluster.levels[0].devices),
                f"{cluster.levels[0].bandwidth / 1e9:g}",
                f"{cluster.levels[-1].bandwidth / 1e9:g}",
                "; ".join(level.topology.partition(" (")[0] for level in cluster.levels),
            )
            for name, cluster in clusters
        ],
        right=levels[2:5],
    )
    return 0


def _kinds(chip: Chip) -> list[TensorCores]:
    """Its kinds of tensor cores."""
    return [own for own in (chip.tensor, chip.second) if own is not None]


def _levels(cluster: Cluster) -> list[dict[str, Any]]:
    """The levels; the last one reaches as many chips as there are."""
    levels = [asdict(level) for level in cluster.levels]
    levels[-1]["devices"] = None
    return levels


COMMAND = Command("chips", "list the chips and clusters that have names", "intarsia chips --json", _options, _run)
