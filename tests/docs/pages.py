"""A page of the documentation as what is to be run: files, commands with their output, Python with its output.

Fenced blocks say by their first line what they are:

- ``console``: lines that begin with ``$ `` are commands, what follows is their output; ``[exit 2]`` as the last line of
  an output says that the command ends with this code.
- ``python``: run as it stands, after the page's earlier blocks. An ``output`` block directly behind it is what it
  prints.
- ``LANGUAGE file=NAME``: a file that the reader writes.
- ``diff``: a change that the reader makes to a file that is there.
- ``LANGUAGE example``: shown, and not run.

In an output ``...`` stands for any text within a line, and alone on a line for any lines. An output that is not shown
is not compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
EXIT = re.compile(r"\[exit ([0-9]+)\]")
ANY = "..."


@dataclass(frozen=True, slots=True)
class File:
    """A file that the reader writes."""

    line: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """What the reader replaces in a file that is there: lines that occur once."""

    line: int
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command line, what it prints and how it ends."""

    line: int
    text: str
    output: str
    code: int


@dataclass(frozen=True, slots=True)
class Python:
    """Statements, and what they print."""

    line: int
    text: str
    output: str


Step = File | Change | Command | Python


def pages(*folders: str) -> list[Path]:
    """The pages of some folders, in order."""
    return [page for folder in folders for page in sorted((DOCS / folder).glob("[!R]*.md"))]


def steps(page: str) -> list[Step]:
    """What a reader of a page does.

    Raises:
        ValueError: for a block that says neither how it is run nor that it is not.
    """
    found: list[Step] = []
    behind = 0
    for block in FENCE.finditer(page):
        line = page.count("\n", 0, block.start()) + 1
        language, *words = block["info"].split()
        match (language, words):
            case ("console", []):
                found += commands(block["text"], line)
            case ("python", []):
                found.append(Python(line, block["text"], ""))
            case ("diff", []):
                found += changes(block["text"], line)
            case ("output", []) if found and isinstance(found[-1], Python) and not page[behind : block.start()].strip():
                found[-1] = Python(found[-1].line, found[-1].text, block["text"])
            case (_, [word]) if word.startswith("file="):
                found.append(File(line, word.removeprefix("file="), block["text"]))
            case (_, ["example"]):
                pass
            case _:
                raise ValueError(f"line {line}: how is a block of {block['info']!r} run?")
        behind = block.end()
    return found


def commands(text: str, line: int) -> list[Step]:
    """The commands of a console block whose fence stands on a line."""
    found: list[Step] = []
    lines = text.splitlines()
    starts = [at for at, one in enumerate(lines) if one.startswith("$ ")]
    if not starts or starts[0]:
        raise ValueError(f"line {line}: the block does not begin with a command")
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        output, code = lines[start + 1 : end], 0
        if output and (ends := EXIT.fullmatch(output[-1])):
            output, code = output[:-1], int(ends[1])
        found.append(Command(line + 1 + start, lines[start].removeprefix("$ "), "\n".join(output), code))
    return found


def changes(text: str, line: int) -> list[Step]:
    """The changes of a diff whose hunks begin with ``@@``, and whose files with ``+++ b/NAME``."""
    found: list[Step] = []
    name = ""
    for part in re.split(r"^(?=@@|--- )", text, flags=re.MULTILINE)[1:]:
        head, *lines = part.splitlines()
        if head.startswith("---"):
            name = lines[0].removeprefix("+++ b/")
        else:
            before, after = ("".join(f"{one[1:]}\n" for one in lines if one[:1] != sign) for sign in "+-")
            found.append(Change(line, name, before, after))
    return found


def same(shown: str, printed: str) -> bool:
    """Whether a program printed what a page shows."""
    if not shown.strip():
        return True
    pattern = ""
    for line in _lines(shown):
        if line == ANY:
            pattern += r"(?:[^\n]*\n)*"
        else:
            pattern += r"[^\n]*".join(re.escape(part) for part in line.split(ANY)) + r"\n"
    return re.fullmatch(pattern, "".join(line + "\n" for line in _lines(printed))) is not None


def _lines(text: str) -> list[str]:
    """The lines without the blanks at their ends, and without empty lines before and behind."""
    return [line.rstrip() for line in text.strip("\n").rstrip().splitlines()]
