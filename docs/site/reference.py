"""Writes the pages of the reference: what every room exports, and what every command's `--help` says.

A page holds nothing but headings and directives, so that the docstrings stay where the code is.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType
from typing import Any, get_origin

import intarsia
from intarsia.cli import main
from intarsia.cli.parser import GROUPS, WIDTH

FLOW = "intarsia.flow"


def rooms() -> list[str]:
    """Every package that says what it is entered by, and the one that others are entered through."""
    packages = [module.name for module in walk_packages(intarsia.__path__, "intarsia.") if module.ispkg]
    return [name for name in packages if name == FLOW or hasattr(import_module(name), "__all__")]


def room(name: str) -> str:
    """The page of one room; what a room around it exports too is indexed there."""
    module = import_module(name)
    around = import_module(name.rpartition(".")[0])
    lines = [name, "=" * len(name), "", f".. automodule:: {name}", "   :no-members:", ""]
    for public in exported(module):
        value = getattr(module, public)
        lines.append(f".. {directive(value)}:: {name}.{public}")
        lines += ["   :no-index:"] if public in getattr(around, "__all__", ()) else []
        lines += ["   :members:", "   :exclude-members: __init__"] if isinstance(value, type) else []
        lines.append("")
    return "\n".join(lines)


def exported(module: ModuleType) -> list[str]:
    """The names that a room is entered by; of the one without a list, its own functions and classes."""
    names: list[str] | None = getattr(module, "__all__", None)
    if names is None:
        own = [name for name, value in vars(module).items() if getattr(value, "__module__", "").startswith(FLOW)]
        names = [name for name in own if not name.startswith("_")]
    return [name for name in names if not isinstance(getattr(module, name), ModuleType)]


def directive(value: Any) -> str:
    """How Sphinx documents a value."""
    if isinstance(value, type):
        return "autoexception" if issubclass(value, BaseException) else "autoclass"
    return "autofunction" if callable(value) and get_origin(value) is None else "autodata"


def commands() -> str:
    """The page of the command line."""
    lines = ["# Commands", "", "What each command says of itself with `--help`."]
    for title, group in GROUPS:
        lines += ["", f"## {title[0].upper()}{title[1:]}"]
        for command in group:
            lines += ["", f"### {command.name}", "", *fenced(printed(command.name, "--help"))]
    return "\n".join(lines) + "\n"


def printed(*arguments: str) -> str:
    """What the command line prints."""
    out = io.StringIO()
    with redirect_stdout(out):
        main(arguments)
    return out.getvalue()


def fenced(text: str) -> list[str]:
    """A text as it stands."""
    return ["```text", text.rstrip(), "```"]


if __name__ == "__main__":
    os.environ["COLUMNS"] = str(WIDTH)  # whatever terminal makes the site
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for each in rooms():
        (folder / f"{each}.rst").write_text(room(each), encoding="utf-8")
    (folder / "commands.md").write_text(commands(), encoding="utf-8")
