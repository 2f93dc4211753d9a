"""How Sphinx makes the site: Markdown pages, the reference, formulas as MathML; nothing from another host."""

from __future__ import annotations

import builtins
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.util.logging import getLogger

LOGGER = getLogger(__name__)

project = "intarsia"
copyright = "the authors; Apache-2.0"  # noqa: A001 (Sphinx reads this name)
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "index"
exclude_patterns = ["site"]
default_role = "code"

html_theme = "furo"
html_title = "intarsia"
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
html_show_search_summary = False  # would fetch pages, which browsers refuse to a site in a folder
html_math_renderer = "mathml"

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False

FOLDERS = {
    "Tutorial": "tutorial",
    "How to": "how-to",
    "Files and fields": "",
    "Method": "method",
    "Reference": "reference",
    "Decisions": "decisions",
}
"""Headings of the side bar, and the folders below them."""
FIRST = {
    "method": ("README", "embeddings", "cycles", "seconds", "schedules", "plans", "chips"),
    "decisions": ("README",),
}
"""Pages that come before the others of their folder."""
SECTION = re.compile(r"(Args|Returns|Raises|Attributes|Yields):$")
CODE = re.compile(r"(``.*?``)")


def tables_of_contents(app: Sphinx, docname: str, source: list[str]) -> None:
    """Every page is found through the start page, which itself is plain Markdown with plain links."""
    if docname != root_doc:
        return
    for heading, folder in FOLDERS.items():
        every = sorted(page for page in app.env.found_docs if page.rpartition("/")[0] == folder and page != root_doc)
        first = [f"{folder}/{name}" for name in FIRST.get(folder, ())]
        listed = "\n".join([*first, *(page for page in every if page not in first)])
        source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {heading}\n\n{listed}\n```\n"


def plain_docstring(_app: Sphinx, what: str, _name: str, found: Any, _options: Any, lines: list[str]) -> None:
    """The package's docstrings are plain text with ``code`` in Google's sections: nothing else in them is markup.

    What a constant would say is what its type says of itself, which is left out.
    """
    own = found.__doc__
    if what == "data" and own in {type(found).__doc__, getattr(found, "__origin__", None).__doc__}:
        lines.clear()
    for at, line in enumerate(lines):
        if not SECTION.match(line):
            parts = CODE.split(line)
            parts[::2] = [re.sub(r"([\\*|`_])", r"\\\1", part) for part in parts[::2]]
            lines[at] = "".join(parts)
    lines[:] = attributes(lines)


def attributes(lines: list[str]) -> list[str]:
    """The section of attributes as a list: Sphinx would take their names for references."""
    if "Attributes:" not in lines:
        return lines
    start = lines.index("Attributes:")
    after = range(start + 1, len(lines))
    end = next((at for at in after if lines[at] and not lines[at].startswith(" ")), len(lines))
    found = [*lines[:start], ".. rubric:: Attributes", ""]
    begun = ""
    for line in filter(None, lines[start + 1 : end]):
        if line.startswith(" " * 5):
            found[-1] += f" {line.strip()}"
            continue
        begun += f" {line.strip()}"
        names, colon, text = begun.strip().partition(": ")
        if colon:  # else the names go on in the next line
            found.append(f"- **{names}**: {text}")
            begun = ""
    return [*found, "", *lines[end:]]


def made_anew(
    _app: Sphinx, _what: str, _name: str, _found: Any, _options: Any, signature: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """A default that is made anew for each object, written so that Sphinx can read it."""
    return signature and signature.replace("<factory>", "..."), returned


def builtin_names(_app: Sphinx, document: nodes.document) -> None:
    """``bytes`` in a signature is Python's type, and not some class's property of that name."""
    for reference in list(document.findall(pending_xref)):
        if hasattr(builtins, reference["reftarget"]):
            reference.replace_self(reference.children)


def mathml(visitor: Any, node: nodes.Element, *, display: bool) -> None:
    """A formula in the browser's own mathematics: no script, no font."""
    try:
        visitor.body.append(tex2mathml(node.astext(), as_block=display))
    except MathError as error:
        LOGGER.warning("a formula cannot be read: %s", error, location=node)
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """What Sphinx asks of a configuration that is an extension, too."""
    app.connect("source-read", tables_of_contents)
    app.connect("autodoc-process-docstring", plain_docstring, priority=100)  # before napoleon
    app.connect("autodoc-process-signature", made_anew)
    app.connect("doctree-read", builtin_names)
    app.add_html_math_renderer(
        "mathml",
        inline_renderers=(lambda visitor, node: mathml(visitor, node, display=False), None),
        block_renderers=(lambda visitor, node: mathml(visitor, node, display=True), None),
    )
    app.add_css_file("intarsia.css")


html_static_path = [str(Path(__file__).parent / "static")]
