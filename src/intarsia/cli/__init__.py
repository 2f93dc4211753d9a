"""The command line: parse, call one function of ``intarsia.flow``, print. It computes nothing.

Exit codes: 0 for an answer (infeasible and out of time are answers), 2 for bad input, 130 for an interruption.
Anything else is a bug and ends in a traceback.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from intarsia.cli.parser import build_parser
from intarsia.ground import InputError

BAD_INPUT = 2
INTERRUPTED = 130
BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the arguments without the program's name, those of the process if None.

    Returns:
        The exit code.
    """
    try:
        arguments = build_parser().parse_args(argv)
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except InputError as error:
        print(f"intarsia: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("intarsia: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; Python must not try to flush it once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except SystemExit as request:  # --help and --version have printed
        return int(request.code or 0)
    return code
