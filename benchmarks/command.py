"""How a benchmark is called: named options, a table on stdout, and with ``--json FILE`` all of it as one document."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path

from intarsia.cli.printing import to_json
from intarsia.ground import InputError, refuse_unwritable, write_file


def options(about: str | None) -> ArgumentParser:
    """A parser whose help is the benchmark's docstring, with ``--json``."""
    parser = ArgumentParser(description=about, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the answer here, whole or not at all")
    return parser


def read(parser: ArgumentParser) -> Namespace:
    """The options; a file that cannot be written is refused now, not after the work."""
    arguments = parser.parse_args()
    if arguments.json is not None:
        try:
            refuse_unwritable(arguments.json)
        except InputError as error:
            parser.error(str(error))
    return arguments


def write(file: Path | None, answer: object) -> None:
    """Write the answer, if a file was named."""
    if file is not None:
        write_file(file, to_json(answer) + "\n")
