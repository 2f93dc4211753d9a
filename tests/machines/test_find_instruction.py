"""What a user may type for an instruction, and what is said when it is not one."""

import pytest

from intarsia.ground.errors import InputError
from intarsia.machines import Entry, Size, catalogue, find_instruction


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("vta.gemm", "vta.gemm"),
        ("vta.gemm:1x16x16", "vta.gemm"),
        ("vta.gemm:16x16x16", "vta.gemm:16x16x16"),
        ("dot:64", "dot:64"),
        ("dot:64,int8", "dot:64"),
        ("dot:64,uint8", "dot:64,uint8"),
        ("systolic:128x64,int8", "systolic:128x64,int8"),
    ],
)
def test_names_are_canonical(spec, name):
    assert find_instruction(spec).name == name


def test_vta_gemm_sizes_are_batch_in_out():
    axes = find_instruction("vta.gemm:2x4x8").semantics.axes
    assert [(a.name, a.extent, a.role) for a in axes] == [
        ("b", 2, "parallel"),
        ("n", 8, "parallel"),
        ("k", 4, "reduction"),
    ]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("vta.gem", "unknown instruction: vta.gem; allowed: {all}; try: vta.gemm[:BATCHxBLOCK_INxBLOCK_OUT]"),
        ("", "unknown instruction: ''; allowed: {all}"),
        ("vta.gemm:16", "vta.gemm takes 3 sizes: 16; allowed: vta.gemm[:BATCHxBLOCK_INxBLOCK_OUT]"),
        ("vta.gemm:0x16x16", "size BATCH of vta.gemm is 0; allowed: BATCH from 1 to 256"),
        ("vta.gemm:ax16x16", "vta.gemm takes 3 sizes: ax16x16; allowed: vta.gemm[:BATCHxBLOCK_INxBLOCK_OUT]"),
        ("dot", "dot takes 1 size: none given; allowed: dot:N[,int8]"),
        (
            "dot:4,int32",
            "dot has no such element type: 4,int32; allowed: int8, uint8, int16, float16, bfloat16, float32",
        ),
        ("vta.gemm:1x16x16,int8", "vta.gemm has no such element type: 1x16x16,int8; allowed: {gemm}"),
        ("arm.sdot:4", "arm.sdot takes no sizes: 4; allowed: arm.sdot"),
        ("amx.tdpbusd:16x16x62", "size K of amx.tdpbusd is 62; allowed: K from 4 to 64, multiples of 4"),
        ("systolic:4096x4097", "size D of systolic is 4097; allowed: D from 1 to 4096"),
        ("no/such/file", "no/such/file: instruction file not found"),
        ("missing.txt", "missing.txt: instruction file not found"),
    ],
)
def test_errors(spec, message):
    with pytest.raises(InputError) as error:
        find_instruction(spec)
    names = ", ".join(catalogue()) + ", or a path to an instruction file"
    assert str(error.value) == message.format(all=names, gemm="vta.gemm[:BATCHxBLOCK_INxBLOCK_OUT]")


@pytest.mark.parametrize("spec", ["x" * 5000, "a\0b", "x" * 5000 + "/y"])
def test_what_cannot_be_a_path_is_an_input_error(spec):
    with pytest.raises(InputError, match=r"unknown instruction|instruction file not found"):
        find_instruction(spec)


def test_too_many_lanes():
    entry = Entry("big", "", str, (Size("A"), Size("B"), Size("C")))
    with pytest.raises(InputError, match="big:4096x4096x2 has 33554432 lanes; allowed: up to 16777216"):
        entry.instruction("4096x4096x2")


TEXT = "instruction my.add\nadd: l<4\n  d:int32[4] s:int32[4]\n  d[l] += s[l]\n"


def test_a_file(tmp_path):
    path = tmp_path / "add.txt"
    path.write_text(TEXT)
    assert find_instruction(str(path)).name == "my.add"


def test_a_file_with_an_error_names_the_file(tmp_path):
    path = tmp_path / "add.txt"
    path.write_text(TEXT.replace("d[l] +=", "d[l] -="))
    with pytest.raises(InputError) as error:
        find_instruction(str(path))
    assert str(error.value).startswith(f"{path}: line 4, column 8: expected a combining operator")


def test_a_folder(tmp_path):
    with pytest.raises(InputError) as error:
        find_instruction(str(tmp_path))
    assert str(error.value) == f"'{tmp_path}': it is a folder; allowed: an instruction's name or file"


def test_a_binary_file(tmp_path):
    path = tmp_path / "x.bin"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError) as error:
        find_instruction(str(path))
    assert str(error.value) == f"{path}: is not a text file; allowed: UTF-8 text"


def test_a_large_file(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("#" * 70_000)
    with pytest.raises(InputError) as error:
        find_instruction(str(path))
    assert str(error.value) == f"{path}: too large for an instruction file; allowed: 65536 bytes"
