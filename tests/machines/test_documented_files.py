"""Are the examples of docs/machines.md read as they stand there?"""

from __future__ import annotations

import json
import re
from pathlib import Path

from intarsia.machines.chips import efficiency_of, read_chip
from intarsia.machines.clusters import read_cluster

TEXT = (Path(__file__).parents[2] / "docs" / "machines.md").read_text(encoding="utf-8")


def test_the_examples_are_read(tmp_path: Path) -> None:
    chip, cluster, calibration = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    for name, text in (("chip", chip), ("cluster", cluster), ("calibration", calibration)):
        (tmp_path / f"{name}.json").write_text(text)
    read = read_chip(str(tmp_path / "chip.json"))
    assert (read.name, read.hbm_bytes, read.serial) == ("my-chip", 32 * 2**30, False)
    assert efficiency_of(read, str(tmp_path / "calibration.json")).error == json.loads(calibration)["error"]
    found = read_cluster(str(tmp_path / "cluster.json"))
    assert (found.devices, [level.devices for level in found.levels]) == (64, [8, 32, 64])


def test_the_space_of_the_page_is_the_example() -> None:
    (space,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert space == (Path(__file__).parents[2] / "examples" / "space.toml").read_text(encoding="utf-8")
