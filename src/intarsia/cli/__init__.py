"""The command line: parse, call one function of ``intarsia.flow``, print. It computes nothing.

Exit codes: 0 for an answer (infeasible and out of time are answers), 2 for bad input and for an answer that cannot be
printed, 130 for an interruption. Anything else is a bug and ends in a traceback.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from intarsia.cli.parser import build_parser
from intarsia.ground import InputError

BAD_INPUT = 2
INTERRUPTED = 130
BROKEN_PIPE = 141


def program() -> int:
    """The process's one command, after which it ends; once it was interrupted, another Ctrl-C kills the process.

    Returns:
        The exit code.
    """
    code = main()
    if code == INTERRUPTED:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # who asks twice does not want to wait for anything
    return code


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the arguments without the program's name, those of the process if None.

    Returns:
        The exit code.
    """
    if sys.stderr is None:  # closed by the caller; Python would print messages to stdout instead
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 (open until the process ends)
    if sys.stdout is None:
        return _refused("the answer cannot be printed: standard output is closed")
    try:
        code = _run(argv)
        sys.stdout.flush()
    except InputError as error:
        return _refused(str(error))
    except KeyboardInterrupt:
        _tell("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _forget(sys.stdout)
        return BROKEN_PIPE
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        _forget(sys.stdout)
        return _refused(f"the answer cannot be written: {error.strerror}")
    return code


def _run(argv: Sequence[str] | None) -> int:
    try:
        arguments = build_parser().parse_args(argv)
        code: int = arguments.run(arguments)
    except SystemExit as request:  # --help and --version have printed
        return int(request.code or 0)
    return code


def _refused(what: str) -> int:
    _tell(what)
    return BAD_INPUT


def _tell(what: str) -> None:
    try:
        print(f"intarsia: {what}", file=sys.stderr, flush=True)
    except OSError:
        _forget(sys.stderr)


def _forget(stream: TextIO) -> None:
    """What is still to be printed goes nowhere; Python must not try to flush it once more at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
