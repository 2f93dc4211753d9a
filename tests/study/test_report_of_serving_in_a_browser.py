"""Whether the report of a study that serves works in a browser: every chart, tips, large deployments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import DRAWN, TIP, Page, chromium, opened
from msgspec.structs import replace

from intarsia.flow.study import StudyAnswer
from intarsia.ground.units import tokens_text
from intarsia.report.html import report_html

pytestmark = pytest.mark.skipif(not chromium(), reason="no Chromium on this machine: apt-get install chromium")

CHARTS = ["chip", "gap", "front", "deployment", "memory", "round", "sensitivity", "baselines"]


@pytest.fixture
def page(shown: Page, serving_out: Path) -> Iterator[Page]:
    """The report, just opened."""
    with opened(shown, serving_out / "report.html") as page:
        yield page


def test_every_chart_is_drawn(page: Page, serving_answer: StudyAnswer) -> None:
    assert [name for name, _ in page.run(DRAWN)] == CHARTS
    assert all(count >= 1 for _, count in page.run(DRAWN))
    result = serving_answer.result
    assert result.served is not None
    assert page.run("document.querySelectorAll('.point').length") == len(result.looked)
    boxes = page.run("document.querySelectorAll('[data-chart=deployment] g[role=img]').length")
    assert boxes == result.served.best.data
    bars = page.run("document.querySelectorAll('[data-chart=sensitivity] g[role=img]').length")
    assert bars == len(result.served.neighbours)


def test_tips_tell_tokens(page: Page, serving_answer: StudyAnswer) -> None:
    served = serving_answer.result.served
    assert served is not None
    page.point("[data-chart=deployment] g[role=img]")
    assert page.run(TIP).startswith("replica 0\n1 device")
    page.point("[data-chart=baselines] g[role=img]")
    assert f"{tokens_text(served.best.tokens)} tokens a second" in page.run(TIP)
    assert served.best.ttft is not None
    assert serving_answer.result.search is not None
    # Read at once: where the page scrolls under the pointer, the tip goes again.
    tip = page.run(f"([...document.querySelectorAll('[data-chart=gap] rect[role=img]')].at(-1).focus(), {TIP})")
    assert f"gap {100 * serving_answer.result.search.gap:.1f} %" in tip
    left = next((at for at, one in enumerate(serving_answer.result.looked) if one.value is None), None)
    if left is not None:
        assert "at most " in page.run(f"(document.querySelector('path.point').focus(), {TIP})")


def test_large_deployments_are_drawn_too(page: Page, serving_answer: StudyAnswer, tmp_path: Path) -> None:
    """Many replicas, stages, idle devices, shared experts, answers of one token; a phone's width."""
    served = serving_answer.result.served
    assert served is not None
    best = replace(served.best, tensor=8, pipeline=16, expert=4, data=300, tpot=None)
    large = replace(served, best=best, idle=3, step=None, hbm_step=None, round={"prompts": served.round["prompts"]})
    file = tmp_path / "large.html"
    file.write_text(report_html(replace(serving_answer.result, served=large)))
    asked = list(page.asked)
    for width in (360, 1000):
        page.look(width=width, height=740, mobile=width == 360)
        page.open(file)
        assert page.run("document.documentElement.scrollWidth") == width
        said = page.run("[...document.querySelectorAll('[data-chart=deployment] text')].map(t => t.textContent)")
        assert said == ["and 44 replicas more; 3 devices idle"]
        page.point("[data-chart=deployment] g[role=img]", nth=5)
        assert page.run(TIP) == "replica 5\n16 stages of 8 devices\nshares experts with replicas 4 to 7"
        right = (
            "[...document.querySelectorAll('[data-chart=deployment] rect')].map(r => r.getBoundingClientRect().right)"
        )
        assert max(page.run(right)) <= width
    page.asked[:] = asked
