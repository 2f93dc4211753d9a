"""Refuses a site that loads something from another host: it must open from a folder, without a network."""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path

LOADS = {
    "script": "src",
    "link": "href",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
}
"""Elements that load what an attribute names. A link that a reader follows (``a``) loads nothing."""
NAMES = {"canonical", "prev", "next", "search", "index", "author", "copyright"}
"""What a ``link`` only names, by its ``rel``."""


class Loads(HTMLParser):
    """What a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element loads."""
        own = dict(attrs)
        if tag in LOADS and not (tag == "link" and own.get("rel") in NAMES):
            self.found.append(own.get(LOADS[tag]) or "")


def elsewhere(page: Path) -> list[str]:
    """What a page or a style sheet loads from another host."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".css":
        parts = [part.partition(")")[0].strip("\"' ") for part in text.split("url(")[1:]]
        imports = [part.partition(";")[0].strip("\"' ") for part in text.split("@import")[1:]]
        found = parts + imports
    else:
        parser = Loads()
        parser.feed(text)
        found = parser.found
    return [what for what in found if what.startswith(("http:", "https:", "//"))]


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    pages = [*folder.rglob("*.html"), *folder.rglob("*.css")]
    wrong = [f"{page.relative_to(folder)}: {what}" for page in pages for what in elsewhere(page)]
    print(
        f"{len(pages)} pages and style sheets, {len(wrong)} of them load something from another host", *wrong, sep="\n"
    )
    sys.exit(bool(wrong) or not pages)
