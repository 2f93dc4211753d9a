"""``intarsia models``: the models that have names."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from intarsia.cli.command import Command, json_option
from intarsia.cli.printing import print_json, print_table
from intarsia.ground.units import count_text

NUMBERS = ("parameters", "layers", "hidden", "sequence")


def _options(parser: ArgumentParser) -> None:
    json_option(parser)


def _run(arguments: Namespace) -> int:
    from intarsia import flow

    found = flow.models()
    if arguments.json:
        rows = [
            {
                "name": m.name,
                "parameters": m.parameters,
                "layers": m.layers,
                "hidden": m.hidden or None,
                "sequence": m.sequence or None,
                "source": m.source,
            }
            for m in found
        ]
        print_json(rows)
        return 0
    sizes = [(m.name, m.parameters, m.layers, m.hidden, m.sequence, m.source) for m in found]
    texts = [(name, *(count_text(n) if n else "" for n in numbers), source) for name, *numbers, source in sizes]
    print_table(("model", *NUMBERS, "source"), texts, right=NUMBERS)
    return 0


COMMAND = Command("models", "list the models that have names", "intarsia models --json", _options, _run)
