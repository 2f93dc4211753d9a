"""A team's memory: where its words are, and how long its threads wait."""

from __future__ import annotations

LINE = 128
"""Bytes between words that different threads write: processors fetch cache lines in pairs."""
STATE, NOW, THREADS = 0, LINE, 2 * LINE
"""Where a team's memory has the state; what only the caller writes, first of all the phase; and the threads' words."""
ROUNDING, LAST, ALONE, SIZE = (NOW + 8 * i for i in range(1, 5))
"""More that only the caller writes: how it rounds floats, when it last found somebody asleep, how many cycles of work
it has done since without waking them, and how many threads there are."""
TAKEN, ASLEEP, MUTEX, CONDITION, THREAD = 0, LINE, LINE + 8, LINE + 72, 3 * LINE
"""Where a thread's words are: how much is taken of its part, whether it sleeps, what it sleeps with; and all bytes."""
INSIDE, OPEN, ENDED, CALLED, NUMBER = 0xFFF, 1 << 12, 1 << 13, 1 << 16, 1 << 32
"""Parts of the state; between the last two stands how many threads may take part."""
MOST = 0xFFF
"""Threads, at most."""
AWAKE = 1 << 22
"""Ticks of the processor's time stamp that a thread waits awake: one to two milliseconds, as libraries do."""
PATIENCE = 1 << 11
"""Looks at the state, 50 to 150 us of them, after which somebody who waits lets others have the core: perhaps the very
thread that is waited for."""
WAKING = 1 << 18
"""Cycles of work that are worth waking a thread: it takes the caller 20 to 40 us in a virtual machine."""
TOGETHER = 1 << 23
"""Ticks between two works that follow each other: who was woken for one would sleep again before a later one."""


def memory_of(threads: int) -> int:
    """Bytes of the memory of a team."""
    return THREADS + THREAD * threads


def field(name: str, base: str, offset: int, kind: str = "i64", *, unit: str = "i8") -> str:
    """Two lines of code that read a word into ``%name``.

    Args:
        name: of the value.
        base: where counting begins.
        offset: how many units from there.
        kind: of the word.
        unit: a type.
    """
    return f"""  %{name}.at = getelementptr {unit}, ptr {base}, i64 {offset}
  %{name} = load {kind}, ptr %{name}.at"""
