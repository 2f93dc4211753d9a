"""A cluster from ``NAMExN`` (N chips joined as the catalogue's NAME) or from a file of the same form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import msgspec

from intarsia.ground import InputError
from intarsia.ground.records import decode_record, read_record, refuse_unknown
from intarsia.machines.chips.chip import Chip
from intarsia.machines.chips.read import read_chip
from intarsia.machines.clusters.cluster import Cluster, Level

_SIZED = re.compile(r"^(?P<name>[A-Za-z0-9.\-]+?)x(?P<count>[0-9]+)$")


class _Level(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    devices: int
    gb_per_s: float
    latency_us: float
    topology: str = "switched"


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """A cluster as people write it; a level of 0 devices reaches them all."""

    name: str
    chip: str
    levels: list[_Level]
    source: str
    devices: int = 0


def cluster_names() -> tuple[str, ...]:
    """The catalogue, sorted."""
    folder = files("intarsia.machines.clusters") / "catalogue"
    return tuple(sorted(entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json")))


def read_cluster(text: str, *, devices: int = 0) -> Cluster:
    """The cluster of a text.

    Args:
        text: ``NAMExN``; ``NAME`` where ``devices`` says how many; or a JSON file.
        devices: how many chips, where the text does not say.

    Raises:
        InputError: the name is unknown, the file is wrong, or the number of chips is missing or impossible.
    """
    if text.endswith(".json"):
        file = read_record(Path(text), _File, what="cluster file")
        return _cluster(file, file.devices or devices, text)
    sized = _SIZED.match(text)
    if sized and sized["name"].lower() in cluster_names():
        return _cluster(_named(sized["name"]), int(sized["count"]), text)
    name = text if text.lower() in cluster_names() or not sized else sized["name"]
    return _cluster(_named(name), devices, text)


def read_clusters(texts: str | Sequence[str]) -> tuple[Cluster, ...]:
    """Clusters of different numbers of chips, the largest first.

    Args:
        texts: of clusters; ``NAMExN,N`` is several of one name, and files may stand beside each other, too.

    Raises:
        InputError: as of one cluster; or two have as many chips.
    """
    listed = (texts,) if isinstance(texts, str) else tuple(texts)
    found = [read_cluster(one) for text in listed for one in _each(text)]
    if not found:
        raise InputError("there is no cluster", allowed="one or several", hint="tpuv4x64")
    for at, one in enumerate(found):
        if one.devices in {other.devices for other in found[:at]}:
            value = f"{one.devices} chips"
            raise InputError(
                "two clusters have as many chips", where=", ".join(listed), value=value, allowed="each once"
            )
    return tuple(sorted(found, key=lambda one: -one.devices))


def _each(text: str) -> Iterator[str]:
    """Texts of single clusters: a number alone has the name of the one before."""
    name = ""
    for part in text.split(","):
        sized = _SIZED.match(part.strip())
        if sized:
            name = sized["name"]
        yield f"{name}x{part.strip()}" if name and part.strip().isdigit() else part.strip()


def _named(name: str) -> _File:
    name = name.lower()
    if name not in cluster_names():
        raise refuse_unknown(name, cluster_names(), what="cluster", hint="a file of your own cluster, NAME.json")
    entry = files("intarsia.machines.clusters") / "catalogue" / f"{name}.json"
    return decode_record(entry.read_bytes(), _File, what="cluster file", where=name)


def _cluster(file: _File, devices: int, where: str) -> Cluster:
    if devices < 1:
        raise InputError(
            "the cluster's number of chips is missing or not positive",
            where=where,
            value=str(devices),
            allowed="1 or more",
            hint='"devices": 64 in the file' if where.endswith(".json") else f"{file.name}x64",
        )
    if not file.levels:
        raise InputError("the cluster has no network level", where=where, allowed="one level or more")
    levels: list[Level] = []
    reached = 1
    for level in file.levels:
        _refuse_level(level, reached, where)
        if levels and reached >= devices:
            continue
        reached = level.devices or max(devices, reached)
        levels.append(Level(level.name, reached, level.gb_per_s * 1e9, level.latency_us * 1e-6, level.topology))
    if reached < devices:
        raise InputError(
            "the levels do not reach every chip", where=where, value=f"{reached} of {devices}", hint="0 devices for all"
        )
    return Cluster(file.name, _chip(_beside(file.chip, where), where), devices, tuple(levels), file.source)


def _beside(chip: str, where: str) -> str:
    """A chip's file as a cluster's file names it: beside that one, or else as seen from the current folder."""
    beside = Path(where).parent / chip
    return str(beside) if chip.endswith(".json") and where.endswith(".json") and beside.is_file() else chip


def _chip(text: str, where: str) -> Chip:
    try:
        return read_chip(text)
    except InputError as error:
        raise error.at(error.where or where) from error


def _refuse_level(level: _Level, reached: int, where: str) -> None:
    if level.gb_per_s <= 0:
        raise InputError(
            f"the bandwidth of level {level.name} is not positive",
            where=where,
            value=f"{level.gb_per_s} GB/s",
            allowed="more than 0",
        )
    if level.latency_us < 0:
        raise InputError(
            f"the latency of level {level.name} is negative",
            where=where,
            value=f"{level.latency_us} µs",
            allowed="0 or more",
        )
    if level.devices < 0 or level.devices % reached:
        raise InputError(
            f"level {level.name} does not hold a whole number of the levels inside it",
            where=where,
            value=f"{level.devices} devices over {reached}",
            allowed=f"a multiple of {reached}, or 0 for all that there are",
        )
