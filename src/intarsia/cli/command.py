"""What a command is: the file of each one declares a ``COMMAND``. Options that several commands share stand here."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from os.path import isfile
from pathlib import Path

from intarsia.ground import InputError, Trace, Verbosity


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        name: as typed.
        summary: one line for the list of commands.
        example: a command line that works, shown under the command's own help.
        options: adds the arguments to the command's parser.
        run: does it, and returns the exit code.
        usage: how it is called, a line for each way; made from the options if empty.
    """

    name: str
    summary: str
    example: str
    options: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]
    usage: tuple[str, ...] = ()


def path_of(option: str, text: str) -> Path:
    """The path that an option was given.

    Raises:
        InputError: an empty name, which would stand for the current folder.
    """
    if not text:
        raise InputError("the name is empty", where=option, allowed="a path; . is the current folder")
    return Path(text)


def output_path(option: str) -> Callable[[str], Path]:
    """The type of an option that names what is written."""

    def path(text: str) -> Path:
        return path_of(option, text)

    return path


def spec_argument(parser: ArgumentParser) -> None:
    """``SPEC``, the operator."""
    parser.add_argument(
        "spec",
        metavar="SPEC",
        help="operator: text, file, conv2d:..., einsum:..., deepbench:..., model.onnx#node",
    )


def instruction_option(parser: ArgumentParser, *, required: bool = True) -> None:
    """``--instr``, the instruction."""
    parser.add_argument(
        "--instr",
        metavar="NAME",
        required=required,
        help="the instruction: of the catalogue (`intarsia instructions`), or a file",
    )


def json_option(parser: ArgumentParser) -> None:
    """``--json``."""
    parser.add_argument("--json", action="store_true", help="print the answer as JSON (docs/json.md)")


def trace_options(parser: ArgumentParser) -> None:
    """``-v`` and ``--dump``."""
    parser.add_argument("-v", action="count", default=0, dest="verbose", help="steps; -vv their texts; -vvv solvers")
    parser.add_argument("--dump", metavar="DIR", help="write the text of every step into this folder")


def trace_of(arguments: Namespace) -> Trace:
    """What the options of ``trace_options`` ask for."""
    dump = None if arguments.dump is None else path_of("--dump", arguments.dump)
    if dump is not None and isfile(dump):  # noqa: PTH113 (Path.is_file raises where a name is too long)
        raise InputError("--dump takes a folder, this is a file", where=str(dump), hint="--dump out/steps")
    return Trace(Verbosity(min(arguments.verbose, Verbosity.SOLVERS)), dump)
