"""A way into code for arrays that lie as it wants them: machine code looks at them, so that small kernels stay small.

In comes an array object and where the result goes; the fields of NumPy's structure, where every extension reads them,
are compared with what the code was made for, and only then it runs. Whatever differs is left to others.
"""

from __future__ import annotations

import ctypes
from functools import cache
from math import prod

import numpy as np
from numpy.typing import NDArray

from intarsia.operators import DTYPES, Tensor, numpy_dtype
from intarsia.targets.x86.callable.arrays import address
from intarsia.targets.x86.callable.kernels import WRITTEN, Ready
from intarsia.targets.x86.engine import Engine
from intarsia.targets.x86.threads import Pool

HEAD = object.__basicsize__
"""Bytes of what every object has; its type is the last field."""
KIND, DATA, RANK, SHAPE, DTYPE, FLAGS = HEAD - 8, HEAD, HEAD + 8, HEAD + 16, HEAD + 40, HEAD + 48
"""Where the fields of an array lie."""
CONTIGUOUS, ALIGNED, WRITEABLE = 0x1, 0x100, 0x400
"""Flags of an array."""
POINTERS = 8
"""Addresses that a kernel takes."""
TYPES = 3
"""Words of a frame before those of the call: the type of arrays, and the dtypes of both."""


class Entry:
    """Code with one input that changes; safe from several threads."""

    def __init__(self, ready: Ready, read: Tensor, written: Tensor, engine: Engine, pool: Pool | None) -> None:
        self._ready = ready
        self._parts = 1 if pool is None else ready.parts(pool)
        self._pool = pool if self._parts > 1 else None
        self._types = id(np.ndarray), *(id(numpy_dtype(tensor.dtype)) for tensor in (read, written))
        native = engine.compile(_text(ready, read, written, self._parts))
        pointers = [ctypes.c_void_p] * 4
        self._call = native.function("entry", ctypes.c_int32, *pointers)
        self._free: list[tuple[int, object]] = []

    def __call__(self, array: object, out: object) -> bool:
        """Compute ``out``, or do nothing and say False where the arrays are not plainly right."""
        try:
            frame = self._free.pop()
        except IndexError:
            frame = self._frame()
        if self._pool is None:
            done: int = self._call(id(array), id(out), frame[0], 0)
        else:
            team = self._pool.borrow()
            try:
                done = self._call(id(array), id(out), frame[0], team.place)
            finally:
                self._pool.give_back(team)
        self._free.append(frame)
        return done == 1

    def _frame(self) -> tuple[int, object]:
        """What the code is called with, memory of its own included, and what keeps all of it."""
        ready, pool = self._ready, self._pool
        held: object
        if pool is None:
            held = scratch = ready.kernel.scratch()
            words = [ready.kernel.native.address("whole"), *ready.constant, address(scratch), *ready.after]
        else:
            held = work = ready.work(self._parts)
            words = [pool.code.share_at, work.address, work.frames]
        frame = np.array([*self._types, *words], dtype=np.uint64)
        return address(frame), (frame, held)


@cache
def fields_are_known() -> bool:
    """Whether arrays of this interpreter have their fields where they are looked for."""
    probes: list[NDArray[np.int16]] = [np.zeros(shape, np.int16) for shape in ((5,), (2, 3), (4, 1, 7))]
    probes += [probes[1].T, probes[2][::2]]
    probes[0].flags.writeable = False
    return all(_as_expected(probe) for probe in probes)


def _as_expected(array: NDArray[np.int16]) -> bool:
    def word(place: int) -> int:
        return ctypes.c_size_t.from_address(place).value

    if word(id(array) + KIND) != id(np.ndarray) or word(id(array) + DATA) != address(array):
        return False
    rank = ctypes.c_int32.from_address(id(array) + RANK).value
    if rank != array.ndim or word(id(array) + DTYPE) != id(array.dtype):
        return False
    shape = tuple(word(word(id(array) + SHAPE) + 8 * i) for i in range(rank))
    flags = ctypes.c_int32.from_address(id(array) + FLAGS).value
    told = array.flags.c_contiguous, array.flags.aligned, array.flags.writeable
    return shape == array.shape and told == tuple(bool(flags & f) for f in (CONTIGUOUS, ALIGNED, WRITEABLE))


def _text(ready: Ready, read: Tensor, written: Tensor, parts: int) -> str:
    """The module: what is compared, in three steps so that nothing is read of what is no array, then the call."""
    lines: list[str] = []

    def new(text: str) -> str:
        lines.append(f"  %v{len(lines)} = {text}")
        return f"%v{len(lines) - 1}"

    def field(base: str, offset: int, kind: str) -> str:
        return new(f"load {kind}, ptr {new(f'getelementptr i8, ptr {base}, i64 {offset}')}")

    def unless(tests: list[str], then: str) -> None:
        together = tests[0]
        for test in tests[1:]:
            together = new(f"and i1 {together}, {test}")
        lines.append(f"  br i1 {together}, label %{then}, label %no")
        lines.append(f"{then}:")

    both = (("%x", read, 1, CONTIGUOUS | ALIGNED), ("%out", written, 2, CONTIGUOUS | ALIGNED | WRITEABLE))
    kind = field("%frame", 0, "i64")
    unless([new(f"icmp eq i64 {field(base, KIND, 'i64')}, {kind}") for base, _, _, _ in both], "arrays")
    tests = []
    for base, tensor, word, flags in both:
        tests.append(new(f"icmp eq i32 {field(base, RANK, 'i32')}, {len(tensor.shape)}"))
        tests.append(new(f"icmp eq i64 {field(base, DTYPE, 'i64')}, {field('%frame', 8 * word, 'i64')}"))
        masked = new(f"and i32 {field(base, FLAGS, 'i32')}, {flags}")
        tests.append(new(f"icmp eq i32 {masked}, {flags}"))
    unless(tests, "shapes")
    places, tests = [], []
    for base, tensor, _, _ in both:
        shape = field(base, SHAPE, "ptr")
        tests += [new(f"icmp eq i64 {field(shape, 8 * i, 'i64')}, {size}") for i, size in enumerate(tensor.shape)]
        begin = field(base, DATA, "i64")
        places.append((begin, new(f"add i64 {begin}, {prod(tensor.shape) * DTYPES[tensor.dtype]}")))
    apart = [new(f"icmp ule i64 {places[i][1]}, {places[1 - i][0]}") for i in (0, 1)]
    unless([*tests, new(f"or i1 {apart[0]}, {apart[1]}")], "right")
    code, *given = (field("%frame", 8 * (TYPES + word), "ptr") for word in range(3 if parts > 1 else POINTERS))
    both_at = (ready.place, field("%x", DATA, "ptr")), (WRITTEN, field("%out", DATA, "ptr"))
    if parts > 1:
        work, frames = given
        for frame in range(parts if ready.own else 1):
            for place, value in both_at:
                target = new(f"getelementptr ptr, ptr {frames}, i64 {POINTERS * frame + place}")
                lines.append(f"  store ptr {value}, ptr {target}")
        lines.append(f"  call void {code}(ptr %team, ptr {work})")
    else:
        given.insert(WRITTEN, "")
        for place, value in both_at:
            given[place] = value
        lines.append(f"  call void {code}({', '.join(f'ptr {g}' for g in given)}, i64 0, i64 0)")
    lines += ["  ret i32 1", "no:", "  ret i32 0"]
    head = "define i32 @entry(ptr %x, ptr %out, ptr %frame, ptr %team) nounwind {"
    return "\n".join([head, "start:", *lines, "}", ""])
