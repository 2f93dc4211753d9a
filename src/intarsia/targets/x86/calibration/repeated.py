"""How long kernels take, called by machine code: small ones take less time than a call from Python."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from math import ceil, inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.targets.x86.engine import Engine
from intarsia.targets.x86.lowering import Bound
from intarsia.targets.x86.measure import fastest

Array = NDArray[Any]
POINTERS = 8
"""That a kernel takes, before its range."""
ROUNDS, TIMES = 6, 4
"""Rounds over all kernels, and times that each is timed in a round; its fastest time counts. Rounds lie apart, so that
what disturbs one kernel for some milliseconds does not disturb all times of it."""
SHORTEST = 0.0002
"""Seconds of a time at least: small kernels run often in it."""


class Repeated:
    """A kernel with its arrays, that runs again and again."""

    def __init__(self, bound: Bound, arrays: Mapping[str, Array], out: Array, engine: Engine) -> None:
        self._held = bound, arrays, out
        self._frame = np.array(bound.pointers(arrays, out), np.uint64)
        self._code = bound.kernel.native.address("whole")
        native = engine.compile(_text())
        self._call = native.function("repeat", None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)

    def __call__(self, times: int) -> None:
        """Run so many times."""
        self._call(self._code, self._frame.ctypes.data, times)


def seconds_of(kernels: Sequence[Repeated]) -> list[float]:
    """Seconds of each kernel's fastest run on the core that this thread is on."""
    times = []
    for kernel in kernels:
        kernel(1)  # the first run is slower than all others
        times.append(max(1, ceil(SHORTEST / fastest(lambda: kernel(1), runs=2, seconds=0.0))))  # noqa: B023 (at once)
    found = [inf] * len(kernels)
    for _ in range(ROUNDS):
        for i, (kernel, count) in enumerate(zip(kernels, times, strict=True)):
            seconds = fastest(lambda: kernel(count), runs=TIMES, seconds=0.0) / count  # noqa: B023 (called at once)
            found[i] = min(found[i], seconds)
    return found


def _text() -> str:
    fields = "".join(
        f"  %f{i} = getelementptr i8, ptr %frame, i64 {8 * i}\n  %p{i} = load ptr, ptr %f{i}\n" for i in range(POINTERS)
    )
    given = ", ".join(f"ptr %p{i}" for i in range(POINTERS))
    return f"""define void @repeat(ptr %code, ptr %frame, i64 %times) nounwind {{
start:
{fields}  br label %again
again:
  %i = phi i64 [0, %start], [%next, %again]
  call void %code({given}, i64 0, i64 0)
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %times
  br i1 %more, label %again, label %end
end:
  ret void
}}
"""
