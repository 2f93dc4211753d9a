"""``intarsia compile SPEC --target vta -o DIR``: a folder that another implementation of the target can execute."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from os.path import exists
from pathlib import Path

from intarsia.cli.command import Command, json_option, path_of, spec_argument, trace_of, trace_options
from intarsia.cli.printing import print_fields, print_json
from intarsia.cli.run import target_options
from intarsia.ground import InputError
from intarsia.ground.units import bytes_text, count_text


def _options(parser: ArgumentParser) -> None:
    spec_argument(parser)
    target_options(parser, "vta")
    parser.add_argument("--fixed", action="store_true", help="the reference's own embedding instead of the best")
    parser.add_argument("--inputs", metavar="FILE.npz", type=Path, help="x, w and bias; seeded without it")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of the inputs (default 0)")
    parser.add_argument("-o", dest="output", metavar="DIR", required=True, help="where the files go")
    json_option(parser)
    trace_options(parser)


def _run(arguments: Namespace) -> int:
    if arguments.inputs is not None and not exists(arguments.inputs):  # noqa: PTH110 (Path.exists raises)
        raise InputError("no such file", where=str(arguments.inputs))
    from intarsia import flow

    answer = flow.compile_operator(
        arguments.spec,
        arguments.target,
        path_of("-o", arguments.output),
        config=arguments.config,
        fixed=arguments.fixed,
        shift=arguments.shift,
        inputs=arguments.inputs,
        seed=arguments.seed,
        trace=trace_of(arguments),
    )
    if arguments.json:
        print_json(
            {
                "operator": answer.operator,
                "target": answer.target,
                "configuration": answer.configuration,
                "fixed": answer.fixed,
                "embedding": answer.nest,
                "tiling": answer.tiling,
                "folder": str(answer.folder),
                "files": dict(answer.files),
                "instructions": answer.instructions,
                "cycles": answer.cycles,
                "lower_bound": answer.bound,
            }
        )
        return 0
    fields = [
        ("operator", answer.operator.partition("\n")[0]),
        ("target", answer.configuration),
        ("instructions", count_text(answer.instructions)),
        ("cycles", f"{count_text(answer.cycles)} predicted, lower bound {count_text(answer.bound)}"),
        ("folder", str(answer.folder)),
    ]
    print_fields([*fields, *((name, bytes_text(size)) for name, size in answer.files)])
    return 0


COMMAND = Command(
    "compile",
    "compile an operator into a folder: program, memory, inputs, expected output",
    "intarsia compile gemm:m=32,n=64,k=100 --target vta -o out/gemm",
    _options,
    _run,
)
