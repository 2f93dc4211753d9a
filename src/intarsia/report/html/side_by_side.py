"""Two results side by side as one HTML file that needs nothing else."""

from __future__ import annotations

from itertools import groupby

from intarsia.flow.study import Compared, Row
from intarsia.ground.units import ratio_text
from intarsia.report.html.markup import Html, element, joined, page


def compare_html(found: Compared) -> str:
    """The page: both answers, what to know, and a table for each part."""
    answers = [
        element("p", element("strong", f"{letter}: {title}. "), sentence)
        for letter, title, sentence in zip("AB", found.titles, found.sentences, strict=True)
    ]
    notes = element("ul", *(element("li", note) for note in found.notes)) if found.notes else None
    tables = [
        joined([element("h2", group), _table(list(rows))])
        for group, rows in groupby(found.rows, key=lambda row: row.group)
    ]
    title = f"{found.titles[0]} against {found.titles[1]}"
    head = element("header", element("h1", title), *answers, notes)
    return page(title, joined([head, element("main", *tables)]))


def _table(rows: list[Row]) -> Html:
    head = element(
        "tr", element("th", "", scope="col"), *(_cell("th", name, scope="col") for name in ("A", "B", "B ÷ A"))
    )
    body = [
        element(
            "tr",
            element("th", row.name, scope="row"),
            _cell("td", row.first or "–"),
            _cell("td", row.second or "–"),
            _cell("td", "" if row.times is None else ratio_text(row.times)),
            **({"class_": "differs"} if row.differs else {}),
        )
        for row in rows
    ]
    return element("div", element("table", element("thead", head), element("tbody", *body)), class_="scroll")


def _cell(name: str, text: str, **attributes: str) -> Html:
    return element(name, text, class_="number", **attributes)
