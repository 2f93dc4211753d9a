"""Can another implementation of VTA execute a folder, check it, and repack it for other inputs?"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from folder_machine import execute, repack

from intarsia.flow.vta import Options, compile_to_folder, compile_vta
from intarsia.ground import InputError
from intarsia.operators import evaluate, read_operator
from intarsia.targets.vta import VtaConfig
from intarsia.targets.vta.folder import WrongProgramError, write_folder

DEFAULT = VtaConfig.default()
BATCH16 = VtaConfig.named("batch16")
WIDE = VtaConfig(log_block_in=3, log_block_out=5, log_acc_buffer=16)

CASES = [
    ("conv2d:n=1,c=3,h=12,w=11,k=20,r=3,s=3,pad=1", DEFAULT),
    ("conv2d:n=2,c=5,h=9,w=9,k=7,r=5,s=3,stride=2,pad=2", DEFAULT),
    ("conv2d:n=1,c=33,h=7,w=7,k=17,r=3,s=3,pad=1", DEFAULT),
    ("conv2d:n=1,c=8,h=9,w=9,k=16,r=3,s=3,dilation=2,groups=4", DEFAULT),
    ("depthwise:n=1,c=18,h=8,w=8,r=3,s=3,pad=1", DEFAULT),
    ("deconv2d:n=1,c=3,h=4,w=5,k=6,r=3,s=3,stride=2,pad=1", DEFAULT),
    ("conv1d:n=1,c=1,w=40,k=5,s=11,pad=3", DEFAULT),
    ("conv3d:n=1,c=2,d=4,h=5,w=5,k=16,t=3,r=2,s=2", DEFAULT),
    ("gemm:m=35,n=13,k=50", DEFAULT),
    ("matmul:m=1,n=1,k=1", DEFAULT),
    ("attention.scores:b=2,heads=2,q=5,k=7,d=10", DEFAULT),
    ("einsum:ij,jk->ik;i=5,j=20,k=19,out=int8", DEFAULT),
    ("conv2d:n=1,c=3,h=10,w=10,k=9,r=3,s=3,pad=1", BATCH16),
    ("gemm:m=20,n=33,k=17,ta=1", BATCH16),
    ("conv2d:n=1,c=3,h=10,w=10,k=9,r=3,s=3,pad=1", WIDE),
    ("maxpool2d:n=1,c=5,h=9,w=9,r=3,s=3,stride=2,pad=1", DEFAULT),
    ("min:shape=3x21", DEFAULT),
]
FILES = ["expected.npy", "inputs.npz", "manifest.json", "memory.bin", "output_index.npy", "program.bin"]


def compiled(spec: str, config: VtaConfig, folder: Path, **options):
    return compile_to_folder(read_operator(spec), Options(config, **options), folder)


def test_the_fixed_embedding_too(tmp_path):
    for number, (spec, config) in enumerate([CASES[1], CASES[8], CASES[12]]):
        answer = compiled(spec, config, tmp_path / str(number), fixed=True)
        assert answer.fixed
        assert np.array_equal(execute(answer.folder), np.load(answer.folder / "expected.npy"))


@pytest.mark.parametrize(("spec", "config"), CASES)
def test_another_implementation_executes_and_repacks_the_folder(spec, config, tmp_path):
    answer = compiled(spec, config, tmp_path / "out")
    assert sorted(file.name for file in answer.folder.iterdir()) == FILES
    assert dict(answer.files) == {file.name: file.stat().st_size for file in answer.folder.iterdir()}
    expected = np.load(answer.folder / "expected.npy")
    assert expected.dtype == np.int8
    assert np.array_equal(execute(answer.folder), expected)
    _regions_are_in_order(answer.folder)
    _other_inputs(spec, answer.folder)


def _regions_are_in_order(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    memory = np.fromfile(folder / "memory.bin", dtype=np.uint8)
    regions = {r["name"]: (r["address"], r["bytes"]) for r in manifest["regions"]}
    steps = {step["region"]: step for step in manifest["layout"]}
    assert not memory[:4096].any()
    after = 4096
    for name, (address, size) in sorted(regions.items(), key=lambda item: item[1]):
        element = steps.get(name, {}).get("element_bytes", 4)
        assert address >= after
        assert address % 4096 == 0
        assert address % element == 0
        after = address + size
    assert after <= len(memory)
    address, size = regions["out"]
    assert (memory[address : address + size] == 0xA5).all()
    index = np.load(folder / "output_index.npy")
    assert address <= index.min()
    assert index.max() < address + size
    assert len(np.unique(index)) == index.size


def _other_inputs(spec: str, folder: Path) -> None:
    """The manifest alone says how to repack; the same inputs give the same bytes of inputs and weights."""
    manifest = json.loads((folder / "manifest.json").read_text())
    given = dict(np.load(folder / "inputs.npz"))
    assert np.array_equal(execute(folder, repack(folder, given)), np.load(folder / "expected.npy"))
    rng = np.random.default_rng(7)
    limits = {"x": 128, "w": 16, "bias": 1 << 8}  # so that few outputs are clipped
    other = {n: rng.integers(-limits[n], limits[n], a.shape).astype(a.dtype) for n, a in given.items()}
    operator = read_operator(spec)
    named = {step["tensor"]: other[step["array"]] for step in manifest["layout"] if step.get("array") in ("x", "w")}
    acc = evaluate(operator, named)[operator.outputs[0].name]
    wanted = acc.astype(np.int8)
    if manifest["epilogue"] is not None:
        dims = [size if d in _channels(operator) else 1 for d, size in enumerate(acc.shape)]
        shifted = (acc >> manifest["epilogue"]["shift"]) + other["bias"].reshape(dims)
        wanted = np.clip(shifted, 0, 127).astype(np.int8)
    assert np.array_equal(execute(folder, repack(folder, other)), wanted)


def _channels(operator) -> set[int]:
    """Dims of the output that the axes of the constant tensor alone decide, else the last one."""
    body = operator.statements[0]
    constant = {a for r in body.reads if operator.tensor(r.tensor).constant for s in r.subscripts for a, _ in s.terms}
    found = {i for i, s in enumerate(body.write.subscripts) if s.terms and {a for a, _ in s.terms} <= constant}
    return found or {len(body.write.subscripts) - 1}


def test_biases_beyond_the_trick_go_through_the_alu(tmp_path):
    spec = "conv2d:n=1,c=3,h=8,w=8,k=20,r=3,s=3,pad=1"
    operator = read_operator(spec)
    rng = np.random.default_rng(0)
    x = rng.integers(-128, 128, (1, 3, 8, 8), dtype=np.int8)
    w = rng.integers(-128, 128, (20, 3, 3, 3), dtype=np.int8)
    bias = rng.integers(-(2**31), 2**31, 20).astype(np.int32)
    np.savez(tmp_path / "mine.npz", x=x, w=w, bias=bias)
    options = Options(DEFAULT, shift=3)
    answer = compile_to_folder(operator, options, tmp_path / "out", inputs=tmp_path / "mine.npz")
    manifest = json.loads((answer.folder / "manifest.json").read_text())
    assert manifest["epilogue"]["bias"] == "acc"
    assert next(s for s in manifest["layout"] if s["region"] == "bias")["encoding"] == {"kind": "int32"}
    assert np.array_equal(execute(answer.folder), np.load(answer.folder / "expected.npy"))
    acc = evaluate(operator, {"I": x, "W": w})["O"]
    wrapped = ((acc >> 3).astype(np.int64) + bias[None, :, None, None]).astype(np.int32)
    assert np.array_equal(np.load(answer.folder / "expected.npy"), np.clip(wrapped, 0, 127))


def test_a_bias_within_reach_is_folded_into_a_product(tmp_path):
    answer = compiled("conv2d:n=1,c=3,h=8,w=8,k=20,r=3,s=3,pad=1", DEFAULT, tmp_path / "out")
    assert json.loads((answer.folder / "manifest.json").read_text())["epilogue"]["bias"] == "wgt"


def test_equal_questions_give_equal_folders(tmp_path):
    folders = [compiled("gemm:m=20,n=9,k=30", DEFAULT, tmp_path / name, seed=4).folder for name in "ab"]
    for name in FILES:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name


def test_a_wrong_program_is_not_written(tmp_path):
    found = compile_vta(read_operator("gemm:m=20,n=9,k=30"), Options(DEFAULT))
    name, part = found.program.packings[1]
    index = part.index.copy()
    index[:2] = index[1::-1]
    packings = (found.program.packings[0], (name, replace(part, index=index)))
    wrong = replace(found, program=replace(found.program, packings=packings))
    with pytest.raises(WrongProgramError, match=r"the program of this operator gives \d+ wrong output elements"):
        write_folder(tmp_path / "out", wrong, wrong.seeded(0))
    assert list(tmp_path.iterdir()) == []


def test_what_was_added_to_the_folder_stays(tmp_path):
    compiled("gemm:m=3,n=3,k=4", DEFAULT, tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    compiled("gemm:m=2,n=3,k=4", DEFAULT, tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert sorted(f.name for f in tmp_path.iterdir()) == sorted([*FILES, "notes.txt"])


def test_an_output_with_holes_is_refused(tmp_path):
    text = "h: i<4 ; k<3\n  O:int32[8] A:int8[4, 3] B:int8[3] const\n  O[2*i] += A[i, k] * B[k]"
    with pytest.raises(InputError, match="the output has elements that no iteration writes"):
        compile_to_folder(read_operator(text), Options(DEFAULT), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
