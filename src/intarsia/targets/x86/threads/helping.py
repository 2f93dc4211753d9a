"""The code of a helper: it waits, awake and then asleep, takes part in phases, and ends with its team."""

from __future__ import annotations

from intarsia.targets.x86.threads.layout import (
    ASLEEP,
    AWAKE,
    CALLED,
    CONDITION,
    ENDED,
    MUTEX,
    NOW,
    NUMBER,
    OPEN,
    ROUNDING,
    SIZE,
    THREAD,
    THREADS,
    field,
)

HELPING = f"""define internal ptr @words(ptr %team, i64 %thread) nounwind {{
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
define internal i1 @ended(ptr %team) nounwind {{
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
}}
define void @wait(ptr %team, i64 %thread) nounwind {{
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
{field("phase", "%team", NOW, "ptr")}
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
}}
define void @begin(ptr %team, i64 %threads) nounwind {{
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
}}"""
