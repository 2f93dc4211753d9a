"""What a processor does in a second, measured: calls of each instruction, bytes to and from each cache, its clock.

In comes a processor; out go rates of one core, each the best of many short runs of a loop that does nothing else, on a
core that the thread is pinned to. They are kept per machine under a key that can be read, and measured again on demand.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from intarsia.ground import InputError, write_file
from intarsia.ground.records import read_record
from intarsia.ground.store import default_store
from intarsia.targets.x86 import probes
from intarsia.targets.x86.code_generator import version
from intarsia.targets.x86.engine import Engine
from intarsia.targets.x86.intrinsics import spelling, usable
from intarsia.targets.x86.processor import Processor

VERSION = 1
"""Of how things are measured; rates that another version measured are not taken."""

SHORTEST = 0.001
"""Seconds of a run at least."""
RUNS = 25
"""Runs, of which the fastest counts."""
CALLS, LONGEST = 15, 0.05
"""Runs of a call that is timed at least, and the seconds that they take together at least."""
MEMORY = "memory"
LARGEST = 1 << 28
"""Bytes of the largest array."""
SMALL = 1 << 13
"""Bytes of an array for loops that hardly touch it."""
ALIGNMENT = 64
"""Bytes."""


class Rates(msgspec.Struct, frozen=True):
    """What one core does in a second, at its best.

    Attributes:
        hertz: cycles, in code without vectors.
        calls: calls of each instruction of the catalogue that the processor has.
        loads: bytes read from ``L1``, ``L2``, ``L3``, ``memory``; those that the system tells of.
        stores: bytes written, likewise.
    """

    hertz: float
    calls: dict[str, float]
    loads: dict[str, float]
    stores: dict[str, float]


class _File(msgspec.Struct, frozen=True):
    """Rates with what they belong to."""

    key: dict[str, Any]
    rates: Rates


@dataclass(frozen=True, slots=True)
class Measured:
    """Rates, and what a user should know of them."""

    rates: Rates
    notes: tuple[str, ...] = ()


def rates_of(processor: Processor, engine: Engine, *, folder: Path | None = None, again: bool = False) -> Measured:
    """The rates of this machine's processor: as kept, or measured (a second or two) and kept.

    Args:
        processor: the one that this runs on, or that with fewer features.
        engine: of the same features.
        folder: where rates are kept; the user's cache folder if not given.
        again: measure even if rates are kept.

    Raises:
        InputError: if the processor has no instruction that kernels are made of.
    """
    key = key_of(processor)
    name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:32]
    file = (folder or default_store().with_name("processors")) / f"{name}.json"
    kept = None if again else _kept(file, key, usable(processor.features))
    if kept is not None:
        return Measured(kept)
    rates = measure(processor, engine)
    try:
        write_file(file, msgspec.json.format(msgspec.json.encode(_File(key, rates))))
    except InputError as error:
        return Measured(rates, (f"measured rates are not kept: {error}",))
    return Measured(rates)


def key_of(processor: Processor) -> dict[str, Any]:
    """What rates belong to: the machine, its processor, and how they were measured."""
    return {
        "version": VERSION,
        "machine": platform.node(),
        "processor": processor.name,
        "features": list(processor.features.present),
        "caches": [[c.level, c.size, c.line, c.shared] for c in processor.caches],
        "llvm": version(),
    }


def measure(processor: Processor, engine: Engine) -> Rates:
    """The rates, measured now, on the last core that this process may run on.

    Raises:
        InputError: if the processor has no instruction that kernels are made of.
    """
    with pinned(processor.cores[-1]):
        calls = {name: calls_per_second(engine, name) for name in usable(processor.features)}
        hertz = _rate(engine, probes.chain(), SMALL)
        loads, stores = (_bandwidths(processor, engine, store=store) for store in (False, True))
    return Rates(hertz, calls, loads, stores)


def calls_per_second(engine: Engine, name: str) -> float:
    """Calls of an instruction of the catalogue in a second, measured now on the core that this thread is on.

    Raises:
        InputError: if the engine's features lack the instruction.
    """
    return _rate(engine, probes.calls(spelling(name, engine.features)), SMALL)


def places(processor: Processor) -> dict[str, int]:
    """Where data may lie, and the bytes of an array that lies there: at most half of a cache, beyond the one before."""
    found: dict[str, int] = {}
    inner = 0
    for cache in processor.caches:
        found[f"L{cache.level}"] = min(cache.size // 2, 8 * inner or cache.size)
        inner = cache.size
    return found | {MEMORY: min(LARGEST, 4 * inner or LARGEST)}


def fastest(call: Callable[[], object], *, runs: int = CALLS, seconds: float = LONGEST) -> float:
    """Seconds of the fastest of at least so many runs that take at least so long together."""
    best, began, done = float("inf"), time.perf_counter(), 0
    while done < runs or time.perf_counter() - began < seconds:
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
        done += 1
    return best


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """The calling thread runs on one core only; afterwards where it could before."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _bandwidths(processor: Processor, engine: Engine, *, store: bool) -> dict[str, float]:
    """Bytes in a second by place, with the widest vectors that the processor has."""
    probe = probes.accesses(64 if processor.features.has("avx512f") else 32, store=store)
    return {place: _rate(engine, probe, size) for place, size in places(processor).items()}


def _rate(engine: Engine, probe: tuple[str, int], size: int) -> float:
    """What a probe counts, in a second, over data of some bytes: its fastest run."""
    text, each = probe
    function = engine.compile(text).function("f", None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
    size -= size % max(each, ALIGNMENT)
    data = np.ones(size + ALIGNMENT, np.uint8)  # written, so that memory stands behind every page
    start = data.ctypes.data + -data.ctypes.data % ALIGNMENT
    rounds = max(1, size // each)
    while _seconds(function, start, rounds, size) < SHORTEST:
        rounds *= 2
    return rounds * each / min(_seconds(function, start, rounds, size) for _ in range(RUNS))


def _seconds(function: Callable[..., None], *arguments: int) -> float:
    began = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - began


def _kept(file: Path, key: dict[str, Any], names: tuple[str, ...]) -> Rates | None:
    """Kept rates of these instructions, None if there are none, or if the file is damaged or belongs to another key."""
    try:
        found = read_record(file, _File, what="file of measured rates")
    except InputError:
        return None
    rates = found.rates
    values = (rates.hertz, *rates.calls.values(), *rates.loads.values(), *rates.stores.values())
    whole = set(rates.calls) == set(names) and MEMORY in rates.loads and MEMORY in rates.stores
    return rates if found.key == key and whole and all(value > 0 for value in values) else None
