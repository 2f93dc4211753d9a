"""The whole grammar of the command line, built from the commands; imports nothing heavy, so that help is immediate."""

from __future__ import annotations

import shutil
from argparse import SUPPRESS, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from typing import NoReturn

from intarsia import __version__
from intarsia.cli import (
    bench,
    calibrate,
    chips,
    compare,
    compile,  # noqa: A004 (named as the command)
    embed,
    explain,
    instructions,
    model,
    models,
    plan,
    predict,
    run,
    schedule,
    search,
    serve,
    show,
    study,
    targets,
)
from intarsia.cli.command import Command
from intarsia.ground import InputError

GROUPS: tuple[tuple[str, tuple[Command, ...]], ...] = (
    (
        "operators on instructions",
        (embed.COMMAND, explain.COMMAND, run.COMMAND, compile.COMMAND, bench.COMMAND, show.COMMAND),
    ),
    (
        "models on chips and clusters",
        (
            model.COMMAND,
            plan.COMMAND,
            serve.COMMAND,
            search.COMMAND,
            predict.COMMAND,
            schedule.COMMAND,
            calibrate.COMMAND,
        ),
    ),
    ("the whole way", (study.COMMAND, compare.COMMAND)),
    ("what has a name", (models.COMMAND, chips.COMMAND, instructions.COMMAND, targets.COMMAND)),
)
COMMANDS: tuple[Command, ...] = tuple(command for _, commands in GROUPS for command in commands)
WIDTH = 100
"""Columns of help at most; a narrower terminal has its own."""


class Parser(ArgumentParser):
    """An argument parser whose errors are one ``InputError`` like all others."""

    def parse_known_args(  # type: ignore[override]  # of three ways to call it only the one that is used
        self, args: Sequence[str] | None = None, namespace: Namespace | None = None
    ) -> tuple[Namespace, list[str]]:
        """All arguments; those that a command does not know are refused with that command's help."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments.

        Raises:
            InputError: always.
        """
        raise InputError(message, hint=f"{self.prog} --help")


def build_parser() -> Parser:
    """The parser of all commands; what it returns has ``run``, the chosen command's function."""
    parser = Parser(
        prog="intarsia",
        usage="intarsia COMMAND ...    (intarsia COMMAND --help tells of one)",
        description="Fits operators to accelerators, and models to clusters, by constraint solving with proofs.",
        epilog=f"{_listed()}\n\nexample:\n  {embed.COMMAND.example}",
        formatter_class=_formatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"intarsia {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, help=SUPPRESS, prog="intarsia")
    for command in COMMANDS:
        child = commands.add_parser(
            command.name,
            usage="\n       ".join(command.usage) or None,
            description=command.summary[0].upper() + command.summary[1:] + ".",
            epilog=f"example:\n  {command.example}",
            formatter_class=_formatter,
            allow_abbrev=False,
        )
        command.options(child)
        child.set_defaults(run=command.run)
    return parser


def _listed() -> str:
    """The commands in their groups, one line each."""
    width = max(len(command.name) for command in COMMANDS)
    return "\n\n".join(
        "\n".join([f"{title}:", *(f"  {command.name:<{width}}  {command.summary}" for command in commands)])
        for title, commands in GROUPS
    )


def _formatter(prog: str) -> RawDescriptionHelpFormatter:
    width = min(WIDTH, shutil.get_terminal_size((WIDTH, 0)).columns)
    return RawDescriptionHelpFormatter(prog, max_help_position=24, width=width)
