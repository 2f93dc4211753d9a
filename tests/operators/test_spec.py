import subprocess
import sys

import pytest

from intarsia.ground.errors import InputError
from intarsia.operators import kinds, parse_operator, read_operator, row
from intarsia.operators.library import (
    conv1d,
    conv2d,
    conv3d,
    deconv1d,
    deconv2d,
    depthwise,
    einsum,
    elementwise,
    gemm,
    matmul,
    pool2d,
    reduce,
    scores,
    values,
)

INT8 = ("int8", "int8", "int8")
GOOD = {
    "conv2d:n=1,c=3,h=224,w=224,k=64,r=7,s=7,stride=2,pad=3": conv2d(
        c=3, h=224, w=224, k=64, r=7, s=7, stride=2, pad=3
    ),
    "conv2d: c=1, h=40, w=151, k=32, r=5, s=20, stride=2x8, pad=8x8": conv2d(
        c=1, h=40, w=151, k=32, r=5, s=20, stride=(2, 8), pad=8
    ),
    "conv2d:c=4,h=9,w=8,k=4,r=3,s=3,pad=1x2x3x4,dilation=1x2,groups=2": conv2d(
        c=4, h=9, w=8, k=4, r=3, s=3, pad=(1, 2, 3, 4), dilation=(1, 2), groups=2
    ),
    "conv2d:c=3,h=9,w=9,k=4,r=3,s=3,dtype=uint8": conv2d(
        c=3, h=9, w=9, k=4, r=3, s=3, dtypes=("uint8", "int8", "int32")
    ),
    "conv2d:c=3,h=9,w=9,k=4,r=3,s=3,x=uint8,weights=uint8,out=int16": conv2d(
        c=3, h=9, w=9, k=4, r=3, s=3, dtypes=("uint8", "uint8", "int16")
    ),
    "conv2d:c=3,h=9,w=9,k=4,r=3,s=3,dtype=float16": conv2d(
        c=3, h=9, w=9, k=4, r=3, s=3, dtypes=("float16", "float16", "float32")
    ),
    "conv1d:c=3,w=9,k=4,s=3,pad=1x2": conv1d(c=3, w=9, k=4, s=3, pad=(1, 2)),
    "conv3d:c=3,d=5,h=6,w=7,k=4,t=2,r=3,s=3": conv3d(c=3, d=5, h=6, w=7, k=4, t=2, r=3, s=3),
    "depthwise:c=8,h=9,w=9,r=3,s=3,m=2": depthwise(c=8, h=9, w=9, r=3, s=3, m=2),
    "deconv1d:c=3,w=4,k=5,s=4,stride=2": deconv1d(c=3, w=4, k=5, s=4, stride=2),
    "deconv2d:c=3,h=4,w=4,k=5,r=3,s=3,stride=2,pad=1,output_padding=1": deconv2d(
        c=3, h=4, w=4, k=5, r=3, s=3, stride=2, pad=1, output_padding=1
    ),
    "gemm:m=4,n=5,k=6": gemm(m=4, n=5, k=6),
    "gemm:m=4,n=5,k=6,ta=1,tb=false,dtype=uint8": gemm(m=4, n=5, k=6, ta=True, dtypes=("uint8", "int8", "int32")),
    "matmul:m=4,n=5,k=6,batch=2x1,batch_b=3,constant=b": matmul(
        m=4, n=5, k=6, batch=(2, 1), batch_b=(3,), constant="b"
    ),
    "maxpool2d:c=4,h=8,w=8,r=2,s=2": pool2d("maxpool2d", "max=", c=4, h=8, w=8, r=2, s=2),
    "maxpool2d:c=4,h=8,w=8,r=2,s=2,dtype=uint8": pool2d(
        "maxpool2d", "max=", c=4, h=8, w=8, r=2, s=2, dtypes=("uint8", "int8", "uint8")
    ),
    "avgpool2d:c=4,h=8,w=8,r=3,s=3,stride=1,pad=1": pool2d(
        "avgpool2d", "+=", c=4, h=8, w=8, r=3, s=3, stride=1, pad=1, dtypes=("int8", "int8", "int32")
    ),
    "add:shape=64x56x56": elementwise("add", shape=(64, 56, 56)),
    "max:shape=64x56,shape_b=56": elementwise("max", shape=(64, 56), shape_b=(56,), dtypes=INT8),
    "reduce.sum:shape=3x4x5,axes=0x2": reduce("sum", shape=(3, 4, 5), axes=(0, 2)),
    "reduce.max:shape=3x4x5,axes=-1,keep=yes": reduce("max", shape=(3, 4, 5), axes=(2,), keep=True, dtypes=INT8),
    "attention.scores:heads=8,kv_heads=2,q=4,k=5,d=6": scores(heads=8, kv_heads=2, q=4, k=5, d=6),
    "attention.values:heads=8,q=4,k=5,d=6,b=2": values(heads=8, q=4, k=5, d=6, b=2),
    "einsum:bij,bjk->bik;b=2,i=8,j=16,k=8": einsum("bij,bjk->bik", [(2, 8, 16), (2, 16, 8)]),
    "einsum:ij,jk;i=2,j=3,k=4,dtype=float16,constant=B": einsum(
        "ij,jk", [(2, 3), (3, 4)], ["float16"] * 2, "float32", ["B"]
    ),
    "deepbench:conv/inference_device/0": conv2d(c=1, h=40, w=151, k=32, r=5, s=20, stride=(2, 8), pad=8),
    "deepbench:gemm/inference_device/0": row("gemm/inference_device/0").operator,
}


@pytest.mark.parametrize("spec", GOOD)
def test_shorthands(spec):
    assert read_operator(spec) == GOOD[spec]


@pytest.mark.parametrize("spec", GOOD)
def test_every_shorthand_survives_its_text(spec):
    assert parse_operator(str(GOOD[spec])) == GOOD[spec]
    assert read_operator(str(GOOD[spec])) == GOOD[spec]


def test_every_kind_is_tried_here():
    assert {spec.split(":")[0] for spec in GOOD} | {"minpool2d", "mul", "min", "reduce.min"} == set(kinds())


def test_a_file_holds_a_text(tmp_path):
    path = tmp_path / "layer.txt"
    path.write_text(str(gemm(m=4, n=5, k=6)) + "\n")
    assert read_operator(str(path)) == gemm(m=4, n=5, k=6)


def test_an_error_in_a_file_names_it(tmp_path):
    path = tmp_path / "layer.txt"
    path.write_text("x: i<0\n")
    with pytest.raises(InputError) as caught:
        read_operator(str(path))
    assert str(caught.value).startswith(f"{path}: line 1, column 6: extent of axis 'i' is 0; allowed: integers from 1")
    assert str(caught.value).endswith("\n  x: i<0\n       ^")


def test_a_file_that_is_no_text(tmp_path):
    path = tmp_path / "layer.bin"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read as an operator's text: 'utf-8' codec can't decode"):
        read_operator(str(path))


CONV = "conv2d:c=3,h=9,w=9,k=4,r=3,s=3"
BAD = {
    "conv2:c=3": "unknown kind, and no such file: conv2:c=3; allowed: add, attention.scores",
    "covn2d:c=3": "try: conv2d",
    "nowhere.txt": "unknown kind, and no such file: nowhere.txt",
    "a\0b": "unknown kind, and no such file",
    "long" * 5000: "unknown kind, and no such file",
    "": "unknown kind, and no such file",
    f"{CONV},strid=2": "conv2d: unknown key: strid; allowed: c, h, w, k, r, s, n, stride, pad, dilation, "
    "groups, dtype, x, weights, out; try: stride",
    "conv2d:c=3,h=9,w=9,k=4,r=3": "conv2d: missing key: s; try: give c, h, w, k, r, s",
    "conv2d:": "conv2d: missing key: c; try: give c, h, w, k, r, s",
    f"{CONV},c=3": "conv2d: the key is given twice: c",
    f"{CONV},n": "conv2d: expected key=value: n",
    f"{CONV},n=two": "conv2d, n: not an integer: 'two'; allowed: an integer such as 16",
    f"{CONV},n=1.5": "conv2d, n: not an integer: '1.5'",
    f"{CONV},n=": "conv2d, n: not an integer: ''",
    f"{CONV},n={'9' * 5000}": f"conv2d, n: the integer is too large: {'9' * 40}; allowed: up to 2147483647",
    "gemm:m=99999999999999999999": "gemm, m: the integer is too large: 99999999999999999999; allowed: up to 2147483647",
    "gemm:m=1,n=1,k": "out; try: k=16",
    "conv2d": "conv2d: a colon and sizes are missing; try: conv2d:c=16,h=16,w=16,k=16,r=16,s=16",
    "einsum": "einsum: a colon and sizes are missing; try: einsum:bij,bjk->bik;b=2,i=8,j=16,k=8",
    ".": "'.': it is a folder; allowed: an operator's text, a file, a shorthand",
    "einsum:mk,kn->mn": "einsum: missing extents: m, k, n; try: einsum:mk,kn->mn;m=16,k=16,n=16",
    "deepbench:rnn/0": "deepbench: unknown kind: rnn; allowed: conv, gemm; try: conv/inference_device/3",
    f"{CONV},n=0": "conv2d: n must be positive: 0; allowed: integers from 1",
    f"{CONV},n=-2": "conv2d: n must be positive: -2; allowed: integers from 1",
    f"{CONV},stride=2x": "conv2d, stride: not an integer: ''",
    f"{CONV},dtype=int9": "conv2d, dtype: unknown dtype: int9; allowed: int8, uint8, int16, int32, float16, bfloat16",
    f"{CONV},weights=float16": "dtype mismatch: 'W' is float16, 'O' is int32",
    f"{CONV},groups=2": "conv2d: groups do not divide c: 3 / 2",
    f"{CONV},dilation=5": "conv2d: the kernel is larger than the padded input along h: 11 > 9",
    f"{CONV},n=99999999": "beyond 32-bit addresses; allowed: at most 4294967296 bytes",
    "gemm:m=1,n=1,k=1,ta=perhaps": "gemm, ta: not a switch: perhaps; allowed: 0, false, no, 1, true, yes",
    "einsum:ij->i;i=2": "einsum: missing extent: j; try: einsum:ij->i;i=2,j=16",
    "einsum:ij->i;i=2,q=3": "einsum: unknown key: q=3; allowed: i, j, dtype, out, constant",
    "einsum:ij->i;i=2,j=x": "einsum, j: not an integer: 'x'",
    "einsum:ij->i;i=2,j=0": "einsum: j must be positive: 0; allowed: integers from 1",
    "einsum:ij->i;i=2,j=2,dtype=int9": "einsum: unknown dtype: int9; allowed: int8",
    "einsum:": "einsum: not an einsum equation; try: bij,bjk->bik",
    "deepbench:conv": "deepbench: not a row of DeepBench: conv; allowed: kind/set/index; try: conv/inference_device/3",
    "deepbench:conf/training/1": "deepbench: unknown kind: conf; allowed: conv, gemm",
    "deepbench:conv/inference_devic/3": "deepbench:conv: unknown set: inference_devic; allowed: training, "
    "inference_server, inference_device, inference, all; try: inference_device",
    "deepbench:conv/inference_device/17": "deepbench:conv/inference_device: no such row: 17; allowed: 0 to 16",
    "deepbench:conv/inference_device/x": "deepbench:conv/inference_device: no such row: x; allowed: 0 to 16",
}


@pytest.mark.parametrize("spec", BAD, ids=[spec[:60] for spec in BAD])
def test_bad_specs_are_refused(spec):
    with pytest.raises(InputError) as caught:
        read_operator(spec)
    assert BAD[spec] in str(caught.value)


def test_the_room_imports_no_heavy_library():
    code = "import sys, intarsia.operators; print(sorted({'numba', 'onnx', 'ml_dtypes'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
