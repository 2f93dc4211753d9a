"""What the tests of `plan`, `predict`, `schedule` and `chips` share: small inputs, and how an answer is read."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from intarsia.cli import main

GPT = {"model_type": "gpt2", "n_embd": 256, "n_head": 4, "n_layer": 4, "vocab_size": 1000, "n_positions": 256}


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def answered(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(printed(capsys, *arguments, "--json"))


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err.removeprefix("intarsia: ").removesuffix("\n")


def config(folder: Path, **changes: Any) -> str:
    """A small GPT's config.json; keys with None are left out."""
    file = folder / "config.json"
    file.write_text(json.dumps({key: value for key, value in (GPT | changes).items() if value is not None}))
    return str(file)


def catalogued(kind: str, name: str) -> dict[str, Any]:
    """A file of the catalogue: ``chips`` or ``clusters``."""
    entry = files(f"intarsia.machines.{kind}") / "catalogue" / f"{name}.json"
    found: dict[str, Any] = json.loads(entry.read_text())
    return found


def written(folder: Path, name: str, content: Any) -> str:
    file = folder / name
    file.write_text(json.dumps(content))
    return str(file)
