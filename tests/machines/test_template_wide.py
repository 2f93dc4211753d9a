"""Do columns, points and closed forms of the wider template agree, and does more of anything never cost less?"""

from __future__ import annotations

import pickle
import random
from dataclasses import asdict, replace
from math import inf
from pathlib import Path

import numpy as np
import pytest

from intarsia.ground import InputError
from intarsia.machines.chips import read_chip
from intarsia.machines.template import (
    PHAZE,
    TPUV4_LIKE,
    WIDE,
    Amounts,
    Point,
    TemplateSpace,
    chip_of,
    columns_of,
    energy,
    joules,
    money,
    peak_amounts,
    point_of,
    single,
)

DOCS = Path(__file__).parents[2] / "docs"
LIKE = Point(8, 2, 128, 128, 128, stacks=3)
VALUES = {
    "tensor_cores": (1, 3, 8, 40),
    "vector_cores": (1, 2, 7),
    "width": (8, 48, 128, 200),
    "depth": (8, 80, 128, 300),
    "buffer_mib": (2, 5, 64, 128),
    "vector_width": (16, 128, 1000),
    "clock": (0.3e9, 0.7e9, 1.05e9, 1.3e9),
    "stacks": (1, 3, 8),
    "link_bandwidth": (50e9, 300e9, 900e9),
}
SMALL = TemplateSpace(
    name="small",
    tensor_cores=(2, 4),
    vector_cores=(2,),
    width=(64, 96),
    depth=(64, 96),
    buffer_mib=(8, 16),
    hbm_gib=(),
    budget=60.0,
    least=0.1,
    clock=(0.7e9, 1.05e9),
    stacks=(1, 2),
    link_bandwidth=(100e9, 200e9),
)


def _drawn(count: int, seed: int = 1) -> list[Point]:
    draw = random.Random(seed)
    points = [Point(**{name: draw.choice(values) for name, values in VALUES.items()}) for _ in range(count)]
    more = {"more_cores": 2, "more_width": 32, "more_depth": 48}
    return points + [replace(point, **more) for point in points[: count // 4]]


def test_columns_are_the_points_one_by_one() -> None:
    drawn = [*_drawn(60), Point(8, 2, 128, 128, 128), Point(1, 1, 2, 2, 2, 32)]
    points = columns_of(drawn)
    assert list(points) == drawn
    for row, point in enumerate(drawn):
        for name in ("area", "watts", "dollars", "hbm_bytes", "hbm_bandwidth"):
            assert getattr(points, name)[row] == pytest.approx(getattr(point, name), rel=1e-12), name


def test_rows_are_selected() -> None:
    points = SMALL.points
    chosen = points.rows(points.clock == 0.7e9)
    assert 0 < len(chosen) < len(points)
    assert set(chosen) == {point for point in points if point.clock == 0.7e9}
    assert list(points.rows(np.array([3, 1]))) == [points.point(3), points.point(1)]
    assert list(points.rows(slice(2, 4))) == [points.point(2), points.point(3)]
    anew = columns_of(list(chosen))
    for name in ("area", "watts", "dollars", "hbm_bandwidth"):
        assert getattr(chosen, name) == pytest.approx(getattr(anew, name)), name


def test_a_space_may_be_empty() -> None:
    points = replace(SMALL, budget=1.0).points
    assert len(points) == len(points.area) == len(points.watts) == len(points.dollars) == 0
    assert len(points.rows(points.area > 0)) == 0


def test_a_space_is_sent_without_its_points() -> None:
    assert len(SMALL.points) > 0
    sent = pickle.loads(pickle.dumps(SMALL))
    assert sent == SMALL
    assert "points" not in vars(sent)
    assert list(sent.points) == list(SMALL.points)


def test_parts_add_up() -> None:
    for point in _drawn(20):
        parts = point.parts()
        assert len({part.name for part in parts}) == len(parts)
        for name in ("area", "watts", "dollars"):
            whole = sum(part.count * getattr(part, name) for part in parts)
            assert whole == pytest.approx(getattr(point, name)), name
    counts = {part.name: part.count for part in LIKE.parts()}
    assert counts == {
        "tensor core": 8, "vector core": 2, "shared buffer": 1, "HBM PHY": 3, "links": 1, "HBM": 3, "package": 1,
    }  # fmt: skip


def test_columns_of_parts_are_those_of_points() -> None:
    drawn = _drawn(8)
    for row, point in enumerate(drawn):
        of_point = {(part.name, part.count, part.area, part.watts, part.dollars) for part in point.parts()}
        columns = columns_of(drawn).parts()
        of_row = {(name, *(float(column[row]) for column in its)) for name, *its in columns if its[0][row]}
        assert sorted(of_row) == [pytest.approx(part) for part in sorted(of_point)]


def test_areas_in_closed_form() -> None:
    """The published constants, a line between the known memories, and the interfaces' own areas."""
    point = Point(3, 2, 48, 32, 24, vector_width=80, stacks=2, link_bandwidth=100e9)
    tensor = 760.041e-6 * 48 * 32 + (0.0221399 + 0.038583 * 2) / 3 + (0.038583 - 0.0221399) * 0
    kib = 16 * 48 * 32 / 1024
    assert kib == 24
    tensor = 760.041e-6 * 48 * 32 + 0.038583 + (0.0633384 - 0.038583) * (kib - 16) / 16
    vector = 759.824e-6 * 80 + 0.00613398 + (0.00824843 - 0.00613398) * 0.25
    buffer = (23.7452 + 46.7509) / 2
    assert point.area == pytest.approx(3 * tensor + 2 * vector + buffer + 2 * 10.45 + 4 * 1.888)


def test_the_published_template_has_no_interfaces() -> None:
    assert Point(8, 2, 128, 128, 128, link_bandwidth=900e9).area == Point(8, 2, 128, 128, 128).area
    assert LIKE.area - Point(8, 2, 128, 128, 128).area == pytest.approx(3 * 10.45 + 12 * 1.888)
    assert Point(1, 1, 8, 8, 2, 80).hbm_bandwidth == 1.2e12
    assert (LIKE.hbm_gib, LIKE.hbm_bytes, LIKE.hbm_bandwidth) == (48, 48 << 30, pytest.approx(1.23e12))


def test_what_follows_from_other_fields_is_filled_in() -> None:
    assert Point(1, 1, 64, 8, 2).vector_width == 64
    assert Point(1, 1, 64, 8, 2, 80, stacks=2) == Point(1, 1, 64, 8, 2, 32, stacks=2)


@pytest.mark.parametrize("name", VALUES)
def test_more_never_costs_less(name: str) -> None:
    """Of any field, wherever the others are."""
    for point in _drawn(12, seed=7):
        chips = [replace(point, **{name: value}) for value in sorted(VALUES[name])]
        for quantity in ("area", "watts", "dollars"):
            values = [getattr(chip, quantity) for chip in chips]
            assert values == sorted(values), (quantity, chips)


def test_a_second_kind_of_cores_costs_as_the_first() -> None:
    both = Point(4, 2, 128, 64, 16, stacks=1, vector_width=32, more_cores=4, more_width=128, more_depth=64)
    assert both.area == pytest.approx(Point(8, 2, 128, 64, 16, stacks=1, vector_width=32).area)
    assert both.watts == pytest.approx(Point(8, 2, 128, 64, 16, stacks=1, vector_width=32).watts)
    chip, alone = chip_of(both), chip_of(Point(8, 2, 128, 64, 16, stacks=1, vector_width=32))
    assert chip.peak_flops == alone.peak_flops
    assert [kind.tensor for kind in chip.kinds] == [chip.tensor, chip.second] == [chip.tensor] * 2
    assert alone.kinds == (alone,)
    assert chip.name == "template-4x128x64-4x128x64-2x32-16m-16g-1s"
    small = chip_of(replace(both, more_width=32, more_depth=16)).kinds[1]
    assert (small.local_bytes, small.second) == (16 * 32 * 16, None)


def test_a_chip_says_what_was_assumed() -> None:
    chip = chip_of(Point(8, 2, 96, 128, 64, stacks=4, vector_width=200, clock=0.7e9, link_bandwidth=100e9))
    assert (chip.hbm_bytes, chip.hbm_bandwidth, chip.vector.width) == (64 << 30, pytest.approx(1.64e12), 200)
    assert (chip.clock, chip.link_bandwidth, chip.local_bytes) == (0.7e9, 100e9, 16 * 96 * 128)
    for said in ("4 stacks of HBM2E, 16 GiB and 410 GB/s", "100 GB/s", "0.7 GHz", "16 bytes for each multiplier"):
        assert any(said in sentence for sentence in chip.assumed), said
    names = {chip_of(point).name for point in SMALL.points}
    assert len(names) == len(SMALL.points)
    published = chip_of(Point(8, 2, 128, 128, 128, 32)).assumed
    assert set(published) - {"a core's own memory: 16 bytes for each multiplier"} < set(read_chip("tpuv4-like").assumed)


def test_the_wide_space_holds_the_published_chip_with_interfaces() -> None:
    assert LIKE.area == WIDE.budget
    assert LIKE.watts == WIDE.watts
    point = replace(WIDE, **{name: (value,) for name, value in asdict(LIKE).items() if name != "hbm_gib"})
    assert list(point.points) == [LIKE]
    assert set(asdict(LIKE).items()) - {("hbm_gib", 48)} <= {
        (name, value) for name, values in WIDE.values.items() for value in values
    } | {(name, 0) for name in ("more_cores", "more_width", "more_depth")}


@pytest.mark.parametrize(
    "space",
    [
        SMALL,
        replace(SMALL, watts=40.0, budget=inf),
        replace(SMALL, dollars=300.0, budget=inf),
        replace(SMALL, watts=40.0, dollars=380.0, least=0.5),
        replace(SMALL, clock=(1e9,), more_cores=(0, 2), more_width=(0, 32), more_depth=(0, 64)),
        replace(SMALL, budget=inf, watts=150.0, more_cores=(2,), more_width=(0, 32), more_depth=(8,)),
        replace(SMALL, stacks=(0,), hbm_gib=(16, 80), vector_width=(32, 64), budget=50.0),
    ],
)
def test_a_space_is_every_combination_within_its_budgets(space: TemplateSpace) -> None:
    """Against a plain walk over all combinations, in their order."""
    names = list(space.values)
    expected = []
    for point in _combinations(space, names):
        second = (point.more_cores > 0, point.more_width > 0, point.more_depth > 0)
        used = [getattr(point, name) / most for name, most in space.budgets.items()]
        if len(set(second)) == 1 and max(used) <= 1 and max(used) >= space.least:
            expected.append(point)
    assert list(space.points) == expected
    assert 0 < len(expected) < space.combinations


def _combinations(space: TemplateSpace, names: list[str]) -> list[Point]:
    grids = np.meshgrid(*(np.array(space.values[name]) for name in names), indexing="ij")
    rows = zip(*(grid.ravel().tolist() for grid in grids), strict=True)
    return [Point(**dict(zip(names, row, strict=True))) for row in rows]


def test_the_wide_space_is_as_large_as_documented_and_within_its_budgets() -> None:
    points = WIDE.points
    assert len(points) == 1_306_248
    assert points.area.max() <= WIDE.budget * (1 + 1e-9)
    assert points.watts.max() <= WIDE.watts * (1 + 1e-9)
    assert (np.maximum(points.area / WIDE.budget, points.watts / WIDE.watts) >= 0.5).all()
    assert not points.more_cores.any()
    for row in random.Random(3).sample(range(len(points)), 40):
        assert points.area[row] == pytest.approx(points.point(row).area, rel=1e-12)
        assert points.watts[row] == pytest.approx(points.point(row).watts, rel=1e-12)
    for page in ("machines.md", "decisions/0012-area-power-and-money-of-a-chip.md"):
        assert f"{len(points):,}" in (DOCS / page).read_text(encoding="utf-8")


def test_a_die_beyond_the_reticle_is_in_no_space() -> None:
    huge = Point(100, 1, 256, 256, 128)
    assert huge.area > 858
    assert huge.dollars == inf
    assert single(huge).dollars[0] == inf
    every = replace(PHAZE, budget=inf, watts=1e6, least=0.0)
    assert every.points.area.max() <= 858
    assert len(every.points) > len(PHAZE.points)


def test_too_many_combinations_are_refused_before_they_are_made() -> None:
    huge = replace(SMALL, tensor_cores=tuple(range(1, 10_001)), width=tuple(range(1, 3000)), depth=(1,), budget=800.0)
    with pytest.raises(InputError, match=r"space small, width: the space has too many chips: 29,990,000; allowed"):
        _ = huge.points


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": ()}, "width has no value"),
        ({"width": (64, 64)}, "a value of width is there twice"),
        ({"depth": (0,)}, r"a value of depth is not possible: 0; allowed: 1 to 65,536"),
        ({"buffer_mib": (256,)}, r"a value of buffer_mib is not possible: 256; allowed: 1 to 128"),
        ({"stacks": (0, 1)}, "stacks are mixed"),
        ({"hbm_gib": (80,)}, "the capacity of the HBM is not clear; allowed: no hbm_gib: it follows from the stacks"),
        ({"stacks": (0,)}, "the capacity of the HBM is not clear; allowed: values of hbm_gib"),
        ({"budget": inf}, "there is no budget"),
        ({"least": 2.0}, "least is not possible: 2; allowed: a fraction"),
        ({"least": float("nan")}, "least is not possible: nan; allowed: a fraction"),
        ({"watts": float("nan")}, "watts is not possible: nan; allowed: more than 0"),
        ({"tensor_cores": (10**30,)}, r"a value of tensor_cores is not possible: 1e\+30; allowed: 1 to 1,000,000"),
        ({"link_bandwidth": (inf,)}, "a value of link_bandwidth is not possible: inf"),
        ({"watts": -1.0}, "watts is not possible: -1; allowed: more than 0"),
        ({"clock": (2e9,)}, r"a clock needs more than 1.2 V at 22 nm: 2 GHz; allowed: at most 1\.38683141 GHz"),
    ],
)
def test_an_impossible_space_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(SMALL, **change)


def test_peak_power_is_the_energy_of_a_busy_second() -> None:
    two = Point(2, 2, 64, 64, 16, more_cores=16, more_width=16, more_depth=8)
    for point in (LIKE, two, Point(3, 4, 96, 48, 20, vector_width=64, clock=0.8e9, stacks=2, link_bandwidth=100e9)):
        found = joules(point, peak_amounts(point))
        assert sum(found.values()) == pytest.approx(point.watts)
        assert found["padding"] == 0


def test_energy_is_additive_and_rest_costs_too() -> None:
    assert joules(LIKE, Amounts(seconds=2.0)) == pytest.approx(nothing_but("rest", 2 * 0.15 * LIKE.area))
    assert joules(LIKE, Amounts(hbm_bytes=1e9)) == pytest.approx(nothing_but("HBM", 1e9 * 8 * 3.97e-12))
    assert joules(LIKE, Amounts(link_bytes=1e9)) == pytest.approx(nothing_but("links", 1e9 * 8 * 5.5e-12))
    some = Amounts(1e12, 2e12, vector_ops=1e9, vector_bytes=2e9, hbm_bytes=1e9, seconds=1.0)
    more = Amounts(3e12, 3e12, vector_ops=5e9, link_bytes=1e9, seconds=0.5)
    both, each = joules(LIKE, some + more), (joules(LIKE, some), joules(LIKE, more))
    assert both == pytest.approx({name: sum(one[name] for one in each) for name in both})
    assert joules(LIKE, some.times(3)) == pytest.approx({name: 3 * value for name, value in each[0].items()})


def nothing_but(name: str, value: float) -> dict[str, float]:
    return {**dict.fromkeys(joules(LIKE, Amounts()), 0.0), name: value}


def test_a_lane_that_multiplies_zeros_takes_as_much_as_one_that_works() -> None:
    full, half = joules(LIKE, Amounts(products=1e12, lanes=1e12)), joules(LIKE, Amounts(products=5e11, lanes=1e12))
    assert half["products"] == half["padding"] == pytest.approx(full["products"] / 2)
    assert half["buffer"] == full["buffer"] > 0


def test_a_slower_clock_saves_energy_of_logic_and_rest_alone() -> None:
    slow = replace(LIKE, clock=0.7e9)
    supply = float(energy.Technology().voltage(np.array([0.7e9]))[0])
    every = Amounts(1e12, 2e12, vector_ops=1e9, vector_bytes=2e9, hbm_bytes=1e9, link_bytes=1e9, seconds=1.0)
    before, after = joules(LIKE, every), joules(slow, every)
    ratios = {name: after[name] / before[name] for name in before}
    logic = dict.fromkeys(("products", "padding", "vector", "buffer"), supply**2)
    assert ratios == pytest.approx({**logic, "HBM": 1.0, "links": 1.0, "rest": supply})


def test_a_chip_is_that_of_its_point() -> None:
    two = Point(2, 2, 64, 64, 16, more_cores=16, more_width=16, more_depth=8)
    for point in (LIKE, two, TPUV4_LIKE, *_drawn(30)):
        known = np.isfinite(single(point).area[0])
        assert point_of(chip_of(point)) == (point if known else None)


@pytest.mark.parametrize("name", ["a100", "tpuv4", "nvdla-scaled"])
def test_other_chips_have_no_point(name: str) -> None:
    """NVDLA's buffers are the cores' own, of half a MiB; the catalogue's TPUv4-like chip is one of the template."""
    assert point_of(read_chip(name)) is None
    like = read_chip("tpuv4-like")
    assert point_of(like) == replace(TPUV4_LIKE, hbm_gib=32)
    assert point_of(replace(like, hbm_bandwidth=1e12)) is None
    assert point_of(replace(like, serial=True)) is None


def test_energies_meet_the_published_tables() -> None:
    """At 45 nm and at 7 nm, and between them at 22."""
    old, new, ours = energy.Technology(45), energy.Technology(7), energy.Technology()
    assert new.multiply == pytest.approx((0.21 + 0.38) * 1e-12)
    assert old.lane == pytest.approx((3.7 + 0.9) * 1e-12)
    assert old.multiply_int8 == pytest.approx(0.3e-12)
    kib = np.array([8.0, 32.0, 1024.0])
    assert 8 * old.sram(kib) == pytest.approx(np.array([10, 20, 100]) * 1e-12)
    assert 8 * new.sram(kib) == pytest.approx(np.array([7.5, 8.5, 14]) * 1e-12)
    assert (new.sram(kib) < ours.sram(kib)).all()
    assert (ours.sram(kib) < old.sram(kib)).all()
    assert new.multiply < ours.multiply < old.multiply


def test_the_supply_follows_the_alpha_power_law() -> None:
    technology = energy.Technology()
    clocks = np.array([0.1e9, 0.7e9, 1.05e9, 1.3e9])
    supply = 0.9 * technology.voltage(clocks)
    assert supply[0] == pytest.approx(0.6)
    assert supply[2] == pytest.approx(0.9)
    law = (supply - 0.35) ** 1.3 / supply
    assert law[1:] / law[2] == pytest.approx(clocks[1:] / 1.05e9, rel=1e-6)


def test_a_die_costs_its_share_of_a_wafer() -> None:
    """100 mm²: 640 dies on a wafer of 300 mm, 95 % of them good."""
    dies = np.pi * 150**2 / 100 - np.pi * 300 / np.sqrt(200)
    good = (1 + 100 * 0.0005 / 3) ** -3
    assert float(money.die_dollars(np.array([100.0]))[0]) == pytest.approx(2891 / dies / good)
    assert dies == pytest.approx(640.2, abs=0.1)
    assert good == pytest.approx(0.9516, abs=1e-4)
