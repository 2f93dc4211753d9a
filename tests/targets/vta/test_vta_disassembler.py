"""The text of a program, against a golden one."""

from vta_programs import SMALL, layer

from intarsia.targets.vta import Alu, AluOp, Load, Memory, Stream, disassemble

GOLDEN = """\
0  load.uop   sram 0 dram 0 rows 1x4 stride 4
1  load.inp   sram 0 dram 512 rows 1x2 stride 2
2  load.wgt   sram 0 dram 1024 rows 1x2 stride 2  [push compute]
3  reset      uop 0:2 loop 1x1 dst 0,0 src 0,0 wgt 0,0
4  gemm       uop 0:2 loop 1x1 dst 0,0 src 0,0 wgt 0,0  [pop load]
5  alu.shr    uop 2:3 loop 1x2 dst 0,1 src 0,1 imm 3  [push store]
6  store      sram 0 dram 8192 rows 1x2 stride 2  [pop compute] [push compute]
7  finish       [pop store]
8  load.acc   sram 4 dram 9 rows 2x3 stride 5 pad y 1,2 x 3,4
9  load.inp   tokens only  [pop compute]
"""


def test_a_program():
    padded = Load(
        memory=Memory.ACC, sram_base=4, dram_base=9, y_size=2, x_size=3, x_stride=5,
        y_pad_0=1, y_pad_1=2, x_pad_0=3, x_pad_1=4,
    )  # fmt: skip
    stream = Stream.of(*layer(SMALL), padded, Load(memory=Memory.INP, pop_next=True))
    assert disassemble(stream) == GOLDEN


def test_a_register_operand():
    alu = Alu(alu_op=AluOp.ADD, uop_begin=0, uop_end=4, iter_out=2, iter_in=3, dst_out=1, src_in=2, push_prev=True)
    assert disassemble(Stream.of(alu)) == ("0  alu.add    uop 0:4 loop 2x3 dst 1,0 src 0,2 by acc  [push load]\n")


def test_an_empty_program():
    assert disassemble(Stream.of()) == ""
