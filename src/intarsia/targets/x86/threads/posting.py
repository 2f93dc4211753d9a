"""The code of a caller: it wakes who sleeps where that is worth it, and posts phases one by one and shares in each."""

from __future__ import annotations

from intarsia.targets.x86.threads.layout import (
    ALONE,
    ASLEEP,
    CALLED,
    INSIDE,
    LAST,
    NOW,
    NUMBER,
    OPEN,
    ROUNDING,
    SIZE,
    TAKEN,
    TOGETHER,
    WAKING,
    field,
)
from intarsia.targets.x86.threads.work import CYCLES, HEAD, PARTS, PHASE, PHASES, WANTED

POSTING = f"""define internal void @wake(ptr %team, i64 %parts, i64 %cycles) nounwind {{
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
{field("last", "%team", LAST)}
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
}}
define internal void @forget(ptr %team) nounwind {{
start:
{field("size", "%team", SIZE)}
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
{field("parts", "%phase", PARTS, unit="i64")}
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
{field("count", "%work", PHASES, unit="i64")}
{field("parts", "%work", WANTED, unit="i64")}
{field("cycles", "%work", CYCLES, unit="i64")}
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
