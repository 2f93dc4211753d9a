"""The code that shares work: who posts it, and who waits for it.

A team's memory is a few words for all and for each thread, all on cache lines of their own. The state holds how many
threads are inside of the phase, whether it is open, whether the team has ended, and above them the phase's number,
which grows. A thread enters by raising the number inside of an open state, which fails once the phase was closed; the
caller closes it when no unit is left, and waits only for those that are inside. So nobody waits for a thread that has
not come, because it sleeps or has no core: its share is done by the others. Floats are rounded as the caller rounds.

Each thread has a part of the units, the same one every time, so that what it reads and writes stays in its caches. It
takes half of what is left of it, one unit at least, then half of that, and at last, from the parts of the others,
what these have not taken: few, large ranges at first, so that neighbours stay together, and small ones at the end, so
that all are ready at the same time. How much is taken of a part stands in a word of the part's own, beside the
number of the phase: that of another phase means nothing, so that nobody has to begin by writing all of them, except
where numbers begin again.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

from intarsia.targets.x86.engine import Engine
from intarsia.targets.x86.threads.helping import HELPING
from intarsia.targets.x86.threads.posting import POSTING
from intarsia.targets.x86.threads.taking import TAKING, call
from intarsia.targets.x86.threads.work import POINTERS

DECLARED = """declare void @llvm.x86.sse2.pause()
declare void @llvm.x86.sse.stmxcsr(ptr)
declare void @llvm.x86.sse.ldmxcsr(ptr)
declare i64 @llvm.readcyclecounter()
declare i32 @sched_yield()
declare i32 @pthread_mutex_init(ptr, ptr)
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_init(ptr, ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_signal(ptr)"""


class Code:
    """Functions on a team's memory; each lets go of the interpreter's lock.

    Attributes:
        begin: memory, threads: makes the memory ready, which was zeros.
        share: memory, work: does it with whoever comes, and returns when all is done.
        share_at: where that function begins.
        wait: memory, thread: takes part in works until the team ends.
        end: memory, threads: ends the team.
    """

    def __init__(self, engine: Engine) -> None:
        native = engine.compile(module_of())
        pointer, number = ctypes.c_void_p, ctypes.c_int64
        self.begin: Callable[..., None] = native.function("begin", None, pointer, number)
        self.share: Callable[..., None] = native.function("share", None, pointer, pointer)
        self.share_at = native.address("share")
        self.wait: Callable[..., None] = native.function("wait", None, pointer, number)
        self.end: Callable[..., None] = native.function("end", None, pointer, number)


def module_of() -> str:
    """The module."""
    return "\n".join([DECLARED, *map(call, POINTERS), TAKING, HELPING, POSTING])
