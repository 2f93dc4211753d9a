"""Is the published space of template chips counted as published, and are areas and chips those of its points?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from intarsia.ground import InputError
from intarsia.machines.chips import read_chip
from intarsia.machines.template import PHAZE, Point, buffer_area, chip_of, tensor_core_area, vector_core_area
from intarsia.machines.template.area import LOCAL, SHARED


def test_the_published_count() -> None:
    """29,360 of 75,712, as published; the budget is the area of the TPUv4-like point, 278.8266 mm²."""
    assert PHAZE.combinations == 75_712
    assert len(PHAZE.points) == 29_360
    assert PHAZE.budget == pytest.approx(278.8266, abs=1e-4)


def test_columns_are_the_points() -> None:
    points = PHAZE.points
    for row in range(0, len(points), 997):
        assert points.area[row] == pytest.approx(points.point(row).area, rel=1e-12)
    different = set(points)
    assert len(different) == len(points)
    assert Point(8, 2, 128, 128, 128) in different


def test_capacity_takes_no_area() -> None:
    wide = replace(PHAZE, hbm_gib=(32, 64, 80))
    assert len(wide.points) == 3 * 29_360


def test_small_chips_are_left_out_unless_a_kind_of_core_is_single() -> None:
    small = PHAZE.points.area < 0.3 * PHAZE.budget
    single = (PHAZE.points.tensor_cores == 1) | (PHAZE.points.vector_cores == 1)
    assert small.any()
    assert single[small].all()


def test_memories_between_the_published_sizes_lie_on_a_line() -> None:
    assert tensor_core_area(12, 8) - tensor_core_area(8, 8) == pytest.approx(
        32 * 760.041e-6 + (0.00824843 - 0.00613398) / 2
    )
    assert vector_core_area(64) == pytest.approx(64 * 759.824e-6 + 0.00613398)
    assert vector_core_area(8) == pytest.approx(8 * 759.824e-6 + 0.00613398)
    assert buffer_area(3) == pytest.approx((buffer_area(2) + buffer_area(4)) / 2)


@pytest.mark.parametrize("table", [LOCAL, SHARED])
def test_the_line_finds_each_published_memory_from_its_neighbours(table: dict[int, float]) -> None:
    """Within 11 %; the next size up would be 53 to 118 % above."""
    sizes = list(table)
    for left, size, right in zip(sizes, sizes[1:], sizes[2:], strict=False):
        found = np.interp(size, [left, right], [table[left], table[right]])
        assert abs(found / table[size] - 1) < 0.11
        assert 1.52 < table[right] / table[size] < 2.19


def test_a_memory_beyond_the_table_is_refused() -> None:
    with pytest.raises(InputError, match=r"no area is known for a tensor core .*: 2048 KiB; allowed: at most 1024 KiB"):
        tensor_core_area(512, 256)
    with pytest.raises(InputError, match="shared buffer"):
        buffer_area(129)


def test_the_published_point_is_the_catalogues() -> None:
    ours, theirs = chip_of(Point(8, 2, 128, 128, 128, 32)), read_chip("tpuv4-like")
    for name in ("clock", "tensor", "vector", "onchip_bytes", "hbm_bytes", "hbm_bandwidth", "link_bandwidth", "serial"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.peak_flops == theirs.peak_flops
