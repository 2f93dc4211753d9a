"""A timed program as a trace that Perfetto and Chrome's trace viewer show: a track a unit, a slice an instruction."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from intarsia.ground import InputError
from intarsia.targets.vta.disassembler import describe, unit_of
from intarsia.targets.vta.isa import Unit
from intarsia.targets.vta.stream import Stream
from intarsia.targets.vta.timing import Timing

_FETCH = len(Unit)


def write_timeline(stream: Stream, timing: Timing, path: Path) -> None:
    """Writes the trace as JSON; the file is there whole or not at all.

    Slices are in microseconds on the board; their arguments give the instruction's text, index and cycles.

    Raises:
        InputError: the file cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise InputError("cannot write the timeline", where=str(path), value=str(error.strerror)) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            separator = '{"displayTimeUnit": "ns", "traceEvents": [\n'
            for event in _events(stream, timing):
                file.write(separator + json.dumps(event))
                separator = ",\n"
            file.write("\n]}\n")
        Path(name).replace(path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise InputError("cannot write the timeline", where=str(path), value=str(error.strerror)) from None
        raise


def _events(stream: Stream, timing: Timing) -> Iterator[dict[str, Any]]:
    for track, name in enumerate(("load", "compute", "store", "fetch")):
        yield {"ph": "M", "pid": 0, "tid": track, "name": "thread_name", "args": {"name": name}}
    spans = zip(stream, timing.start.tolist(), timing.finish.tolist(), strict=True)
    for index, (instruction, start, finish) in enumerate(spans):
        text = " ".join(describe(instruction).split())
        track = int(unit_of(instruction))
        yield _slice(text.split()[0], track, start, finish, timing, {"text": text, "index": index})
    for chunk, (asked, read, drained) in enumerate(timing.chunks.tolist()):
        yield _slice("read", _FETCH, asked, read, timing, {"chunk": chunk})
        yield _slice("dispatch", _FETCH, read, drained, timing, {"chunk": chunk})


def _slice(name: str, track: int, start: int, finish: int, timing: Timing, args: dict[str, Any]) -> dict[str, Any]:
    scale = 1e6 / timing.clock_hz
    cycles = {"start": start, "cycles": finish - start}
    place = {"pid": 0, "tid": track, "ts": start * scale, "dur": (finish - start) * scale}
    return {"ph": "X", "name": name, **place, "args": args | cycles}
