"""Whether the report is one file: no address, no markup of the user's, the same for the same result."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace

from intarsia.flow.study import StudyAnswer, decode_study
from intarsia.report.html import report_html

BAD = "</script><script>alert(1)</script>"


class Parsed(HTMLParser):
    """Elements with their attributes, what is open at the end, and the data."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.data = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["script"] and self.elements[-1][1].get("id") == "result":
            self.data += data


def test_nothing_is_fetched(out: Path) -> None:
    text = (out / "report.html").read_text()
    parsed = Parsed(text)
    assert parsed.open == []
    assert not {name for name, _ in parsed.elements} & {"link", "img", "iframe", "object", "embed"}
    assert not [one for one in parsed.elements if "src" in one[1]]
    assert all((one[1].get("href") or "#").startswith("#") for one in parsed.elements)
    assert not re.search(r"url\((?!#)|@import|\bfetch\(|XMLHttpRequest|WebSocket", text)
    policy = next(one[1]["content"] for one in parsed.elements if one[1].get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none';")


def test_links_lead_to_sections(out: Path) -> None:
    elements = Parsed((out / "report.html").read_text()).elements
    ids = [one[1]["id"] for one in elements if "id" in one[1]]
    assert len(set(ids)) == len(ids)
    assert {(one[1]["href"] or "")[1:] for one in elements if one[0] == "a"} <= set(ids)


def test_it_holds_the_result_and_is_the_same_for_the_same(answer: StudyAnswer, out: Path) -> None:
    text = (out / "report.html").read_text()
    assert json.loads(Parsed(text).data) == json.loads((out / "result.json").read_text())
    assert report_html(answer.result) == text


def test_what_users_write_is_text(answer: StudyAnswer) -> None:
    model = replace(answer.result.models[0], name=BAD)
    parsed = Parsed(report_html(replace(answer.result, title=BAD, models=(model,))))
    assert sum(name == "script" for name, _ in parsed.elements) == 2
    assert json.loads(parsed.data)["models"][0]["name"] == BAD


def test_what_was_asked_can_be_asked_again(answer: StudyAnswer, out: Path) -> None:
    text = html.unescape(re.findall(r"<pre>(.*?)</pre>", (out / "report.html").read_text(), re.DOTALL)[-1])
    assert decode_study(text, where="report.html") == answer.result.study


def test_a_section_that_is_not_there_says_why(answer: StudyAnswer) -> None:
    model = replace(answer.result.models[0], pipeline=None, absent={"pipeline": "it would stop"})
    text = report_html(replace(answer.result, models=(model,)))
    assert 'data-chart="pipeline"' not in text
    assert "Not here: it would stop." in text


@pytest.mark.parametrize("missing", ["chip", "search"])
def test_a_result_without(answer: StudyAnswer, missing: str) -> None:
    fewer = {
        "chip": {"chip": None, "models": ()},
        "search": {"search": None, "history": (), "looked": (), "front": ()},
    }[missing]
    parsed = Parsed(report_html(replace(answer.result, **fewer)))
    assert parsed.open == []
    assert not any(one[1].get("id") == missing for one in parsed.elements)
