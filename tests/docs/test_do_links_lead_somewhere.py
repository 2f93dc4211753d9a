"""Does every link of the documents lead to a file or heading that is there, and does some link lead to every page?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pages import DOCS

ROOT = DOCS.parent
FENCED = re.compile(r"^```.*?^```$|^    .*?$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\[(?:[^\]\[]|\[[^\]]*\])*\]\((?P<to>[^()\s]+)\)")
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
ELSEWHERE = ("https://", "http://", "mailto:")
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
START = DOCS / "index.md"


def links(text: str) -> list[str]:
    """Where the links of a text lead, those to other hosts left out."""
    found = [match["to"] for match in LINK.finditer(CODE.sub("``", FENCED.sub("", text)))]
    return [to for to in found if not to.startswith(ELSEWHERE)]


def anchors(text: str) -> set[str]:
    """The names of a text's headings, as GitHub and the site make them."""
    headings = HEADING.findall(FENCED.sub("", text))
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()).strip() for heading in headings]
    return {heading.replace(" ", "-") for heading in plain}


def broken(page: Path, text: str) -> list[str]:
    """The links of a page that lead nowhere."""
    found = []
    for to in links(text):
        name, _, anchor = to.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (anchor and anchor not in anchors(file.read_text(encoding="utf-8"))):
            found.append(to)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken(page, page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: str(page.relative_to(DOCS)))
def test_pages_of_the_site_link_to_what_the_site_has(page: Path) -> None:
    """The site has the pages of this folder and copies of the files of `examples`."""
    for to in links(page.read_text(encoding="utf-8")):
        file = (page.parent / to.partition("#")[0]).resolve()
        inside = file.is_relative_to(DOCS) and (to.startswith("#") or file.suffix == ".md")
        assert inside or file.is_relative_to(ROOT / "examples"), to


def test_every_page_can_be_reached_from_the_start_page() -> None:
    """Decisions but for their first page: they are read in order."""
    reached, new = set[Path](), {START}
    while new:
        reached |= new
        texts = [(page, page.read_text(encoding="utf-8")) for page in new]
        found = {(page.parent / to.partition("#")[0]).resolve() for page, text in texts for to in links(text)}
        new = {page for page in found if page.suffix == ".md" and page.is_relative_to(DOCS)} - reached
    single = {page for page in DOCS.glob("decisions/*.md") if page.name != "README.md"}
    assert set(DOCS.rglob("*.md")) - single - reached == set()


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# A heading: `code`, twice\n```\n# none\n```\n", encoding="utf-8")
    page = tmp_path / "page.md"
    good = "[a](other.md) [b](other.md#a-heading-code-twice) [c](#own) [d](https://x.y/z)\n\n# Own\n`[e](gone.md)`\n"
    page.write_text(good, encoding="utf-8")
    assert broken(page, good) == []
    assert broken(page, "[a](gone.md) [b [c]](other.md#none)") == ["gone.md", "other.md#none"]
