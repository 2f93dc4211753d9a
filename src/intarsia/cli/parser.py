"""The whole grammar of the command line, built from the commands; imports nothing heavy, so that help is immediate."""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import NoReturn

from intarsia import __version__
from intarsia.cli import (
    bench,
    calibrate,
    chips,
    compile,  # noqa: A004  # named as the command
    embed,
    explain,
    instructions,
    model,
    models,
    plan,
    predict,
    run,
    schedule,
    show,
    targets,
)
from intarsia.cli.command import Command
from intarsia.ground import InputError

COMMANDS: tuple[Command, ...] = (
    embed.COMMAND,
    explain.COMMAND,
    run.COMMAND,
    compile.COMMAND,
    bench.COMMAND,
    show.COMMAND,
    model.COMMAND,
    models.COMMAND,
    plan.COMMAND,
    predict.COMMAND,
    schedule.COMMAND,
    calibrate.COMMAND,
    chips.COMMAND,
    instructions.COMMAND,
    targets.COMMAND,
)
WIDTH = 100


class Parser(ArgumentParser):
    """An argument parser whose errors are one ``InputError`` like all others."""

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
        description="Fits deep-learning operators to accelerators by constraint solving with proofs.",
        epilog="example:\n  intarsia embed conv2d:n=1,c=3,h=224,w=224,k=64,r=7,s=7,stride=2,pad=3 --instr vta.gemm",
        formatter_class=_formatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"intarsia {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands", required=True)
    for command in COMMANDS:
        child = commands.add_parser(
            command.name,
            help=command.summary,
            description=command.summary[0].upper() + command.summary[1:] + ".",
            epilog=f"example:\n  {command.example}",
            formatter_class=_formatter,
            allow_abbrev=False,
        )
        command.options(child)
        child.set_defaults(run=command.run)
    return parser


def _formatter(prog: str) -> RawDescriptionHelpFormatter:
    return RawDescriptionHelpFormatter(prog, max_help_position=24, width=WIDTH)
