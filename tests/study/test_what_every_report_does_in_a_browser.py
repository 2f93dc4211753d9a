"""What every report does in a browser, of a study that trains or serves: on a phone, by keys, on paper.

Chromium is driven through its DevTools pipe (``browser.py``). Without one (apt-get install chromium, or CHROMIUM=path)
these tests are skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import DRAWN, Page, chromium, opened

pytestmark = pytest.mark.skipif(not chromium(), reason="no Chromium on this machine: apt-get install chromium")


@pytest.fixture(params=["out", "serving_out"])
def report(request: pytest.FixtureRequest) -> Path:
    """The report of each small study."""
    folder: Path = request.getfixturevalue(request.param)
    return folder / "report.html"


@pytest.fixture
def page(shown: Page, report: Path) -> Iterator[Page]:
    """The report, just opened."""
    with opened(shown, report) as page:
        yield page


def test_each_chart_is_one_stop_of_the_tab_key_and_all_marks_have_names(page: Page) -> None:
    stops = page.run(
        "[...document.querySelectorAll('figure svg')].map(s => s.querySelectorAll('[tabindex=\"0\"]').length)"
    )
    assert set(stops) == {1}
    assert page.run("[...document.querySelectorAll('svg [tabindex]')].every(m => m.getAttribute('aria-label'))")
    assert page.run("[...document.querySelectorAll('figure svg')].every(s => s.getAttribute('aria-label'))")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_without_scrolling_sideways(page: Page, report: Path, scheme: str) -> None:
    page.look(width=360, height=740, scheme=scheme, mobile=True)
    page.open(report)
    assert page.run("[document.documentElement.scrollWidth, document.documentElement.clientWidth]") == [360, 360]
    assert all(count >= 1 for _, count in page.run(DRAWN))
    assert page.run("[...document.querySelectorAll('figure svg')].every(s => s.getBoundingClientRect().right <= 360)")


OVERLAPS = """[...document.querySelectorAll('figure svg')].flatMap((chart) => {
  const boxes = [...chart.querySelectorAll('text')].map((one) => [one.textContent, one.getBoundingClientRect()]);
  return boxes.flatMap(([said, a], at) => boxes.slice(at + 1)
    .filter(([, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
      && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 5)
    .map(([other]) => [said, other]));
})"""
"""Pairs of texts in one chart that lie on each other."""


@pytest.mark.parametrize("width", [360, 1000])
def test_no_text_lies_on_another(page: Page, width: int) -> None:
    page.look(width=width)
    assert page.run(OVERLAPS) == []


def test_on_paper_nothing_is_closed(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    page.run("window.addEventListener('beforeprint', () => setTimeout(() => {}, 0))")
    page.run("window.opened = []; window.addEventListener('beforeprint', () => "
             "window.opened.push(document.querySelectorAll('details:not([open])').length))")  # fmt: skip
    page.pdf(file)
    assert file.read_bytes().startswith(b"%PDF")
    assert page.run("window.opened") == [0]
    assert page.run("document.querySelectorAll('details[open]').length") == 0
