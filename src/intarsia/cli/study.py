"""``intarsia study FILE.toml``: the chip, the plans and the report that a file asks for."""

from __future__ import annotations

import shlex
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from intarsia.cli.command import Command, json_option, output_path
from intarsia.cli.printing import print_fields
from intarsia.cli.study_progress import study_progress
from intarsia.ground import refuse_unwritable
from intarsia.ground.units import percent_text, seconds_text

if TYPE_CHECKING:
    from intarsia.flow.study import Result

PLACE = Path("out")


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE.toml", type=Path, help="what is asked (docs/study.md)")
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=output_path("-o"), help="the folder that is written (default out/FILE)"
    )
    parser.add_argument("--fresh", action="store_true", help="evaluate again what an earlier run has stored")
    json_option(parser)


def _run(arguments: Namespace) -> int:
    from intarsia.flow.study import read_study, result_text, run_study
    from intarsia.report import write_study

    study = read_study(arguments.file)
    output: Path = arguments.output or PLACE / arguments.file.stem
    refuse_unwritable(output / "result.json")
    command = f"intarsia study {shlex.quote(str(arguments.file))}"
    try:
        with study_progress() as watch:
            answer = run_study(study, command=command, fresh=arguments.fresh, watch=watch)
    except KeyboardInterrupt:
        print("intarsia: what is evaluated is kept: the same command continues", file=sys.stderr)
        raise
    write_study(output, answer)
    if arguments.json:
        print(result_text(answer.result), end="")
    else:
        _print(answer.result, output)
    return 0


def _print(result: Result, output: Path) -> None:
    fields = [("answer", result.sentence)]
    if result.search is not None:
        found = result.search
        proof = f"{found.text(found.value)}, bound {found.text(found.bound)}, gap {percent_text(found.gap, 1)}"
        fields.append(("proof", f"{proof}, schedules included"))
    if result.search is not None and result.search.audit is not None:
        audit = result.search.audit
        fields.append(("audit", f"{audit.checked} removed chips evaluated, {len(audit.beaten)} better"))
    for one in result.models:
        against = [f"{base.chip} {base.times:.2f}×" for base in one.baselines if base.times is not None]
        if against:
            fields.append((one.name, f"seconds of other chips over this one's: {', '.join(against)}"))
    if result.served is not None:
        against = [f"{base.chip} {base.times:.2f}×" for base in result.served.baselines if base.times is not None]
        if against:
            fields.append((result.served.name, f"tokens/s of other chips over this one's: {', '.join(against)}"))
    fields += [
        ("took", seconds_text(result.made.seconds)),
        ("folder", str(output)),
        ("report", str(output / "report.html")),
    ]
    print_fields(fields)


COMMAND = Command(
    "study",
    "chip, plans and report that a file asks for, the whole way",
    "intarsia study examples/quickstart.toml -o out/quickstart",
    _options,
    _run,
)
