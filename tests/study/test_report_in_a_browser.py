"""Whether the report of a study that trains works in a browser: every chart, hover, click, keys, zoom, colours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import DRAWN, TIP, Page, chromium, opened

from intarsia.flow.study import StudyAnswer
from intarsia.ground.units import seconds_text

pytestmark = pytest.mark.skipif(not chromium(), reason="no Chromium on this machine: apt-get install chromium")

CHARTS = ["chip", "gap", "front", "schedule", "pipeline", "memory", "time", "energy", "sensitivity", "baselines"]


@pytest.fixture
def page(shown: Page, out: Path) -> Iterator[Page]:
    """The report, just opened."""
    with opened(shown, out / "report.html") as page:
        yield page


def test_every_chart_is_drawn(page: Page, answer: StudyAnswer) -> None:
    drawn = page.run(DRAWN)
    assert [name for name, _ in drawn] == CHARTS
    assert all(count >= 1 for _, count in drawn)
    model = answer.result.models[0]
    assert model.schedule is not None
    assert page.run("document.querySelectorAll('[data-chart=schedule] .bar').length") == len(model.schedule.bars)
    assert page.run("document.querySelectorAll('.point').length") == len(answer.result.looked)
    assert page.run("document.querySelector('h1').textContent") == answer.result.title
    assert page.run("document.querySelector('h1 b')") is None


def test_the_pointer_tells_of_a_chip_and_of_a_bar(page: Page, answer: StudyAnswer) -> None:
    page.point(".point.chosen")
    best = next(one for one in answer.result.looked if one.chosen)
    said = page.run(TIP)
    assert said.startswith(best.name)
    assert seconds_text(best.value or 0.0) in said
    page.point("[data-chart=pipeline] g[role=img]", nth=0)
    bars = answer.result.models[0].pipeline
    assert bars is not None
    assert page.run(TIP).startswith(bars.bars[0].name)
    page.point("[data-chart=energy] g[role=img]", nth=0)
    energy = answer.result.models[0].plan.energy
    assert energy is not None
    assert page.run(TIP).startswith(f"mean: products\n{energy.watts['products']:.1f} W, ")


def test_two_picked_chips_are_compared(page: Page, answer: StudyAnswer) -> None:
    page.point(".point", nth=0, click=True)
    assert page.run("document.querySelectorAll('.comparison tbody tr:first-child td').length") == 1
    page.point(".point", nth=len(answer.result.looked) - 1, click=True)
    table = page.run(
        "[...document.querySelectorAll('.comparison tbody tr')].map(r => [...r.cells].map(c => c.textContent))"
    )
    # Marks may lie on each other: those that were met say their names.
    pressed = "[...document.querySelectorAll('.point[aria-pressed=true]')].map(p => p.getAttribute('aria-label'))"
    picked = [one for one in answer.result.looked if any(said.startswith(one.name) for said in page.run(pressed))]
    assert len(picked) == 2
    rows = {row[0]: row[1:] for row in table}
    for name in answer.result.looked[0].fields:
        assert sorted(rows[name]) == sorted(one.fields[name] for one in picked)
    page.point(".point", nth=0, click=True)
    assert page.run("document.querySelectorAll('.comparison tbody tr:first-child td').length") == 1


def test_keys_go_from_mark_to_mark_and_pick(page: Page) -> None:
    page.run("document.querySelector('.point').focus()")
    first = page.run(TIP)
    page.press("ArrowRight", 39)
    second = page.run(TIP)
    assert "" not in {first, second}
    assert first != second
    page.press("Enter", 13, "\r")
    assert page.run("document.querySelectorAll('.point[aria-pressed=true]').length") == 1
    assert page.run("document.activeElement.getAttribute('aria-pressed')") == "true"
    page.press("Escape", 27)
    assert page.run(TIP) == ""


def test_a_timeline_is_zoomed_and_dragged(page: Page) -> None:
    ticks = "[...document.querySelectorAll('[data-chart=schedule] .note')].map(n => n.textContent)[0]"
    whole = page.run(ticks)
    assert whole.startswith("0 s to ")
    page.point("[data-chart=schedule] button[title='zoom in']", click=True)
    near = page.run(ticks)
    page.point("[data-chart=schedule] button[title='later']", click=True)
    assert len({whole, near, page.run(ticks)}) == 3
    page.point("[data-chart=schedule] button[title='show all']", click=True)
    assert page.run(ticks) == whole


def test_chips_are_shown_by_power_and_by_cost(page: Page, answer: StudyAnswer) -> None:
    said = "[...document.querySelectorAll('[data-chart=front] svg > text')].map(t => t.textContent)"
    for nth, title in ((1, "peak power, W"), (2, "cost of making, USD"), (0, "area of the die, mm²")):
        page.point("[data-chart=front] .tools button", nth=nth, click=True)
        assert title in page.run(said)
        pressed = page.run("document.querySelector('[data-chart=front] button[aria-pressed=true]').textContent")
        assert title.startswith(pressed)
        assert page.run("document.querySelectorAll('.point').length") == len(answer.result.looked)


def test_light_and_dark_differ_and_both_can_be_read(page: Page) -> None:
    contrasts = []
    for scheme in ("light", "dark"):
        page.look(scheme=scheme)
        contrasts.append(page.run(CONTRASTS))
    assert contrasts[0]["paper"] != contrasts[1]["paper"]
    for found in contrasts:
        assert min(found["texts"]) >= 4.5
        assert min(found["marks"]) >= 3


CONTRASTS = """(() => {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => {
    const hex = style.getPropertyValue(name).trim().slice(1);
    const parts = [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
    const linear = parts.map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const contrast = (a, b) => (Math.max(of(a), of(b)) + 0.05) / (Math.min(of(a), of(b)) + 0.05);
  const fills = [1, 2, 3, 4, 5, 6, 7].map((n) => `--c${n}`);
  return {
    paper: style.getPropertyValue("--paper"),
    texts: [contrast("--ink", "--paper"), contrast("--muted", "--paper"), contrast("--muted", "--panel"),
      contrast("--accent", "--paper"), ...fills.map((fill) => contrast("--on", fill))],
    marks: fills.map((fill) => contrast(fill, "--paper")),
  };
})()"""
"""Ratios of WCAG 2.1: texts on their grounds (4.5 is AA), marks on paper (3 is AA)."""
