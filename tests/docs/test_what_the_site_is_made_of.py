"""Does the reference have a page for every room, and is a site refused that loads something from another host?"""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from pages import DOCS


def script(name: str) -> ModuleType:
    found = spec_from_file_location(f"site_{name}", DOCS / "site" / f"{name}.py")
    assert found is not None
    assert found.loader is not None
    module = module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_every_room_has_a_page() -> None:
    reference = script("reference")
    folders = {path.name for path in (DOCS.parent / "src" / "intarsia").iterdir() if (path / "__init__.py").exists()}
    shown = set(reference.rooms())
    assert {f"intarsia.{name}" for name in folders - {"cli", "targets"}} <= shown
    assert {"intarsia.targets.vta", "intarsia.targets.generic"} <= shown


def test_a_page_names_what_a_room_exports() -> None:
    page = script("reference").room("intarsia.solvers")
    assert ".. autoclass:: intarsia.solvers.Found\n   :members:" in page
    assert ".. autofunction:: intarsia.solvers.minimal_conflict\n" in page


def test_what_two_rooms_export_is_indexed_once() -> None:
    room = script("reference").room
    assert ".. autoclass:: intarsia.search.ServingQuestion\n   :members:" in room("intarsia.search")
    assert ".. autoclass:: intarsia.search.serving.ServingQuestion\n   :no-index:\n" in room("intarsia.search.serving")


def test_every_command_is_told_of() -> None:
    page = script("reference").commands()
    assert "### embed\n\n```text\nusage: intarsia embed" in page
    assert "### chips\n" in page


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.html", '<script src="https://x.y/z.js"></script>', ["https://x.y/z.js"]),
        ("a.html", '<link rel="stylesheet" href="//x.y/z.css">', ["//x.y/z.css"]),
        ("a.html", '<a href="https://x.y">read</a><script src="_static/z.js"></script><script>1</script>', []),
        ("a.css", '@font-face { src: url("https://x.y/z.woff2") }', ["https://x.y/z.woff2"]),
        ("a.css", '@import "http://x.y/z.css";', ["http://x.y/z.css"]),
        ("a.css", "a { background: url(data:image/svg+xml;x) }", []),
    ],
)
def test_what_comes_from_elsewhere_is_found(tmp_path: Path, name: str, text: str, found: list[str]) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert script("offline").elsewhere(tmp_path / name) == found
