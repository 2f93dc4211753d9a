"""``intarsia targets``: what operators can be compiled for."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from intarsia.cli.command import Command, json_option
from intarsia.cli.printing import print_json, print_table


def _options(parser: ArgumentParser) -> None:
    json_option(parser)


def _run(arguments: Namespace) -> int:
    from intarsia import flow

    found = flow.targets()
    if arguments.json:
        print_json([{"name": name, "summary": summary} for name, summary in found])
    else:
        print_table(("target", "what it is"), found)
    return 0


COMMAND = Command("targets", "list the targets that operators run on", "intarsia targets --json", _options, _run)
