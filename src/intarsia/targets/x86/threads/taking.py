"""The code with which every thread takes units: of its own part first, then what the others have not taken."""

from __future__ import annotations

from intarsia.targets.x86.threads.layout import PATIENCE, TAKEN, THREAD, THREADS, field
from intarsia.targets.x86.threads.work import CODE, COUNT, EACH, FRAMES, KIND, PARTS, POINTERS, STRIDE


def call(pointers: int) -> str:
    """A call on the addresses of a frame."""
    lines = [f"define internal void @call{pointers}(ptr %code, ptr %frame, i64 %first, i64 %last) nounwind {{"]
    for i in range(pointers):
        lines.append(f"  %at{i} = getelementptr i64, ptr %frame, i64 {i}")
        lines.append(f"  %a{i} = load ptr, ptr %at{i}")
    given = ", ".join(f"ptr %a{i}" for i in range(pointers))
    lines.append(f"  call void %code({given}, i64 %first, i64 %last)")
    return "\n".join([*lines, "  ret void", "}"])


TAKING = f"""define internal void @pause(i64 %looks) nounwind {{
  call void @llvm.x86.sse2.pause()
  %some = urem i64 %looks, {PATIENCE}
  %patient = icmp ne i64 %some, 0
  br i1 %patient, label %done, label %others
others:
  %ignored = call i32 @sched_yield()
  br label %done
done:
  ret void
}}
define internal void @call(i64 %kind, ptr %code, ptr %frame, i64 %first, i64 %last) nounwind {{
  %few = icmp eq i64 %kind, {POINTERS[0]}
  br i1 %few, label %less, label %more
less:
  call void @call{POINTERS[0]}(ptr %code, ptr %frame, i64 %first, i64 %last)
  ret void
more:
  call void @call{POINTERS[1]}(ptr %code, ptr %frame, i64 %first, i64 %last)
  ret void
}}
define internal void @take(ptr %team, ptr %phase, i64 %thread, i64 %number) noinline nounwind {{
start:
{field("parts", "%phase", PARTS, unit="i64")}
{field("kind", "%phase", KIND, unit="i64")}
{field("code", "%phase", CODE, "ptr", unit="i64")}
{field("each", "%phase", EACH, "ptr", unit="i64")}
{field("count", "%phase", COUNT, unit="i64")}
{field("stride", "%phase", STRIDE, unit="i64")}
{field("frames", "%phase", FRAMES, "ptr", unit="i64")}
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
