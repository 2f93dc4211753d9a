"""Is every kind of bad input one clear message on stderr, exit code 2, and nothing else?"""

from __future__ import annotations

from pathlib import Path

import pytest

from intarsia.cli import main

HEAD = "f: i<4 ; j<2\n  o:int32[4] a:int8[4, 2] b:int8[2]\n  "
GOOD = "o[i] += a[i, j] * b[j]"


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("intarsia: ")
    return err.removeprefix("intarsia: ").removesuffix("\n")


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        (HEAD + "o[i] += a[i, z] * b[j]", "line 3, column 16: unknown axis 'z'; allowed: i, j", 3, 16),
        (
            HEAD + "o[i] += a[i*j, j] * b[j]",
            (
                "line 3, column 13: the subscript is not affine; "
                "allowed: sums of integer*axis and integers, such as 2*oh+kh-3"
            ),
            3,
            13,
        ),
        (
            HEAD.replace("i<4", "i<0") + GOOD,
            "line 1, column 6: extent of axis 'i' is 0; allowed: integers from 1 to 2147483647",
            1,
            6,
        ),
        (
            HEAD.replace("i<4", "i<-4") + GOOD,
            "line 1, column 6: extent of axis 'i' is -4; allowed: integers from 1 to 2147483647",
            1,
            6,
        ),
        (
            HEAD.replace("b:int8", "b:float32") + GOOD,
            (
                "line 3, column 21: dtype mismatch: 'b' is float32, 'o' is int32; "
                "allowed: integers with integers, floating with floating"
            ),
            3,
            21,
        ),
        (
            HEAD.replace("b:int8", "b:int7") + GOOD,
            "line 2, column 29: unknown dtype 'int7'; allowed: int8, uint8, int16, int32, float16, bfloat16, float32",
            2,
            29,
        ),
        (
            HEAD.replace("a:int8[4, 2]", "a:int8[65536, 65537]") + GOOD,
            (
                "line 2, column 16: tensor 'a' has 4295032832 bytes, beyond 32-bit addresses; "
                "allowed: at most 4294967296 bytes"
            ),
            2,
            16,
        ),
    ],
)
def test_an_operators_text_is_refused_at_its_column(
    text: str, message: str, line: int, column: int, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = text.splitlines()[line - 1]
    assert refused(capsys, "show", text) == f"{message}\n  {shown}\n  {' ' * (column - 1)}^"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("gemm:m=0,n=1,k=1", "gemm: m must be positive: 0; allowed: integers from 1"),
        ("gemm:m=-1,n=1,k=1", "gemm: m must be positive: -1; allowed: integers from 1"),
        ("gemm:m=x,n=1,k=1", "gemm, m: not an integer: 'x'; allowed: an integer such as 16"),
        ("gemm:m=1,n=1", "gemm: missing key: k; try: give m, n, k"),
        (
            "conv2d:n=1,c=3,h=2,w=2,k=64,r=7,s=7",
            (
                "conv2d: the kernel is larger than the padded input along h: 7 > 2; "
                "try: a smaller kernel or dilation, or more padding"
            ),
        ),
        ("deepbench:conv/inference_device/999", "deepbench:conv/inference_device: no such row: 999; allowed: 0 to 16"),
        ("nothing.onnx", "nothing.onnx: no such file"),
    ],
)
def test_a_spec_is_refused(spec: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "show", spec) == message


def test_a_misspelt_kind_gets_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(capsys, "show", "con2d:n=1")
    assert message.startswith("unknown kind, and no such file: con2d:n=1; allowed: add, ")
    assert message.endswith("; try: conv2d")


def test_a_misspelt_key_gets_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(capsys, "show", "conv2d:n=1,c=3,h=2,w=2,k=6,r=1,s=1,stirde=2")
    assert message.startswith("conv2d: unknown key: stirde; allowed: ")
    assert message.endswith("; try: stride")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x08\x07\x12\x07pytorch\x3a\xff\x7f", "Error parsing message with type 'onnx.ModelProto'"),
        (b"a text, not a model\n", "Error parsing message with type 'onnx.ModelProto'"),
        (b"", "it has no nodes"),
    ],
    ids=["cut off", "not ONNX", "empty"],
)
def test_what_is_no_onnx_file_is_refused(
    content: bytes, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(content)
    assert refused(capsys, "show", str(file)) == f"{file}: not an ONNX file, or cut off: {reason}"


def test_a_misspelt_instruction_gets_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(capsys, "instructions", "x86.vpdpbus")
    assert message.startswith("unknown instruction: x86.vpdpbus; allowed: amx.tdpbusd, ")
    assert message.endswith("; try: x86.vpdpbusd")


def test_an_instruction_file_is_refused_at_its_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("instruction my.dot4\ndot: l<4 ; j<4\n  c:int32[4] a:int8[4, 4]\n  c[l] += a[l, q]\n")
    message = refused(capsys, "instructions", str(file))
    assert message == f"{file}: line 4, column 16: unknown axis 'q'; allowed: j, l\n    c[l] += a[l, q]\n{' ' * 17}^"


def test_sizes_that_an_instruction_does_not_take_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(capsys, "instructions", "vta.gemm:3")
    assert message == "vta.gemm takes 3 sizes: 3; allowed: vta.gemm[:BATCHxBLOCK_INxBLOCK_OUT]"


@pytest.mark.parametrize("below", [".", "out", "out/deeper"])
def test_an_output_folder_that_cannot_be_written_is_refused(
    below: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    target = file / below
    message = refused(capsys, "compile", "gemm:m=2,n=3,k=5", "--target", "vta", "-o", str(target))
    assert message.startswith(f"{str(target)!r}: the output folder cannot be written (")
    assert message.endswith("is a file); try: a path that you may write to")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert file.read_text() == "mine"


def test_a_configuration_that_cannot_be_encoded_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"LOG_ACC_BUFF_SIZE": 20}')
    out = tmp_path / "out"
    message = refused(capsys, "compile", "gemm:m=2,n=3,k=5", "--target", "vta", "--config", str(config), "-o", str(out))
    assert message.startswith(f"{config}: ")
    assert not out.exists()


def test_an_unknown_target_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert refused(capsys, "compile", "gemm:m=2,n=3,k=5", "--target", "vtaa", "-o", str(out)) == (
        "unknown target: vtaa; allowed: vta"
    )
    assert not out.exists()
