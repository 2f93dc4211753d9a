"""``intarsia instructions [NAME]``: the catalogue, or the whole text of one instruction."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from intarsia.cli.command import Command, json_option
from intarsia.cli.printing import print_json, print_table

if TYPE_CHECKING:
    from intarsia.machines import Entry, Instruction


def _options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "name", metavar="NAME", nargs="?", help="print this one's text (sizes after a colon), or a file's"
    )
    json_option(parser)


def _run(arguments: Namespace) -> int:
    from intarsia import flow

    if arguments.name is not None:
        instruction = flow.read_instruction(arguments.name)
        if arguments.json:
            print_json(instruction_json(instruction))
        else:
            print(instruction)
        return 0
    entries = flow.instructions()
    if arguments.json:
        print_json([_entry_json(e) for e in entries])
    else:
        print_table(("instruction", "what it is"), [(e.form, e.summary) for e in entries])
    return 0


def _entry_json(entry: Entry) -> dict[str, Any]:
    sizes = [{"name": s.name, "default": s.default, "largest": s.largest, "step": s.step} for s in entry.sizes]
    return {
        "name": entry.name,
        "form": entry.form,
        "summary": entry.summary,
        "sizes": sizes,
        "dtype": entry.dtype or None,
    }


def instruction_json(instruction: Instruction) -> dict[str, Any]:
    """An instruction as JSON: its text, and what is asked for most."""
    return {
        "name": instruction.name,
        "text": str(instruction),
        "lanes": instruction.lanes,
        "cycles": instruction.cycles,
        "axes": [{"name": a.name, "extent": a.extent, "role": a.role} for a in instruction.semantics.axes],
        "memories": dict(instruction.memories),
        "source": instruction.source,
    }


COMMAND = Command(
    "instructions",
    "list the instructions of the catalogue, or print one",
    "intarsia instructions vta.gemm:16x16x16",
    _options,
    _run,
)
