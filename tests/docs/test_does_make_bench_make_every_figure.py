"""Is every command that README names for a figure a line of `make bench`?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(
    r"`(?:python (benchmarks/[^`]+)|intarsia ((?:bench|calibrate|plan) [^`]+|(?:search|serve) [^`]+ --space [^`]+))`"
)


def recipe() -> list[str]:
    """The commands of `make bench`, those of the targets that it makes included, without the folder of the programs."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {
        found[1]: found[2] for found in re.finditer(r"^([a-z-]+):[^=\n]*\n((?:\t.*\n|#.*\n)+)", text, re.MULTILINE)
    }
    lines = [line.strip() for name in ("bench", "bench-native") for line in targets[name].splitlines()]
    return [re.sub(r"^\$\(BIN\)/(python |intarsia )?", "", line).partition("  #")[0].strip() for line in lines]


def named() -> list[str]:
    """The commands of README's text; examples in blocks are no figures."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return sorted({" ".join((found[1] or found[2]).split()) for found in NAMED.finditer(text)})


def test_readme_names_commands() -> None:
    assert len(named()) >= 14


@pytest.mark.parametrize("command", named())
def test_a_command_of_readme_is_made(command: str) -> None:
    """As it stands, or with more options."""
    assert any(f"{line} ".startswith(f"{command} ") for line in recipe())


@pytest.mark.parametrize("option", ["--together", "--seeds 3 10", "--search", "--calls"])
def test_an_option_that_readme_names_alone_is_made(option: str) -> None:
    assert option in (ROOT / "README.md").read_text(encoding="utf-8")
    assert any(option in line for line in recipe())
