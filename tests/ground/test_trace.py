"""Does every rung of the ladder tell what it says it tells?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from intarsia.ground import QUIET, Trace, Verbosity


class Costly:
    def __str__(self) -> str:
        raise AssertionError("nobody reads this text")


def tell(trace: Trace) -> None:
    with trace.step("embed"):
        trace.text("embedding", "for ow.0 < 7:")


@pytest.mark.parametrize(
    ("rung", "expected"),
    [
        (Verbosity.ANSWER, r""),
        (Verbosity.STEPS, r"embed: \S+ \S+\n"),
        (Verbosity.TEXTS, r"embedding:\nfor ow\.0 < 7:\nembed: \S+ \S+\n"),
    ],
)
def test_each_rung_adds_to_those_below(rung: Verbosity, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    tell(Trace(rung))
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(expected, err)


def test_texts_that_nobody_reads_are_not_made() -> None:
    QUIET.text("embedding", Costly())


def test_the_dump_folder_gets_every_text_in_order(tmp_path: Path) -> None:
    trace = Trace(dump=tmp_path / "dump")
    trace.text("operator", "one")
    trace.text("embedding", "two")
    found = {p.name: p.read_text() for p in (tmp_path / "dump").iterdir()}
    assert found == {"01-operator.txt": "one\n", "02-embedding.txt": "two\n"}


def test_a_step_that_fails_is_told_too(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError), Trace(Verbosity.STEPS).step("embed"):
        raise RuntimeError
    assert capsys.readouterr().err.startswith("embed: ")


@pytest.mark.parametrize("rung", list(Verbosity))
def test_a_note_is_told_on_every_rung(rung: Verbosity, capsys: pytest.CaptureFixture[str]) -> None:
    Trace(rung).note("code is not kept")
    assert capsys.readouterr() == ("", "intarsia: code is not kept\n")
