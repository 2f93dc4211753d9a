"""Does docs/text.md say what the code does: every shorthand with its keys and operands, and texts that are read?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from intarsia.operators import parse_operator, read_operator
from intarsia.operators.library import shorthands
from intarsia.operators.operator import COMBINES, DTYPES

TEXT = (Path(__file__).parents[2] / "docs" / "text.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(?P<kind>[\w.]+)` \|(?P<keys>.*?)\|(?P<operands>.*?)\|", re.MULTILINE)
ROWS = {match["kind"]: match for match in ROW.finditer(TEXT)}
VALUES = {"integers": "4x4", "integer": "4", "switch": "1", "word": "b"}


def test_every_shorthand_has_a_row() -> None:
    assert set(shorthands()) <= set(ROWS)


@pytest.mark.parametrize("kind", sorted(shorthands()))
def test_a_row_has_the_keys_and_the_operands(kind: str) -> None:
    keys = shorthands()[kind].keys
    told = re.findall(r"\*?\*?`(\w+)`", ROWS[kind]["keys"].partition(":")[2] or ROWS[kind]["keys"])
    assert told == [key.name for key in keys]
    assert re.findall(r"\*\*`(\w+)`", ROWS[kind]["keys"]) == [key.name for key in keys if key.required]
    given = ",".join(f"{k.name}={'1' if k.name == 'axes' else VALUES[k.form]}" for k in keys if k.required)
    operator = read_operator(f"{kind}:{given}")
    operands = re.sub(r"\(.*?\)", "", ROWS[kind]["operands"])
    assert [name.strip() for name in operands.split(",")] == [t.name for t in operator.tensors]


def test_the_grammar_has_every_dtype_and_combining_operator() -> None:
    assert all(f'"{name}"' in TEXT for name in (*DTYPES, *COMBINES))


def test_the_example_of_an_operator_is_one() -> None:
    example = TEXT.partition("\n    conv: ")[2].partition("\n\n")[0]
    assert parse_operator(f"conv: {example}").name == "conv"
