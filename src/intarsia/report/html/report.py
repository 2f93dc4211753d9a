"""A result as one HTML file that needs nothing else: no network, no other file. It computes nothing."""

from __future__ import annotations

import json

from intarsia.flow.study import Result, result_text
from intarsia.ground.units import seconds_text
from intarsia.report.html.markup import SCRIPTS, Html, element, joined, page, table
from intarsia.report.html.model_sections import model_section
from intarsia.report.html.sections import chip_section, head, search_section
from intarsia.report.html.serving_section import serving_facts, serving_section


def report_html(result: Result) -> str:
    """The report."""
    body = joined(
        [
            head(result, [] if result.served is None else serving_facts(result.served)),
            element(
                "main",
                element("noscript", element("p", "The charts need JavaScript; the tables do not.", class_="note")),
                chip_section(result),
                search_section(result),
                *(model_section(result, index) for index in range(len(result.models))),
                serving_section(result),
                _made(result),
            ),
        ]
    )
    data = json.dumps(json.loads(result_text(result)), separators=(",", ":"), ensure_ascii=False)
    return page(result.title, body, data=data, scripts=SCRIPTS)


def _made(result: Result) -> Html:
    """Which command, which version, when, and what was asked."""
    made = result.made
    rows = [
        ("command", made.command),
        ("version", made.version),
        ("ready", made.at),
        ("took", f"{seconds_text(made.seconds)}, {made.workers} process{'es' if made.workers > 1 else ''}"),
        ("schema", result.schema),
        *((f"network: {text.partition(':')[0]}", text.partition(": ")[2]) for text in result.network),
    ]
    return joined(
        [
            element("h2", "How this was made", id="made"),
            table(("", ""), rows),
            element("p", "Every figure says how it was made and what it rests on. All of them stand in ",
                    element("code", "result.json"), " beside this file.", class_="note"),
            element("h3", "What was asked"),
            element("pre", _asked(result)),
        ]
    )  # fmt: skip


def _asked(result: Result) -> str:
    """The study's file, its keys in our order, without those that say nothing."""
    asked = json.loads(result_text(result))["study"]
    plain = {name: value for name, value in asked.items() if value and not isinstance(value, dict)}
    tables = {name: value for name, value in asked.items() if value and isinstance(value, dict)}
    lines = [_line(name, value) for name, value in plain.items()]
    for name, table_of in tables.items():
        lines += ["", f"[{name}]", *(_line(key, value) for key, value in table_of.items() if value is not None)]
    return "\n".join(lines)


def _line(name: str, value: object) -> str:
    return f"{name} = {json.dumps(value, ensure_ascii=False)}"
