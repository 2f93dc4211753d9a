"""How far are area, peak power and cost of the template from chips that were published, and is the table that says so
the one in docs/decisions/0012?"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from intarsia.machines.template import TPUV4_INTERFACED, Point, Technology, money

PAGE = Path(__file__).parents[2] / "docs" / "decisions" / "0012-area-power-and-money-of-a-chip.md"
# Jouppi et al., ISCA 2023 (below 600 mm², 192 W at most); NVIDIA's white papers of A100 and H100 (826 and 814 mm², 400
# and 700 W). A multiprocessor counts as one tensor core of its multiplications a cycle and one vector core.
KNOWN = {
    "TPUv4": (TPUV4_INTERFACED, 600, 192),
    "A100": (Point(108, 108, 32, 32, 40, vector_width=64, clock=1.41e9, stacks=5), 826, 400),
    "H100": (Point(132, 132, 64, 32, 50, vector_width=128, clock=1.83e9, stacks=8, link_bandwidth=450e9), 814, 700),
}


def _watts(point: Point) -> float:
    """With the energies of 7 nm, at the supply for which they hold."""
    return sum(part.count * part.watts for part in point.parts(Technology(7, clock=point.clock)))


@pytest.mark.parametrize("name", KNOWN)
def test_the_table_of_the_page_is_what_the_models_say(name: str) -> None:
    point, die, watts = KNOWN[name]
    row = re.search(rf"\| {name} \|(.*)\|", PAGE.read_text(encoding="utf-8"))
    assert row is not None
    area, its_die, power, its_watts = (float(cell) for cell in re.findall(r"(\d+) (?:mm²|W)", row[1]))
    off_area, off_power = (float(cell.replace("−", "-")) / 100 for cell in re.findall(r"([+−]\d+) %", row[1]))
    assert (its_die, its_watts) == (die, watts)
    assert off_area == pytest.approx(point.area / die - 1, abs=0.005)
    assert off_power == pytest.approx(_watts(point) / watts - 1, abs=0.005)
    assert area == pytest.approx(point.area, abs=0.5)
    assert power == pytest.approx(_watts(point), abs=0.5)


@pytest.mark.parametrize("name", KNOWN)
def test_peak_power_is_of_the_order_of_the_published(name: str) -> None:
    point, _, watts = KNOWN[name]
    assert 0.9 < _watts(point) / watts < 1.75


@pytest.mark.parametrize("name", KNOWN)
def test_the_template_has_less_area_than_a_whole_chip(name: str) -> None:
    """It leaves out control, networks, controllers, and all that is not for training."""
    point, die, _ = KNOWN[name]
    assert 0.2 * die < point.area < die


def test_the_cost_of_an_h100_is_of_the_order_of_the_estimates() -> None:
    """5 nm wafers, 0.2 defects a cm² (sources: ``money``); 3,320 dollars by Raymond James, tests and assembly too."""
    point, die, _ = KNOWN["H100"]
    hbm = replace(point, stacks=5)
    silicon = float(money.die_dollars(np.array([float(die)]), wafer=16988.0, defects=0.2e-2)[0])
    packaging = float(money.package_dollars(np.array([float(die)]), np.array([5.0]))[0])
    found = silicon + packaging + money.HBM_GIB * hbm.hbm_gib
    assert found == pytest.approx(2240, abs=10)  # as the page says
    assert 0.5 < found / 3320 < 1


def test_energies_of_the_templates_node_are_above_those_of_7_nm() -> None:
    assert TPUV4_INTERFACED.watts > _watts(TPUV4_INTERFACED)
