"""From what a user types to an instruction: a name of the catalogue, a name with sizes, or a file."""

from __future__ import annotations

from difflib import get_close_matches
from os.path import isdir, isfile
from pathlib import Path

from intarsia.ground.errors import InputError
from intarsia.machines.catalogue import catalogue
from intarsia.machines.instruction import Instruction
from intarsia.machines.text import parse_instruction

LARGEST_FILE = 64 * 1024


def find_instruction(spec: str) -> Instruction:
    """The instruction of ``NAME``, ``NAME:SIZES`` or a path to an instruction file (the catalogue goes first).

    Raises:
        InputError: for an unknown name (with the nearest one), wrong sizes, or a file that is not an instruction.
    """
    name, _, parameters = spec.partition(":")
    entries = catalogue()
    if name in entries:
        return entries[name].instruction(parameters)
    path = Path(spec)
    if isfile(path):  # noqa: PTH113 (Path.is_file raises where a name is too long)
        return parse_instruction(_read(path), where=spec)
    if spec and isdir(path):  # noqa: PTH112 (Path.is_dir raises where a name is too long)
        raise InputError("it is a folder", where=repr(spec), allowed="an instruction's name or file")
    if "/" in spec or path.suffix == ".txt":
        raise InputError("instruction file not found", where=spec)
    near = get_close_matches(name, entries, n=1, cutoff=0.4)
    raise InputError(
        "unknown instruction",
        value=spec or "''",
        allowed=", ".join(entries) + ", or a path to an instruction file",
        hint=entries[near[0]].form if near else "",
    )


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InputError("too large for an instruction file", where=str(path), allowed=f"{LARGEST_FILE} bytes")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("is not a text file", where=str(path), allowed="UTF-8 text") from error
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error
