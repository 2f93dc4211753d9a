"""The whole way on one page, one call a step: what the command line asks, and what Python users may call.

Texts of operators, instructions and targets come in; answers that can be printed go out. Every border between two rooms
is crossed here, and what crosses it is checked here.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from intarsia import targets as target_folders
from intarsia.machines import Entry, Instruction, catalogue, find_instruction
from intarsia.models import OnnxFile, read_specs


def read_operators(spec: str) -> OnnxFile:
    """The operators that a text, a shorthand, a file, a row of DeepBench or an ONNX file names, and what is none."""
    return read_specs(spec)


def read_instruction(name: str) -> Instruction:
    """The instruction of a name of the catalogue, with or without sizes, or of a file."""
    return find_instruction(name)


def instructions() -> tuple[Entry, ...]:
    """The catalogue, sorted by name."""
    return tuple(catalogue().values())


def targets() -> tuple[tuple[str, str], ...]:
    """Every target, which is a folder of ``intarsia.targets``: its name, and the first line that it says of itself."""
    names = sorted(module.name for module in iter_modules(target_folders.__path__) if module.ispkg)
    texts = [import_module(f"{target_folders.__name__}.{name}").__doc__ or "" for name in names]
    return tuple((name, text.splitlines()[0]) for name, text in zip(names, texts, strict=True))
