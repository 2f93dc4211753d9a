"""Chips of the catalogue under their own best plans: as many of them, each in its own network."""

from __future__ import annotations

from dataclasses import replace

from intarsia.flow.study.file import Study
from intarsia.flow.study.model_records import Baseline
from intarsia.flow.study.trials import Tried
from intarsia.ground import InputError
from intarsia.machines.chips import Mapping, efficiency_of
from intarsia.machines.clusters import Cluster, read_cluster


def baseline_clusters(study: Study, devices: int) -> tuple[Cluster, ...]:
    """Clusters of the catalogue with so many devices.

    Raises:
        InputError: a name is unknown.
    """
    mapping = Mapping(study.costs)
    try:
        clusters = [read_cluster(name, devices=devices) for name in study.baselines]
    except InputError as error:
        raise error.at("baselines") from error
    return tuple(replace(cluster, chip=replace(cluster.chip, mapping=mapping)) for cluster in clusters)


def baseline(cluster: Cluster, tried: Tried, seconds: float, global_batch: int) -> Baseline:
    """A chip with its plan.

    Args:
        cluster: of its chips.
        tried: the best plan.
        seconds: of the study's own plan.
        global_batch: sequences of an iteration.
    """
    chip = cluster.chip
    return Baseline(
        chip=chip.name,
        cluster=f"{cluster.devices} × {chip.name} in the network of {cluster.name}",
        peak_flops=chip.peak_flops,
        hbm_bytes=chip.hbm_bytes,
        hbm_bandwidth=chip.hbm_bandwidth,
        seconds=tried.seconds,
        interval=tried.interval,
        samples=None if tried.seconds is None else global_batch / tried.seconds,
        times=None if tried.seconds is None else tried.seconds / seconds,
        plan=tried.plan,
        because=tried.because,
        efficiency=efficiency_of(chip).source,
        assumed=chip.assumed,
    )
