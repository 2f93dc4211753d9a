"""Which clusters are there, how are they named, and what is refused in a cluster's file?"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from intarsia.ground import InputError
from intarsia.machines.clusters import cluster_names, read_cluster

NODE = {"name": "node", "devices": 4, "gb_per_s": 100, "latency_us": 2}
RACK = {"name": "rack", "devices": 16, "gb_per_s": 50, "latency_us": 3}
ALL = {"name": "cluster", "devices": 0, "gb_per_s": 12.5, "latency_us": 5}
MINE: dict[str, Any] = {"name": "mine", "chip": "a100", "levels": [NODE, RACK, ALL], "source": "ours", "devices": 64}


def written(folder: Path, **changes: Any) -> str:
    content = {name: value for name, value in (MINE | changes).items() if value is not None}
    file = folder / "mine.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return str(file)


def refused(text: str) -> str:
    with pytest.raises(InputError) as error:
        read_cluster(text)
    return str(error.value)


@pytest.mark.parametrize("name", cluster_names())
@pytest.mark.parametrize("devices", [1, 8, 12, 100, 4096])
def test_every_cluster_has_every_size(name: str, devices: int) -> None:
    cluster = read_cluster(f"{name}x{devices}")
    assert (cluster.name, cluster.devices) == (name, devices)
    assert cluster == read_cluster(name, devices=devices)
    assert cluster.levels[-1].devices >= devices
    reached = [level.devices for level in cluster.levels]
    assert reached == sorted(set(reached))
    assert all(inner < devices for inner in reached[:-1])
    assert all(level.bandwidth > 1e9 and 0 < level.latency < 1e-4 for level in cluster.levels)


@pytest.mark.parametrize(
    ("text", "name", "devices"),
    [("mi300xx64", "mi300x", 64), ("a100-800gx16", "a100-800g", 16), ("tpuv4-likex12", "tpuv4-like", 12)],
)
def test_names_may_end_in_x_or_contain_digits(text: str, name: str, devices: int) -> None:
    assert (read_cluster(text).name, read_cluster(text).devices) == (name, devices)


def test_levels_are_in_si_units() -> None:
    node, beyond = read_cluster("a100x512").levels
    assert (node.devices, node.bandwidth) == (8, 300e9)
    assert node.latency == pytest.approx(2e-6)
    assert (beyond.devices, beyond.bandwidth) == (512, 25e9)
    assert beyond.latency == pytest.approx(5e-6)


@pytest.mark.parametrize(("devices", "levels"), [(2, 1), (4, 1), (5, 2), (16, 2), (17, 3), (64, 3), (99, 3)])
def test_the_first_chips_need_only_their_levels(tmp_path: Path, devices: int, levels: int) -> None:
    cluster = read_cluster(written(tmp_path))
    part = cluster.first(devices)
    assert part.levels == cluster.levels[:levels]
    assert part.devices == min(devices, 64)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"chip": None}, "the cluster file is wrong: Object missing required field `chip`"),
        ({"nodes": 2}, "the cluster file is wrong: Object contains unknown field `nodes`"),
        ({"levels": []}, "the cluster has no network level; allowed: one level or more"),
        (
            {"levels": [NODE, ALL | {"gb_per_s": 0}]},
            "the bandwidth of level cluster is not positive: 0.0 GB/s; allowed: more than 0",
        ),
        (
            {"levels": [NODE | {"latency_us": -1}, ALL]},
            "the latency of level node is negative: -1.0 µs; allowed: 0 or more",
        ),
        (
            {"levels": [NODE, RACK | {"devices": 10}, ALL]},
            (
                "level rack does not hold a whole number of the levels inside it: 10 devices over 4; "
                "allowed: a multiple of 4, or 0 for all that there are"
            ),
        ),
        ({"levels": [NODE, RACK]}, "the levels do not reach every chip: 16 of 64; try: 0 devices for all"),
        (
            {"devices": -1},
            (
                "the cluster's number of chips is missing or not positive: -1; allowed: 1 or more; "
                'try: "devices": 64 in the file'
            ),
        ),
        (
            {"devices": None},
            (
                "the cluster's number of chips is missing or not positive: 0; allowed: 1 or more; "
                'try: "devices": 64 in the file'
            ),
        ),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    file = written(tmp_path, **changes)
    assert refused(file) == f"{file}: {message}"


def test_a_file_that_is_not_json_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "cluster.json"
    file.write_text("{", encoding="utf-8")
    assert refused(str(file)).startswith(f"{file}: the cluster file is not JSON: ")


def test_an_unknown_chip_in_a_file_is_refused(tmp_path: Path) -> None:
    assert refused(written(tmp_path, chip="a1000")).startswith(
        f"{tmp_path}/mine.json: unknown chip: a1000; allowed: a100, "
    )


@pytest.mark.parametrize("text", ["a100x0", "a100"])
def test_a_cluster_has_a_chip(text: str) -> None:
    assert refused(text) == (
        f"{text}: the cluster's number of chips is missing or not positive: 0; allowed: 1 or more; try: a100x64"
    )


@pytest.mark.parametrize(("text", "near"), [("mi300x64", "mi300x"), ("h10x8", "h100"), ("a100x", "a100"), ("", "")])
def test_unknown_names_are_refused_with_the_nearest(text: str, near: str) -> None:
    message = refused(text)
    assert message.startswith("unknown cluster")
    assert near in message.split("; try: ")[1]


def test_a_chip_is_looked_for_beside_the_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chip = files("intarsia.machines.chips") / "catalogue" / "a100.json"
    (tmp_path / "chip.json").write_text(chip.read_text(encoding="utf-8"), encoding="utf-8")
    file = written(tmp_path, chip="chip.json")
    monkeypatch.chdir(tmp_path.parent)
    assert read_cluster(file).chip == read_cluster("a100x8").chip
