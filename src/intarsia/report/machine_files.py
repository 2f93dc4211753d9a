"""A chip and a cluster as the files that people write (docs/machines.md), so that a plan on them can be read again."""

from __future__ import annotations

import json
from typing import Any

from intarsia.machines.chips import Chip, Mapping, TensorCores
from intarsia.machines.clusters import Cluster

CHIP, CLUSTER = "chip.json", "cluster.json"


def chip_text(chip: Chip) -> str:
    """The file of a chip; ``read_chip`` reads the same chip from it."""
    tensor, vector = chip.tensor, chip.vector
    more = chip.second
    fields: dict[str, Any] = {
        "name": chip.name,
        "family": chip.family,
        "clock_ghz": _in(chip.clock, 1e9),
        "tensor_cores": _cores(tensor),
        "vector_cores": {"count": vector.count, "width": vector.width},
        "onchip_mib": chip.onchip_bytes / 2**20,
        "local_kib": chip.local_bytes / 2**10,
        "hbm_gib": chip.hbm_bytes / 2**30,
        "hbm_tb_per_s": _in(chip.hbm_bandwidth, 1e12),
        "link_gb_per_s": _in(chip.link_bandwidth, 1e9),
        "best_tflops": _in(chip.best_flops, 1e12),
        "fp8_factor": chip.fp8_factor,
        "serial": chip.serial,
        "source": chip.source,
        "assumed": list(chip.assumed),
        **({} if more is None else {"second_tensor_cores": _cores(more)}),
        **({} if chip.mapping is Mapping.EMBEDDED else {"costs": str(chip.mapping)}),
    }
    return _text(fields)


def _cores(cores: TensorCores) -> dict[str, Any]:
    return {"count": cores.count, "width": cores.width, "depth": cores.depth, "dataflow": str(cores.dataflow)}


def cluster_text(cluster: Cluster) -> str:
    """The file of a cluster whose chip's file lies beside it; ``read_cluster`` reads the same cluster from it."""
    levels = [
        {
            "name": level.name,
            "devices": 0 if level.devices == cluster.devices else level.devices,
            "gb_per_s": _in(level.bandwidth, 1e9),
            "latency_us": _in(level.latency, 1e-6),
            "topology": level.topology,
        }
        for level in cluster.levels
    ]
    fields = {
        "name": cluster.name, "chip": CHIP, "devices": cluster.devices, "levels": levels, "source": cluster.source
    }  # fmt: skip
    return _text(fields)


def _in(value: float, unit: float) -> float:
    """The shortest number that gives this value in the unit, to the last bit."""
    return next(short for digits in range(1, 18) if (short := float(f"{value / unit:.{digits}g}")) * unit == value)


def _text(fields: dict[str, Any]) -> str:
    return json.dumps(fields, indent=2, ensure_ascii=False) + "\n"
