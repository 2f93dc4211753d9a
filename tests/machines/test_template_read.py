"""Is a space of chips read from a file as it stands there, and is every mistake in one said with its place?"""

from __future__ import annotations

from math import inf
from pathlib import Path

import pytest

from intarsia.ground import InputError
from intarsia.machines.template import PHAZE, WIDE, Point, TemplateSpace, read_space

EXAMPLE = Path(__file__).parents[2] / "examples" / "space.toml"
SHORT = """
name = "short"
[budget]
area_mm2 = 200
[chips]
tensor_cores = 4
vector_cores = 2
width = [64]
depth = {from = 32, to = 128, powers_of_two = true}
buffer_mib = {from = 8, to = 16, step = 4}
hbm_gib = 32
"""


def _read(tmp_path: Path, text: str) -> TemplateSpace:
    path = tmp_path / "space.toml"
    path.write_text(text)
    return read_space(path)


def test_shipped_spaces_have_names() -> None:
    assert read_space("phaze") is PHAZE
    assert read_space("wide") is WIDE


def test_the_example_is_read() -> None:
    space = read_space(str(EXAMPLE))
    assert space.tensor_cores == (2, 4, 8, 16, 32, 64)
    assert space.width == (64, 96, 128, 160, 192, 224, 256)
    assert space.clock == (0.7e9, 0.875e9, 1.05e9)
    assert space.link_bandwidth == (150e9, 300e9)
    assert space.budgets == {"area": 300, "watts": 350, "dollars": 1000}
    assert (space.hbm_gib, space.stacks, space.vector_width, space.least) == ((), (2, 4, 6), (256,), 0.5)
    points = space.points
    assert 1000 < len(points) < space.combinations
    assert points.dollars.max() <= 1000


def test_what_is_left_out_is_as_published(tmp_path: Path) -> None:
    space = _read(tmp_path, SHORT)
    assert (space.depth, space.buffer_mib) == ((32, 64, 128), (8, 12, 16))
    assert (space.budget, space.watts, space.dollars, space.least) == (200, inf, inf, 0)
    assert space.points.point(0) == Point(4, 2, 64, 32, 8, 32)
    assert len(space.points) == 9


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("width", "widht", r"space\.toml, \[chips\]: unknown key: widht; allowed: tensor_cores, .*; try: width"),
        ("powers_of_two", "power_of_two", r"\[chips\], \[depth\]: unknown key: power_of_two; .*; try: powers_of_two"),
        ("[budget]", "[budgets]", r"unknown key: budgets; allowed: name, chips, budget, least; try: budget"),
        ("hbm_gib = 32", "", r"space\.toml: space short: the capacity of the HBM is not clear"),
        ("hbm_gib = 32", "hbm_gib = 32\nstacks = [1, 2]", "the capacity of the HBM is not clear"),
        ("vector_cores = 2\n", "", r"the space file is wrong: .*missing required field `vector_cores`"),
        ("tensor_cores = 4", "tensor_cores = 4.5", r"a value of tensor_cores is no whole number: 4\.5"),
        ("tensor_cores = 4", 'tensor_cores = "4"', r"the space file is wrong: .*chips\.tensor_cores"),
        ("step = 4", "step = 0", "the range of buffer_mib is not possible: 8 to 16"),
        ("from = 8, to = 16", "from = 16, to = 8", "the range of buffer_mib is not possible: 16 to 8"),
        ("from = 32, to = 128", "from = 33, to = 63", "no power of two is in the range of depth: 33 to 63"),
        ("step = 4", "step = nan", "the range of buffer_mib is not possible: 8 to 16"),
        ("to = 16", "to = inf", "the range of buffer_mib is not possible: 8 to inf"),
        ("tensor_cores = 4", "tensor_cores = inf", "a value of tensor_cores is no whole number: inf"),
        ("area_mm2 = 200", "area_mm2 = nan", "budget is not possible: nan"),
        ("step = 4", "step = 0.0001", r"the range of buffer_mib has too many values: 80001; allowed: 10,000"),
        ("area_mm2 = 200", "", "there is no budget"),
        ("width = [64]", "width = []", "width has no value"),
        ("width = [64]", "width = [64", r"the space file is not TOML: "),
    ],
)
def test_mistakes_are_said(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in SHORT
    with pytest.raises(InputError, match=message):
        _read(tmp_path, SHORT.replace(old, new))


def test_an_unknown_name_or_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unknown space of chips: phase; allowed: phaze, wide; try: phaze"):
        read_space("phase")
    with pytest.raises(InputError, match="cannot read the space file: No such file"):
        read_space(tmp_path / "none.toml")
