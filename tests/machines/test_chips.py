"""Which chips are there, are their figures the published ones, and what is refused in a chip's file?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from intarsia.ground import InputError
from intarsia.machines.chips import Dataflow, chip_names, efficiency_of, read_chip, write_efficiency

PUBLISHED = {  # dense bf16 TFLOP/s, 8-bit times as fast, HBM in GiB; from the vendors' data sheets
    "a100": (312, 1, 80),  # NVIDIA A100 data sheet
    "b200": (2250, 2, 180),  # NVIDIA DGX B200 data sheet: 72 PFLOP/s FP8 of eight; 36 dense bf16, 1,440 GB
    "gaudi3": (1835, 1, 128),  # Intel Gaudi 3 white paper: the same rate in FP8
    "h100": (989, 2, 80),  # NVIDIA H100 SXM data sheet
    "h200": (989, 2, 141),  # NVIDIA H200 data sheet
    "mi300x": (1307, 2, 192),  # AMD MI300X data sheet
    "mi355x": (2517, 2, 288),  # AMD MI355X data sheet
    "nvdla-scaled": (344, 1, 32),  # NVDLA documentation: 1024 multipliers in FP16; 160 of them at 1.05 GHz
    "spotlight-scaled": (242, 1, 32),  # Spotlight's artifact: 120 × 120 elements; eight of them at 1.05 GHz
    "tpu7x": (2307, 2, 192),  # Google Cloud TPU7x page
    "tpuv4": (275, 1, 32),  # Jouppi et al., ISCA 2023
    "tpuv4-like": (275, 1, 32),  # Wang et al., ICML 2024: eight 128 × 128 arrays at 1.05 GHz
    "tpuv5e": (197, 1, 16),  # Google Cloud TPU v5e page
    "tpuv5p": (459, 1, 95),  # Google Cloud TPU v5p page
    "tpuv6e": (918, 1, 32),  # Google Cloud TPU v6e page
    "trainium2": (667, 1299 / 667, 96),  # AWS Neuron documentation, Trainium2
    "trainium3": (671, 2517 / 671, 144),  # AWS Neuron documentation, Trainium3
}

MINE: dict[str, Any] = {
    "name": "mine",
    "family": "template",
    "clock_ghz": 1.5,
    "tensor_cores": {"count": 4, "width": 64, "depth": 32, "dataflow": "systolic"},
    "vector_cores": {"count": 2, "width": 128},
    "onchip_mib": 16,
    "local_kib": 512,
    "hbm_gib": 24,
    "hbm_tb_per_s": 0.9,
    "link_gb_per_s": 50,
    "source": "ours",
}


def written(folder: Path, **changes: Any) -> str:
    content = {name: value for name, value in (MINE | changes).items() if value is not None}
    file = folder / "mine.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return str(file)


def refused(text: str) -> str:
    with pytest.raises(InputError) as error:
        read_chip(text)
    return str(error.value)


def test_every_chip_has_a_published_figure() -> None:
    assert set(chip_names()) == set(PUBLISHED)


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_figures_are_the_published_ones(name: str) -> None:
    chip = read_chip(name)
    tera, fp8, gib = PUBLISHED[name]
    assert chip.peak_flops == pytest.approx(tera * 10**12, rel=0.01)
    assert chip.fp8_factor == pytest.approx(fp8, rel=0.01)
    assert chip.hbm_bytes == gib * 2**30
    assert 0 <= chip.best_flops < chip.peak_flops
    assert chip.source


def test_names_are_read_in_any_case() -> None:
    assert read_chip("A100") is read_chip("a100")


def test_a_file_is_read_in_si_units(tmp_path: Path) -> None:
    chip = read_chip(written(tmp_path))
    assert (chip.clock, chip.hbm_bandwidth, chip.link_bandwidth) == (1.5e9, 0.9e12, 50e9)
    assert (chip.onchip_bytes, chip.local_bytes, chip.hbm_bytes) == (2**24, 2**19, 24 * 2**30)
    assert chip.peak_flops == 2 * 4 * 64 * 32 * 1.5e9
    assert (chip.tensor.dataflow, chip.best_flops, chip.fp8_factor, chip.serial) == (Dataflow.SYSTOLIC, 0, 1, True)


SECOND = {"count": 16, "width": 16, "depth": 32, "dataflow": "systolic"}


def test_a_file_with_a_second_kind_of_tensor_cores(tmp_path: Path) -> None:
    chip = read_chip(written(tmp_path, serial=False, second_tensor_cores=SECOND))
    assert chip.second is not None
    assert (chip.second.count, chip.second.width, chip.second.depth) == (16, 16, 32)
    assert chip.peak_flops == 2 * (4 * 64 * 32 + 16 * 16 * 32) * 1.5e9
    assert [kind.local_bytes for kind in chip.kinds] == [2**19, 2**17]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"clock_ghz": None}, "the chip file is wrong: Object missing required field `clock_ghz`"),
        ({"clocks": 2}, "the chip file is wrong: Object contains unknown field `clocks`"),
        ({"hbm_gib": -24}, "the chip's hbm_gib is not possible: -24.0; allowed: more than 0"),
        ({"hbm_tb_per_s": 0}, "the chip's hbm_tb_per_s is not possible: 0.0; allowed: more than 0"),
        ({"best_tflops": -1}, "the chip's best_tflops is not possible: -1.0; allowed: 0 or more"),
        ({"onchip_mib": "16"}, "the chip file is wrong: Expected `float`, got `str` - at `$.onchip_mib`"),
        (
            {"vector_cores": {"count": 0, "width": 1}},
            "the chip's vector_cores.count is not possible: 0; allowed: more than 0",
        ),
        (
            {"tensor_cores": {"count": 1, "width": 1, "depth": 1, "dataflow": "round"}},
            "the chip file is wrong: Invalid enum value 'round' - at `$.tensor_cores.dataflow`",
        ),
        (
            {"second_tensor_cores": SECOND},
            "with a second kind of tensor cores, serial has one value: true; allowed: false",
        ),
        (
            {"second_tensor_cores": SECOND | {"dataflow": "tiled"}, "serial": False},
            "with a second kind of tensor cores, second_tensor_cores.dataflow has one value: tiled; allowed: systolic",
        ),
        (
            {"second_tensor_cores": SECOND | {"width": 0}, "serial": False},
            "the chip's second_tensor_cores.width is not possible: 0; allowed: more than 0",
        ),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    file = written(tmp_path, **changes)
    assert refused(file) == f"{file}: {message}"


def test_a_file_that_is_not_json_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "chip.json"
    file.write_text("clock: 1", encoding="utf-8")
    assert refused(str(file)).startswith(f"{file}: the chip file is not JSON: ")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refused(f"{tmp_path}/no.json") == f"{tmp_path}/no.json: cannot read the chip file: No such file or directory"


def test_unknown_names_are_refused_with_the_nearest() -> None:
    message = refused("h1000")
    assert message.startswith("unknown chip: h1000; allowed: a100, b200, ")
    assert message.endswith("; try: h100, h200, a100")


def test_an_efficiency_is_written_and_read_again(tmp_path: Path) -> None:
    chip, file = read_chip("a100"), tmp_path / "e.json"
    own = efficiency_of(chip)
    write_efficiency(file, chip, own)
    assert efficiency_of(chip, str(file)) == own


def test_a_chip_without_calibration_borrows_and_says_so() -> None:
    own, h100, tpu = (efficiency_of(read_chip(name)) for name in ("a100", "h100", "tpuv4"))
    assert "borrowed" not in own.source
    assert h100.source.startswith("borrowed from A100-SXM-80GB, scaled to its best measured matmul rate")
    assert tpu.source.startswith("borrowed from A100-SXM-80GB, unscaled: no measured matmul rate is known")
    assert own.error < h100.error < tpu.error
    assert (tpu.host, tpu.straggle) == (0, 0)


def test_a_calibration_of_another_chip_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "e.json"
    write_efficiency(file, read_chip("a100"), efficiency_of(read_chip("a100")))
    with pytest.raises(InputError) as error:
        efficiency_of(read_chip("h100"), str(file))
    assert str(error.value) == f"{file}: the calibration is of another chip: A100-SXM-80GB; allowed: H100-SXM"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("matmul", 1.5, "matmul is no fraction: 1.5; allowed: 0 < fraction ≤ 1"),
        ("link", 0.0, "link is no fraction: 0.0; allowed: 0 < fraction ≤ 1"),
        ("host", -1e-6, "host is negative: -1e-06; allowed: 0 or more"),
    ],
)
def test_impossible_efficiencies_are_refused(tmp_path: Path, name: str, value: float, message: str) -> None:
    chip, file = read_chip("a100"), tmp_path / "e.json"
    write_efficiency(file, chip, efficiency_of(chip))
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | {name: value}), encoding="utf-8")
    with pytest.raises(InputError) as error:
        efficiency_of(chip, str(file))
    assert str(error.value) == f"{file}: {message}"
