"""HTML whose texts are escaped: plain strings are text, and only ``Html`` is markup."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from string import Template

SCRIPTS = (
    "dom.js",
    "units.js",
    "axis.js",
    "chip.js",
    "gap.js",
    "front.js",
    "gantt.js",
    "bars.js",
    "serving.js",
    "page.js",
)


class Html(str):
    """Markup that is right as it is."""

    __slots__ = ()


Child = str | None
"""Text, which is escaped, or markup, which is not; None is nothing."""


def element(name: str, *children: Child, **attributes: str) -> Html:
    """An element; ``class_`` and ``data_chart`` are the attributes ``class`` and ``data-chart``."""
    shown = "".join(f' {key.rstrip("_").replace("_", "-")}="{html.escape(value)}"' for key, value in attributes.items())
    return Html(f"<{name}{shown}>{joined(children)}</{name}>")


def joined(children: Iterable[Child]) -> Html:
    """Children one after the other."""
    return Html(
        "".join(child if isinstance(child, Html) else html.escape(child, quote=False) for child in children if child)
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[int] = (), ours: int = -1) -> Html:
    """A table in a box that scrolls by itself.

    Args:
        heads: of the columns.
        rows: texts or markup; the first of a row is its head.
        numbers: columns that are set to the right.
        ours: the row that is set in bold.
    """
    kind = [{"class_": "number"} if index in numbers else {} for index in range(len(heads))]
    head = joined(element("th", name, scope="col", **kind[index]) for index, name in enumerate(heads))
    body = []
    for place, row in enumerate(rows):
        first, *rest = row
        told = [element("th", first, scope="row")]
        told += [element("td", value, **kind[index]) for index, value in enumerate(rest, 1)]
        body.append(element("tr", *told, **({"class_": "ours"} if place == ours else {})))
    whole = element("table", element("thead", element("tr", head)), element("tbody", *body))
    return element("div", whole, class_="scroll")


def page(title: str, body: Html, *, data: str = "", scripts: Sequence[str] = ()) -> str:
    """A whole page.

    Args:
        title: of the window.
        body: what is seen.
        data: JSON that scripts read; nothing in it can end its element.
        scripts: names of those that the page needs, in their order.
    """
    head = {"title": html.escape(title), "style": _asset("style.css"), "body": body}
    return Template(_asset("page.html")).substitute(head, script=_scripts(data, scripts) if scripts else "")


def _scripts(data: str, scripts: Sequence[str]) -> str:
    """The data, in which nothing can end its element, and what reads it."""
    safe = data.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    code = "\n".join(_asset(name) for name in scripts)
    return f'<script type="application/json" id="result">{safe}</script>\n<script>\n"use strict";\n{code}</script>'


@cache
def _asset(name: str) -> str:
    return (files("intarsia.report.html") / "assets" / name).read_text(encoding="utf-8")
