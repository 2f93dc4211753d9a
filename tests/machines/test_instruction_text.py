"""The text of an instruction: what is accepted, and the exact words when it is not."""

import re
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Bad:
    old: str
    new: str
    place: str
    what: str


BAD = [
    Bad("instruction my.dot4   # the name", "", "1:1 '# a comment'", "expected a line 'instruction NAME'"),
    Bad("my.dot4 ", "9dot ", "2:13 'instruction 9dot   # the name'", "'9dot' is not an instruction's name; {letters}"),
    Bad("my.dot4 ", "", "2:15 'instruction   # the name'", "expected the instruction's name; {letters}"),
    Bad("cycles 2", "cycles 2\ncycles 3", "10:1 'cycles 3'", "a second 'cycles' line"),
    Bad("cycles 2", "cycles 0", "9:8 'cycles 0'", "cycles is 0; allowed: integers from 1 to 999999999"),
    Bad("a=mem", "a:mem", "8:14 'memory c=zmm a:mem b=zmm'", "expected operand=memory, found 'a:mem'"),
    Bad("a=mem", "x=mem", "8:14 'memory c=zmm x=mem b=zmm'", "unknown operand 'x'; allowed: c, a, b"),
    Bad("a=mem", "c=m", "8:14 'memory c=zmm c=m b=zmm'", "operand 'c' has a memory already; allowed: c, a, b"),
    Bad("a[l, j] *", "a[l, q] *", "7:16 '  c[l] += a[l, q] * b[l, j]'", "unknown axis 'q'; allowed: j, l"),
    Bad(
        "a[l, j] *",
        "a[l+1, j] *",
        "7:11 '  c[l] += a[l+1, j] * b[l, j]'",
        "dimension 0 of a[l+1, j] runs from 1 to 16; allowed: 0 to 15",
    ),
    Bad(
        "a[l, j] *",
        "a[l, j] * a[l, j] *",
        "5:15 '  c:int32[16] a:uint8[16, 4]'",
        "operand 'a' is used 2 times in c[l] += a[l, j] * a[l, j] * b[l, j]; allowed: every operand exactly once",
    ),
    Bad(
        "b[l, j]\n",
        "b[l, j]\n  c[l] += a[l, j]\n",
        "8:3 '  c[l] += a[l, j]'",
        "an instruction is one statement, this has 2",
    ),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.what[:40])
def test_errors_point_at_their_place(bad):
    assert bad.old in GOOD
    with pytest.raises(InputError) as error:
        parse_instruction(GOOD.replace(bad.old, bad.new, 1), where="my.txt")
    line, column, shown = re.fullmatch(r"(\d+):(\d+) '(.*)'", bad.place).groups()
    what = bad.what.format(letters="allowed: letters, digits, '_' and '.'")
    caret = " " * (int(column) - 1) + "^"
    assert str(error.value) == f"my.txt: line {line}, column {column}: {what}\n  {shown}\n  {caret}"


def test_a_text_that_ends_early_points_at_its_end():
    with pytest.raises(InputError) as error:
        parse_instruction("instruction x\nx: i<2\n  o:int32[2] a:int8[2]\ncycles 1\n")
    assert str(error.value) == (
        "line 3, column 23: expected a statement such as O[i] += A[i, k] * B[k]\n"
        "    o:int32[2] a:int8[2]\n                        ^"
    )


def test_a_line_that_is_nothing_is_named():
    text = "instruction x\nfoo bar\nd: l<4 ; j<4\n c:int32[4] a:int8[4, 4]\n c[l] += a[l, j]"
    with pytest.raises(InputError) as error:
        parse_instruction(text, where="f.txt")
    allowed = "instruction, memory, cycles, ports, source, or the operator: axes, tensors, a statement"
    assert str(error.value) == f"f.txt: line 2, column 1: unknown line 'foo'; allowed: {allowed}\n  foo bar\n  ^"


def test_a_file_without_an_operator_says_what_is_missing():
    with pytest.raises(InputError) as error:
        parse_instruction("instruction x\ncycles 2")
    missing = "the operator that one call executes is missing: axes, tensors and a statement"
    assert str(error.value).startswith(f"line 2, column 1: {missing}; try: dot: l<16 ; j<4, then ")


def test_ports_are_read_and_printed_back():
    text = "instruction x\nd: l<4 ; j<4\n  c:int32[4] a:int8[4, 4]\n  c[l] += a[l, j]\nports read=128 write=64"
    instruction = parse_instruction(text)
    assert (instruction.read, instruction.write) == (128, 64)
    assert parse_instruction(str(instruction)) == instruction


@pytest.mark.parametrize("ports", ["read", "read=0", "read=-1", "write=x", "speed=3", "read=8 read=8"])
def test_ports_that_are_none_are_refused(ports):
    text = f"instruction x\nd: l<4 ; j<4\n  c:int32[4] a:int8[4, 4]\n  c[l] += a[l, j]\nports {ports}"
    with pytest.raises(InputError, match=r"line 5, column \d+: expected read=BYTES or write=BYTES, found"):
        parse_instruction(text)
