"""``intarsia compare A B``: the results of two studies side by side."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from intarsia.cli.command import Command, json_option, output_path
from intarsia.cli.printing import print_fields, print_json, print_table
from intarsia.ground import refuse_unwritable, write_file
from intarsia.ground.units import ratio_text

if TYPE_CHECKING:
    from intarsia.flow.study import Compared


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("first", metavar="A", type=Path, help="the folder of a study, or its result.json")
    parser.add_argument("second", metavar="B", type=Path, help="another one")
    parser.add_argument("-o", "--output", metavar="FILE", type=output_path("-o"), help="write it as an HTML file too")
    json_option(parser)


def _run(arguments: Namespace) -> int:
    from intarsia.flow.study import compare, read_result
    from intarsia.report.html import compare_html

    if arguments.output is not None:
        refuse_unwritable(arguments.output)
    first, second = (read_result(path, told=_told) for path in (arguments.first, arguments.second))
    found = compare(first, second)
    if arguments.output is not None:
        write_file(arguments.output, compare_html(found))
    if arguments.json:
        print_json(asdict(found))
    else:
        _print(found)
    return 0


def _told(text: str) -> None:
    print(f"intarsia: {text}", file=sys.stderr)


def _print(found: Compared) -> None:
    names = [("A", found.titles[0]), ("", found.sentences[0]), ("B", found.titles[1]), ("", found.sentences[1])]
    print_fields([*names, *(("note", note) for note in found.notes)])
    for group, rows in groupby(found.rows, key=lambda row: row.group):
        print()
        shown = [(r.name, r.first, r.second, "" if r.times is None else ratio_text(r.times)) for r in rows]
        print_table((group, "A", "B", "B ÷ A"), shown, right=("A", "B", "B ÷ A"))


COMMAND = Command(
    "compare",
    "the results of two studies side by side",
    "intarsia compare out/quickstart out/wider -o out/compare.html",
    _options,
    _run,
)
