"""Loops whose only work is what is measured, as modules: an instruction's calls, loads, stores, a chain of additions.

Every loop is a function ``f(ptr data, i64 n, i64 size)`` of n rounds over data of some bytes. What it reads and writes
is volatile or comes from memory, so that the optimiser can neither leave it out nor move it out of the loop.
"""

from __future__ import annotations

from intarsia.machines import find_instruction
from intarsia.targets.x86.intrinsics import Spelling

ACCUMULATORS = 12
"""Independent chains: more than latency (5 cycles at most) times two calls a cycle; 16 registers hold them."""
ACCESSES = 16
"""Vectors that a round of a loop over memory reads or writes."""
CHAIN = 64
"""Dependent additions in a round."""

TWO_INSTRUCTIONS = "x86.vpmaddwd.ymm"
"""Its product does not depend on the sum; one factor is read anew, or the product would be taken only once."""


def calls(spelling: Spelling) -> tuple[str, int]:
    """A loop of calls of an instruction on registers, and how many calls a round makes.

    The data are the accumulators, then two factors; they are written back at the end.
    """
    acc, factor, size = spelling.accumulator, spelling.factor, bytes_of(spelling)
    each = range(ACCUMULATORS)
    again = spelling.name == TWO_INSTRUCTIONS
    start = "\n".join(
        f"  %p{k} = getelementptr i8, ptr %data, i64 {k * size}\n  %s{k} = load {acc}, ptr %p{k}, align 1" for k in each
    )
    phis = "\n".join(f"  %c{k} = phi {acc} [%s{k}, %entry], [%d{k}, %loop]" for k in each)
    reads = [f"  %a{k} = load volatile {factor}, ptr %left, align 1\n" if again else "" for k in each]
    body = "\n".join(reads[k] + spelling.text(f"%d{k}", f"%c{k}", f"%a{k}" if again else "%a", "%b") for k in each)
    stores = "\n".join(f"  store {acc} %d{k}, ptr %p{k}, align 1" for k in each)
    text = f"""{spelling.declaration}
define void @f(ptr %data, i64 %n, i64 %size) {{
entry:
{start}
  %left = getelementptr i8, ptr %data, i64 {ACCUMULATORS * size}
  %right = getelementptr i8, ptr %data, i64 {(ACCUMULATORS + 1) * size}
  %a = load {factor}, ptr %left, align 1
  %b = load {factor}, ptr %right, align 1
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
{phis}
{body}
{_closing()}
{stores}
  ret void
}}
"""
    return text, ACCUMULATORS


def accesses(vector: int, *, store: bool) -> tuple[str, int]:
    """A loop that loads or stores vectors one after the other, from the first again after the last.

    Args:
        vector: bytes of a vector; the data begin at a multiple of them.
        store: store instead of load.

    Returns:
        The module, and the bytes of a round, of which the size of the data is a multiple.
    """
    kind = f"<{vector} x i8>"
    step = vector * ACCESSES
    act = f"store volatile {kind} zeroinitializer, ptr" if store else f"load volatile {kind}, ptr"
    body = "\n".join(
        f"  %q{k} = getelementptr i8, ptr %p, i64 {k * vector}\n"
        + (f"  {act} %q{k}, align {vector}" if store else f"  %v{k} = {act} %q{k}, align {vector}")
        for k in range(ACCESSES)
    )
    text = f"""
define void @f(ptr %data, i64 %n, i64 %size) {{
entry:
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
  %offset = phi i64 [0, %entry], [%wrapped, %loop]
  %p = getelementptr i8, ptr %data, i64 %offset
{body}
  %advanced = add i64 %offset, {step}
  %ended = icmp uge i64 %advanced, %size
  %wrapped = select i1 %ended, i64 0, i64 %advanced
{_closing()}
  ret void
}}
"""
    return text, step


def chain() -> tuple[str, int]:
    """A loop of dependent integer operations of one cycle each, and how many a round has."""
    steps = "\n".join(f"  %x{k + 1} = {'xor' if k % 2 else 'add'} i64 %x{k}, %y" for k in range(CHAIN))
    text = f"""
define void @f(ptr %data, i64 %n, i64 %size) {{
entry:
  %y = load i64, ptr %data
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
  %x0 = phi i64 [0, %entry], [%x{CHAIN}, %loop]
{steps}
{_closing()}
  store i64 %x{CHAIN}, ptr %data
  ret void
}}
"""
    return text, CHAIN


def bytes_of(spelling: Spelling) -> int:
    """Bytes of a register of an instruction."""
    return find_instruction(spelling.name).write


def _closing() -> str:
    return """  %next = add i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %done
done:"""
