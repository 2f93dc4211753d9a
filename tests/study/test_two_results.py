"""Two results side by side: figure by figure, on the terminal, as JSON and as a page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from browser import browser, chromium
from msgspec.structs import replace

from intarsia.cli import main
from intarsia.flow.study import Result, StudyAnswer, compare, result_text


def slower(result: Result) -> Result:
    """The same with twice the seconds."""
    model = result.models[0]
    plan = replace(model.plan, seconds=2 * model.plan.seconds, samples=model.plan.samples / 2)
    return replace(result, title="slower", models=(replace(model, plan=plan),))


def test_figures_of_both(answer: StudyAnswer) -> None:
    found = compare(answer.result, slower(answer.result))
    assert found.titles == (answer.result.title, "slower")
    rows = {(row.group, row.name): row for row in found.rows}
    assert len(rows) == len(found.rows)
    assert rows["gpt2", "seconds of an iteration"].times == pytest.approx(2.0)
    assert rows["gpt2", "sequences or images a second"].times == pytest.approx(0.5)
    assert rows["chip", "die"].times == 1.0
    assert rows["gpt2", "joules of an iteration"].times == 1.0
    assert rows["gpt2", "mean watts of a device"].first.endswith(" W")
    assert not rows["chip", "tensor cores"].differs
    assert {group for group, _ in rows} == {"question", "chip", "search", "gpt2"}
    assert found.notes == ()


def test_what_cannot_be_compared_is_noted(answer: StudyAnswer) -> None:
    result = answer.result
    other = replace(
        result, study=replace(result.study, global_batch=16), devices=8, models=(replace(result.models[0], name="x"),)
    )
    assert compare(result, other).notes == (
        "no model is in both",
        "the global batches differ: compare sequences a second, not seconds",
        "4 devices against 8",
    )


def test_a_result_without_a_chip(answer: StudyAnswer) -> None:
    found = compare(answer.result, replace(answer.result, chip=None, models=(), search=None))
    assert {row.group for row in found.rows} == {"question"}
    assert found.notes == ("no model is in both",)


def test_on_the_terminal_and_as_a_page(
    out: Path, answer: StudyAnswer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "result.json"
    other.write_text(result_text(slower(answer.result)))
    assert main(["compare", str(out), str(other), "-o", str(tmp_path / "compare.html")]) == 0
    said = capsys.readouterr().out
    assert "2.00×" in said
    assert answer.result.sentence in said
    assert main(["compare", str(out), str(other), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["titles"] == [answer.result.title, "slower"]
    text = (tmp_path / "compare.html").read_text()
    assert "a &lt;b&gt;small&lt;/b&gt; &amp; quick one against slower" in text
    assert "2.00×" in text
    assert "<script type" not in text


@pytest.mark.skipif(not chromium(), reason="no Chromium on this machine: apt-get install chromium")
def test_the_page_in_a_browser(out: Path, tmp_path: Path) -> None:
    assert main(["compare", str(out), str(out), "-o", str(tmp_path / "compare.html")]) == 0
    with browser(chromium()) as page:
        page.look(width=360, height=740, mobile=True)
        page.open(tmp_path / "compare.html")
        assert page.said == []
        assert page.run("document.documentElement.scrollWidth") == 360
        assert page.run("document.querySelectorAll('tr.differs').length") == 0


def test_what_is_no_result(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(out), str(tmp_path), "-o", str(tmp_path / "compare.html")]) == 2
    assert "cannot read the result" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
