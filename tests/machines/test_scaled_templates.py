"""Are the edge accelerators of the published comparison scaled to the area of the TPUv4-like chip, and no further?"""

from __future__ import annotations

import pytest

from intarsia.ground import InputError
from intarsia.machines.chips import Chip, read_chip
from intarsia.machines.template import PHAZE, buffer_area, tensor_core_area, vector_core_area
from intarsia.machines.template.area import LOCAL


def core(chip: Chip) -> float:
    """A tensor core with its vector core, mm²."""
    return tensor_core_area(chip.tensor.width, chip.tensor.depth) + vector_core_area(chip.vector.width)


def test_as_many_cores_of_nvdla_as_fit_each_with_its_own_buffer() -> None:
    chip = read_chip("nvdla-scaled")
    one = core(chip) + LOCAL[512]
    assert chip.onchip_bytes == 512 * 2**10
    assert chip.tensor.count == chip.vector.count
    assert chip.tensor.count * one <= PHAZE.budget < (chip.tensor.count + 1) * one
    assert chip.tensor.width * chip.tensor.depth == 64 * chip.vector.width


def test_as_many_arrays_of_spotlight_as_a_buffer_of_known_area_feeds() -> None:
    chip = read_chip("spotlight-scaled")
    mib = chip.onchip_bytes / 2**20
    assert mib == 16 * chip.tensor.count
    assert 0.95 * PHAZE.budget < chip.tensor.count * core(chip) + buffer_area(mib) <= PHAZE.budget
    with pytest.raises(InputError, match="no area is known for a shared buffer"):
        buffer_area(mib + 16)


@pytest.mark.parametrize("name", ["nvdla-scaled", "spotlight-scaled"])
def test_what_is_not_scaled_is_that_of_the_tpuv4_like_chip(name: str) -> None:
    chip, other = read_chip(name), read_chip("tpuv4-like")
    for field in ("clock", "hbm_bytes", "hbm_bandwidth", "link_bandwidth", "family", "serial"):
        assert getattr(chip, field) == getattr(other, field)
    assert chip.assumed
