"""The text of an instruction: what is accepted, and the exact words when it is not."""

import pytest

from intarsia.ground.errors import InputError
from intarsia.machines import parse_instruction

GOOD = """\
# a comment
instruction my.dot4   # the name

dot4: l<16 ; j<4
  c:int32[16] a:uint8[16, 4]
  b:int8[16, 4]
  c[l] += a[l, j] * b[l, j]
memory c=zmm a=mem b=zmm
cycles 2
source a manual, section 3 # 4
source another manual
"""


def test_reads_every_part():
    instruction = parse_instruction(GOOD)
    assert instruction.name == "my.dot4"
    assert instruction.lanes == 64
    assert instruction.memories == (("c", "zmm"), ("a", "mem"), ("b", "zmm"))
    assert instruction.cycles == 2
    assert instruction.source == "a manual, section 3 # 4\nanother manual"


def test_prints_what_it_reads():
    instruction = parse_instruction(GOOD)
    assert parse_instruction(str(instruction)) == instruction
    assert str(instruction).splitlines()[:2] == ["instruction my.dot4", "dot4: l<16 ; j<4"]


def test_everything_but_the_operator_is_optional():
    instruction = parse_instruction("instruction x\nx: i<2\n o:int32[2] a:int8[2]\n o[i] += a[i]")
    assert (instruction.memories, instruction.cycles, instruction.source) == ((), 1, "")
    assert parse_instruction(str(instruction)) == instruction


def test_keywords_may_be_names_of_the_operator():
    text = "instruction x\nmemory: i<2\n source:int32[2]\n cycles:int8[2]\n source[i] += cycles[i]"
    assert parse_instruction(text).semantics.name == "memory"


def test_memories_follow_the_order_of_the_tensors():
    text = GOOD.replace("memory c=zmm a=mem b=zmm", "memory b=z c=y")
    assert parse_instruction(text).memories == (("c", "y"), ("b", "z"))


BAD = [
    ("instruction my.dot4   # the name", "", "line 1, column 1: expected a line 'instruction NAME'\n  # a comment\n  ^"),
    (
        "my.dot4 ",
        "9dot ",
        "line 2, column 13: '9dot' is not an instruction's name; allowed: letters, digits, '_' and '.'\n"
        "  instruction 9dot   # the name\n              ^",
    ),
    ("cycles 2", "cycles 2\ncycles 3", "line 10, column 1: a second 'cycles' line\n  cycles 3\n  ^"),
    (
        "cycles 2",
        "cycles 0",
        "line 9, column 8: cycles is 0; allowed: integers from 1 to 999999999\n  cycles 0\n         ^",
    ),
    (
        "a=mem",
        "a:mem",
        "line 8, column 14: expected operand=memory, found 'a:mem'\n"
        "  memory c=zmm a:mem b=zmm\n               ^",
    ),
    (
        "a=mem",
        "x=mem",
        "line 8, column 14: unknown operand 'x'; allowed: c, a, b\n  memory c=zmm x=mem b=zmm\n               ^",
    ),
    (
        "a=mem",
        "c=mem",
        "line 8, column 14: operand 'c' has a memory already; allowed: c, a, b\n"
        "  memory c=zmm c=mem b=zmm\n               ^",
    ),
    (
        "c[l] += a[l, j] *",
        "c[l] += a[l, q] *",
        "line 7, column 16: unknown axis 'q'; allowed: j, l\n    c[l] += a[l, q] * b[l, j]\n                 ^",
    ),
    (
        "c[l] += a[l, j] *",
        "c[l] += a[l+1, j] *",
        "line 7, column 11: dimension 0 of a[l+1, j] runs from 1 to 16; allowed: 0 to 15\n"
        "    c[l] += a[l+1, j] * b[l, j]\n            ^",
    ),
    (
        "c[l] += a[l, j] *",
        "c[l] +=",
        "line 5, column 15: operand 'a' is used 0 times in c[l] += b[l, j]; allowed: every operand exactly once\n"
        "    c:int32[16] a:uint8[16, 4]\n                ^",
    ),
    (
        "b[l, j]\n",
        "b[l, j]\n  c[l] += a[l, j]\n",
        "line 8, column 3: an instruction is one statement, this has 2\n    c[l] += a[l, j]\n    ^",
    ),
]


@pytest.mark.parametrize(("old", "new", "message"), BAD)
def test_errors_point_at_their_place(old, new, message):
    assert old in GOOD
    with pytest.raises(InputError) as error:
        parse_instruction(GOOD.replace(old, new, 1), where="my.txt")
    assert str(error.value) == f"my.txt: {message}"


def test_a_text_that_ends_early_points_at_its_end():
    with pytest.raises(InputError) as error:
        parse_instruction("instruction x\nx: i<2\n  o:int32[2] a:int8[2]\ncycles 1\n")
    assert str(error.value) == (
        "line 3, column 23: expected a statement such as O[i] += A[i, k] * B[k]\n"
        "    o:int32[2] a:int8[2]\n                        ^"
    )
