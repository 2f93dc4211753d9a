"""Small modules that tests compile."""

from ctypes import c_void_p

from intarsia.targets.x86 import spelling


def add_one(value=1, name="f"):
    """A module of one function: the number at an address, plus a constant."""
    return f"""
define i64 @{name}(ptr %p) {{
  %v = load i64, ptr %p
  %w = add i64 %v, {value}
  ret i64 %w
}}
"""


def multiply(instruction, features):
    """A module of one function ``f(c, a, b)`` that is one call of an instruction on arrays in memory."""
    s = spelling(instruction, features)
    return f"""
{s.declaration}
define void @f(ptr %to, ptr %left, ptr %right) {{
  %c = load {s.accumulator}, ptr %to, align 1
  %a = load {s.factor}, ptr %left, align 1
  %b = load {s.factor}, ptr %right, align 1
{s.text("%d", "%c", "%a", "%b")}
  store {s.accumulator} %d, ptr %to, align 1
  ret void
}}
"""


def call(native, *arrays):
    """Call ``f`` on arrays."""
    native.function("f", None, *(c_void_p for _ in arrays))(*(a.ctypes.data for a in arrays))
