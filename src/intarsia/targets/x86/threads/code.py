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
from intarsia.targets.x86.threads.work import (
    CODE,
    COUNT,
    CYCLES,
    EACH,
    FRAMES,
    HEAD,
    KIND,
    PARTS,
    PHASE,
    PHASES,
    POINTERS,
    STRIDE,
    WANTED,
)

LINE = 128
"""Bytes between words that different threads write: processors fetch cache lines in pairs."""
STATE, NOW, THREADS = 0, LINE, 2 * LINE
ROUNDING, LAST, ALONE, SIZE = (NOW + 8 * i for i in range(1, 5))
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
    return "\n".join([DECLARED, *map(_call, POINTERS), PAUSE, CALL, TAKE, WAKE, SHARE, SLEEP, WAIT, ENDS])


def _call(pointers: int) -> str:
    """A call on the addresses of a frame."""
    lines = [f"define internal void @call{pointers}(ptr %code, ptr %frame, i64 %first, i64 %last) nounwind {{"]
    for i in range(pointers):
        lines.append(f"  %at{i} = getelementptr i64, ptr %frame, i64 {i}")
        lines.append(f"  %a{i} = load ptr, ptr %at{i}")
    given = ", ".join(f"ptr %a{i}" for i in range(pointers))
    lines.append(f"  call void %code({given}, i64 %first, i64 %last)")
    return "\n".join([*lines, "  ret void", "}"])


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

PAUSE = f"""define internal void @pause(i64 %looks) nounwind {{
  call void @llvm.x86.sse2.pause()
  %some = urem i64 %looks, {PATIENCE}
  %patient = icmp ne i64 %some, 0
  br i1 %patient, label %done, label %others
others:
  %ignored = call i32 @sched_yield()
  br label %done
done:
  ret void
}}"""

CALL = f"""define internal void @call(i64 %kind, ptr %code, ptr %frame, i64 %first, i64 %last) nounwind {{
  %few = icmp eq i64 %kind, {POINTERS[0]}
  br i1 %few, label %less, label %more
less:
  call void @call{POINTERS[0]}(ptr %code, ptr %frame, i64 %first, i64 %last)
  ret void
more:
  call void @call{POINTERS[1]}(ptr %code, ptr %frame, i64 %first, i64 %last)
  ret void
}}"""

TAKE = f"""define internal void @take(ptr %team, ptr %phase, i64 %thread, i64 %number) noinline nounwind {{
start:
  %parts.at = getelementptr i64, ptr %phase, i64 {PARTS}
  %parts = load i64, ptr %parts.at
  %kind.at = getelementptr i64, ptr %phase, i64 {KIND}
  %kind = load i64, ptr %kind.at
  %code.at = getelementptr i64, ptr %phase, i64 {CODE}
  %code = load ptr, ptr %code.at
  %each.at = getelementptr i64, ptr %phase, i64 {EACH}
  %each = load ptr, ptr %each.at
  %count.at = getelementptr i64, ptr %phase, i64 {COUNT}
  %count = load i64, ptr %count.at
  %stride.at = getelementptr i64, ptr %phase, i64 {STRIDE}
  %stride = load i64, ptr %stride.at
  %frames.at = getelementptr i64, ptr %phase, i64 {FRAMES}
  %frames = load ptr, ptr %frames.at
  %offset = mul i64 %stride, %thread
  %frame = getelementptr i8, ptr %frames, i64 %offset
  %tag = shl i64 %number, 32
  br label %part
part:
  %others = phi i64 [0, %start], [%others.next, %empty]
  %before = phi ptr [%each, %start], [%before.now, %empty]
  %turned = add i64 %thread, %others
  %owner = urem i64 %turned, %parts
  %low = mul i64 %owner, %count
  %high = add i64 %low, %count
  %first = udiv i64 %low, %parts
  %last = udiv i64 %high, %parts
  %words = getelementptr i8, ptr %team, i64 {THREADS + TAKEN}
  %words.offset = mul i64 %owner, {THREAD}
  %word = getelementptr i8, ptr %words, i64 %words.offset
  br label %look
look:
  %before.now = phi ptr [%before, %part], [%before.now, %taking], [null, %range]
  %seen = load atomic i64, ptr %word monotonic, align 8
  %seen.tag = and i64 %seen, -{1 << 32}
  %known = icmp eq i64 %seen.tag, %tag
  %seen.taken = and i64 %seen, {(1 << 32) - 1}
  %taken = select i1 %known, i64 %seen.taken, i64 0
  %from = add i64 %first, %taken
  %some = icmp ult i64 %from, %last
  br i1 %some, label %taking, label %empty
taking:
  %left = sub i64 %last, %from
  %rounded = add i64 %left, 1
  %size = lshr i64 %rounded, 1
  %to = add i64 %from, %size
  %taken.next = add i64 %taken, %size
  %next = or i64 %taken.next, %tag
  %pair = cmpxchg ptr %word, i64 %seen, i64 %next monotonic monotonic
  %mine = extractvalue {{i64, i1}} %pair, 1
  br i1 %mine, label %first.range, label %look
first.range:
  %without = icmp eq ptr %before.now, null
  br i1 %without, label %range, label %preparing
preparing:
  call void @call(i64 %kind, ptr %before.now, ptr %frame, i64 0, i64 0)
  br label %range
range:
  call void @call(i64 %kind, ptr %code, ptr %frame, i64 %from, i64 %to)
  br label %look
empty:
  %others.next = add i64 %others, 1
  %more = icmp ult i64 %others.next, %parts
  br i1 %more, label %part, label %done
done:
  ret void
}}"""

WAKE = f"""define internal ptr @words(ptr %team, i64 %thread) nounwind {{
  %offset = mul i64 %thread, {THREAD}
  %words = getelementptr i8, ptr %team, i64 {THREADS}
  %own = getelementptr i8, ptr %words, i64 %offset
  ret ptr %own
}}
define internal void @rouse(ptr %words) nounwind {{
  %asleep = getelementptr i8, ptr %words, i64 {ASLEEP}
  %mutex = getelementptr i8, ptr %words, i64 {MUTEX}
  %condition = getelementptr i8, ptr %words, i64 {CONDITION}
  %locked = call i32 @pthread_mutex_lock(ptr %mutex)
  store atomic i64 0, ptr %asleep monotonic, align 8
  %signalled = call i32 @pthread_cond_signal(ptr %condition)
  %unlocked = call i32 @pthread_mutex_unlock(ptr %mutex)
  ret void
}}
define internal void @wake(ptr %team, i64 %parts, i64 %cycles) nounwind {{
start:
  br label %count
count:
  %i = phi i64 [1, %start], [%i.next, %counting]
  %any = phi i64 [0, %start], [%any.next, %counting]
  %some = icmp ult i64 %i, %parts
  br i1 %some, label %counting, label %counted
counting:
  %words = call ptr @words(ptr %team, i64 %i)
  %flag = getelementptr i8, ptr %words, i64 {ASLEEP}
  %asleep = load atomic i64, ptr %flag monotonic, align 8
  %any.next = or i64 %any, %asleep
  %i.next = add i64 %i, 1
  br label %count
counted:
  %nobody = icmp eq i64 %any, 0
  br i1 %nobody, label %done, label %worth
worth:
  %now = call i64 @llvm.readcyclecounter()
  %last.at = getelementptr i8, ptr %team, i64 {LAST}
  %last = load i64, ptr %last.at
  store i64 %now, ptr %last.at
  %gap = sub i64 %now, %last
  %follows = icmp ult i64 %gap, {TOGETHER}
  %alone.at = getelementptr i8, ptr %team, i64 {ALONE}
  %alone.before = load i64, ptr %alone.at
  %alone.kept = select i1 %follows, i64 %alone.before, i64 0
  %alone = add i64 %alone.kept, %cycles
  %long = icmp uge i64 %alone, {WAKING}
  %alone.after = select i1 %long, i64 0, i64 %alone
  store i64 %alone.after, ptr %alone.at
  br i1 %long, label %each, label %done
each:
  %k = phi i64 [1, %worth], [%k.next, %next]
  %more = icmp ult i64 %k, %parts
  br i1 %more, label %one, label %done
one:
  %own = call ptr @words(ptr %team, i64 %k)
  %own.flag = getelementptr i8, ptr %own, i64 {ASLEEP}
  %own.asleep = load atomic i64, ptr %own.flag monotonic, align 8
  %sleeps = icmp ne i64 %own.asleep, 0
  br i1 %sleeps, label %rousing, label %next
rousing:
  call void @rouse(ptr %own)
  br label %next
next:
  %k.next = add i64 %k, 1
  br label %each
done:
  ret void
}}"""

SHARE = f"""define internal void @forget(ptr %team) nounwind {{
start:
  %size.at = getelementptr i8, ptr %team, i64 {SIZE}
  %size = load i64, ptr %size.at
  br label %next
next:
  %i = phi i64 [0, %start], [%more, %next]
  %words = call ptr @words(ptr %team, i64 %i)
  %taken = getelementptr i8, ptr %words, i64 {TAKEN}
  store atomic i64 0, ptr %taken monotonic, align 8
  %more = add i64 %i, 1
  %on = icmp ult i64 %more, %size
  br i1 %on, label %next, label %done
done:
  ret void
}}
define internal void @phase(ptr %team, ptr %phase) nounwind {{
start:
  %state.before = atomicrmw add ptr %team, i64 {NUMBER} monotonic
  %number.before = udiv i64 %state.before, {NUMBER}
  %number.wide = add i64 %number.before, 1
  %number = and i64 %number.wide, {NUMBER - 1}
  %first = icmp eq i64 %number, 0
  br i1 %first, label %forget, label %begin
forget:
  call void @forget(ptr %team)
  br label %begin
begin:
  %parts.at = getelementptr i64, ptr %phase, i64 {PARTS}
  %parts = load i64, ptr %parts.at
  %alone = icmp eq i64 %parts, 1
  br i1 %alone, label %one, label %several
one:
  call void @take(ptr %team, ptr %phase, i64 0, i64 %number)
  ret void
several:
  %now = getelementptr i8, ptr %team, i64 {NOW}
  store ptr %phase, ptr %now
  %called = mul i64 %parts, {CALLED}
  %open = add i64 %called, {OPEN}
  %rounding = getelementptr i8, ptr %team, i64 {ROUNDING}
  call void @llvm.x86.sse.stmxcsr(ptr %rounding)
  %opened = atomicrmw add ptr %team, i64 %open release
  call void @take(ptr %team, ptr %phase, i64 0, i64 %number)
  %closed = atomicrmw sub ptr %team, i64 %open acq_rel
  br label %look
look:
  %looks = phi i64 [0, %several], [%more, %again]
  %state = load atomic i64, ptr %team acquire, align 8
  %inside = and i64 %state, {INSIDE}
  %empty = icmp eq i64 %inside, 0
  br i1 %empty, label %done, label %again
again:
  %more = add i64 %looks, 1
  call void @pause(i64 %more)
  br label %look
done:
  ret void
}}
define void @share(ptr %team, ptr %work) nounwind {{
start:
  %count.at = getelementptr i64, ptr %work, i64 {PHASES}
  %count = load i64, ptr %count.at
  %parts.at = getelementptr i64, ptr %work, i64 {WANTED}
  %parts = load i64, ptr %parts.at
  %cycles.at = getelementptr i64, ptr %work, i64 {CYCLES}
  %cycles = load i64, ptr %cycles.at
  %phases = getelementptr i64, ptr %work, i64 {HEAD}
  call void @wake(ptr %team, i64 %parts, i64 %cycles)
  br label %next
next:
  %i = phi i64 [0, %start], [%more, %next]
  %offset = mul i64 %i, {8 * PHASE}
  %phase = getelementptr i8, ptr %phases, i64 %offset
  call void @phase(ptr %team, ptr %phase)
  %more = add i64 %i, 1
  %on = icmp ult i64 %more, %count
  br i1 %on, label %next, label %done
done:
  ret void
}}"""

SLEEP = f"""define internal i1 @ended(ptr %team) nounwind {{
  %state = load atomic i64, ptr %team acquire, align 8
  %bit = and i64 %state, {ENDED}
  %is = icmp ne i64 %bit, 0
  ret i1 %is
}}
define internal void @sleep(ptr %team, ptr %words) nounwind {{
start:
  %asleep = getelementptr i8, ptr %words, i64 {ASLEEP}
  %mutex = getelementptr i8, ptr %words, i64 {MUTEX}
  %condition = getelementptr i8, ptr %words, i64 {CONDITION}
  %locked = call i32 @pthread_mutex_lock(ptr %mutex)
  store atomic i64 1, ptr %asleep monotonic, align 8
  br label %look
look:
  %flag = load atomic i64, ptr %asleep monotonic, align 8
  %roused = icmp eq i64 %flag, 0
  %over = call i1 @ended(ptr %team)
  %up = or i1 %roused, %over
  br i1 %up, label %done, label %still
still:
  %ignored = call i32 @pthread_cond_wait(ptr %condition, ptr %mutex)
  br label %look
done:
  %unlocked = call i32 @pthread_mutex_unlock(ptr %mutex)
  ret void
}}"""

WAIT = f"""define void @wait(ptr %team, i64 %thread) nounwind {{
start:
  %words = call ptr @words(ptr %team, i64 %thread)
  br label %begin
begin:
  %seen = phi i64 [0, %start], [%last, %tired]
  %now.first = call i64 @llvm.readcyclecounter()
  %until.first = add i64 %now.first, {AWAKE}
  br label %look
look:
  %last = phi i64 [%seen, %begin], [%last, %rest], [%last, %enter], [%number, %inside]
  %until = phi i64 [%until.first, %begin], [%until, %rest], [%until, %enter], [%until.next, %inside]
  %looks = phi i64 [0, %begin], [%looks.next, %rest], [%looks, %enter], [0, %inside]
  %state = load atomic i64, ptr %team acquire, align 8
  %ended.bit = and i64 %state, {ENDED}
  %ended = icmp ne i64 %ended.bit, 0
  br i1 %ended, label %end, label %on
on:
  %number = udiv i64 %state, {NUMBER}
  %other = icmp ne i64 %number, %last
  %open.bit = and i64 %state, {OPEN}
  %open = icmp ne i64 %open.bit, 0
  %some = and i1 %other, %open
  %called.bits = and i64 %state, {NUMBER - CALLED}
  %called = udiv i64 %called.bits, {CALLED}
  %wanted = icmp ult i64 %thread, %called
  %mine = and i1 %some, %wanted
  br i1 %mine, label %enter, label %rest
enter:
  %entered = add i64 %state, 1
  %pair = cmpxchg ptr %team, i64 %state, i64 %entered acq_rel monotonic
  %entering = extractvalue {{i64, i1}} %pair, 1
  br i1 %entering, label %inside, label %look
inside:
  %phase.at = getelementptr i8, ptr %team, i64 {NOW}
  %phase = load ptr, ptr %phase.at
  %rounding = getelementptr i8, ptr %team, i64 {ROUNDING}
  call void @llvm.x86.sse.ldmxcsr(ptr %rounding)
  call void @take(ptr %team, ptr %phase, i64 %thread, i64 %number)
  %left = atomicrmw sub ptr %team, i64 1 acq_rel
  %now.next = call i64 @llvm.readcyclecounter()
  %until.next = add i64 %now.next, {AWAKE}
  br label %look
rest:
  %looks.next = add i64 %looks, 1
  call void @pause(i64 %looks.next)
  %now = call i64 @llvm.readcyclecounter()
  %late = icmp ugt i64 %now, %until
  br i1 %late, label %tired, label %look
tired:
  call void @sleep(ptr %team, ptr %words)
  br label %begin
end:
  ret void
}}"""

ENDS = f"""define void @begin(ptr %team, i64 %threads) nounwind {{
start:
  %size.at = getelementptr i8, ptr %team, i64 {SIZE}
  store i64 %threads, ptr %size.at
  br label %next
next:
  %i = phi i64 [0, %start], [%more, %next]
  %words = call ptr @words(ptr %team, i64 %i)
  %mutex = getelementptr i8, ptr %words, i64 {MUTEX}
  %condition = getelementptr i8, ptr %words, i64 {CONDITION}
  %first = call i32 @pthread_mutex_init(ptr %mutex, ptr null)
  %second = call i32 @pthread_cond_init(ptr %condition, ptr null)
  %more = add i64 %i, 1
  %on = icmp ult i64 %more, %threads
  br i1 %on, label %next, label %done
done:
  ret void
}}
define void @end(ptr %team, i64 %threads) nounwind {{
start:
  %before = atomicrmw or ptr %team, i64 {ENDED} acq_rel
  br label %next
next:
  %i = phi i64 [0, %start], [%more, %next]
  %words = call ptr @words(ptr %team, i64 %i)
  call void @rouse(ptr %words)
  %more = add i64 %i, 1
  %on = icmp ult i64 %more, %threads
  br i1 %on, label %next, label %done
done:
  ret void
}}
"""
