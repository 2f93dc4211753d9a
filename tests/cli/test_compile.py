"""Does `compile` write the folder, and refuse bad input with one message and nothing written?"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from intarsia.cli import main

pytestmark = pytest.mark.usefixtures("simulator")

SPEC = "gemm:m=20,n=9,k=30"
FILES = ["expected.npy", "inputs.npz", "manifest.json", "memory.bin", "output_index.npy", "program.bin"]


def compiled(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(("compile", *arguments)) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str, folder: Path | None = None) -> str:
    before = sorted(folder.iterdir()) if folder else []
    assert main(("compile", *arguments)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert not folder or sorted(folder.iterdir()) == before
    return err.removeprefix("intarsia: ").removesuffix("\n")


def arrays() -> dict[str, np.ndarray]:
    return {
        "x": np.ones((30, 9), dtype=np.int8),
        "w": np.ones((20, 30), dtype=np.int8),
        "bias": np.arange(20, dtype=np.int32),
    }


def test_the_folder_is_written_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = compiled(capsys, SPEC, "--target", "vta", "-o", str(tmp_path / "deep" / "out"))
    assert sorted(f.name for f in (tmp_path / "deep" / "out").iterdir()) == FILES
    assert out.startswith("operator")
    assert all(name in out for name in FILES)


def test_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "out"
    answer = json.loads(compiled(capsys, SPEC, "--target", "vta", "-o", str(folder), "--fixed", "--json"))
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (answer["fixed"], answer["target"]) == (True, "vta")
    assert answer["files"] == {f.name: f.stat().st_size for f in folder.iterdir()}
    assert (answer["cycles"], answer["instructions"]) == (manifest["predicted_cycles"], manifest["instructions"])
    assert manifest["checked"] is True


def test_given_inputs_are_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(tmp_path / "mine.npz", **arrays())
    compiled(capsys, SPEC, "--target", "vta", "--inputs", str(tmp_path / "mine.npz"), "--shift", "2",
             "-o", str(tmp_path / "out"))  # fmt: skip
    kept = np.load(tmp_path / "out" / "inputs.npz")
    assert all(np.array_equal(kept[name], array) for name, array in arrays().items())
    expected = np.load(tmp_path / "out" / "expected.npy")
    assert np.array_equal(expected, np.broadcast_to((30 >> 2) + np.arange(20)[:, None], (20, 9)))


def test_the_seed_changes_the_inputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in ("1", "2"):
        compiled(capsys, SPEC, "--target", "vta", "--seed", seed, "-o", str(tmp_path / seed))
    first, second = (np.load(tmp_path / seed / "inputs.npz")["x"] for seed in ("1", "2"))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"w": None}, "missing array: w (A); allowed: int8[20, 30]"),
        ({"bias": None}, "missing array: bias (the bias); allowed: int32[20]"),
        ({"y": np.ones(3)}, "unknown array: y; allowed: x, w, bias"),
        ({"x": np.ones((9, 30), dtype=np.int8)}, "wrong shape or dtype of x: int8[9, 30]; allowed: int8[30, 9]"),
        ({"x": np.ones((30, 9), dtype=np.uint8)}, "wrong shape or dtype of x: uint8[30, 9]; allowed: int8[30, 9]"),
        ({"bias": np.ones(20)}, "wrong shape or dtype of bias: float64[20]; allowed: int32[20]"),
    ],
    ids=["no w", "no bias", "one too many", "transposed", "unsigned", "floating bias"],
)
def test_arrays_that_do_not_fit(
    change: dict[str, np.ndarray | None], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.npz"
    np.savez(file, **{name: array for name, array in {**arrays(), **change}.items() if array is not None})
    found = refused(
        capsys, SPEC, "--target", "vta", "--inputs", str(file), "-o", str(tmp_path / "out"), folder=tmp_path
    )
    order = f"{file}: {message}".replace("x, w, bias", "w, x, bias")
    assert found in (f"{file}: {message}", order)


def test_files_that_are_no_arrays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rest = ("--target", "vta", "-o", str(tmp_path / "out"))
    assert refused(capsys, SPEC, *rest, "--inputs", "nothing.npz") == "nothing.npz: no such file"
    text = tmp_path / "mine.npz"
    text.write_text("not arrays")
    assert refused(capsys, SPEC, *rest, "--inputs", str(text)).startswith(
        f"{text}: not a file of NumPy arrays; allowed: "
    )
    single = tmp_path / "mine.npy"
    np.save(single, np.ones(3))
    message = f"{single}: a single array; allowed: an .npz file with x, w and bias, as numpy.savez writes it"
    assert refused(capsys, SPEC, *rest, "--inputs", str(single)) == message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            "conv2d:n=1,c=3,h=8,w=8,k=4,r=3,s=3,x=uint8",
            (
                "conv2d: VTA multiplies signed bytes only, zero points and unsigned activations it cannot do: "
                "I:uint8[1, 3, 8, 8]; allowed: int8 inputs; try: dtype=int8"
            ),
        ),
        (
            "f: i<4 ; k<3\n  O:int32[4] A:int8[6] pad=7 B:int8[3] const\n  O[i] += A[i+k-1] * B[k]",
            "f: VTA pads with zeros, zero points it cannot do: A:int8[6] pad=7; allowed: pad=0",
        ),
        (
            "f: i<4\n  O:int32[4] A:int8[4] B:int8[4] C:int8[4]\n  O[i] += A[i] * B[i] * C[i]",
            (
                "f: VTA runs one sum of products of two tensors, or maxima, minima and sums of single reads: "
                "O[i] += A[i] * B[i] * C[i]; allowed: O[...] += A[...] * B[...]"
            ),
        ),
    ],
    ids=["uint8", "zero point", "three factors"],
)
def test_what_vta_cannot_do(spec: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, spec, "--target", "vta", "-o", str(tmp_path / "out"), folder=tmp_path) == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--target", "tpu"), "unknown target: tpu; allowed: vta"),
        (
            ("--target", "vta", "--config", "big"),
            "no such configuration: big; allowed: a file, or one of default, batch16",
        ),
        (("--target", "vta", "--shift", "32"), "shift is out of range: 32; allowed: 0 to 31"),
        (("--target", "vta", "--seed", "-1"), "seed is negative: -1; allowed: 0 or more"),
    ],
)
def test_wrong_options(
    options: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(capsys, SPEC, *options, "-o", str(tmp_path / "out"), folder=tmp_path) == message


def test_a_configuration_that_cannot_be_encoded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "core.json"
    file.write_text('{"LOG_ACC_BUFF_SIZE": 20}')
    found = refused(
        capsys, SPEC, "--target", "vta", "--config", str(file), "-o", str(tmp_path / "out"), folder=tmp_path
    )
    assert found == (
        f"{file}: a micro-operation does not fit (acc, source and weight index bits): 14 + 14 + 10 = 38; "
        "allowed: at most 32 bits"
    )
    file.write_text("{")
    assert refused(capsys, SPEC, "--target", "vta", "--config", str(file), "-o", "x").startswith(f"{file}: not JSON: ")


def test_a_folder_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    message = f"'{file}': the output folder cannot be written (it is a file); try: a path that you may write to"
    assert refused(capsys, SPEC, "--target", "vta", "-o", str(file)) == message
    below = file / "out"
    assert refused(capsys, SPEC, "--target", "vta", "-o", str(below)).startswith(
        f"'{below}': the output folder cannot be written ("
    )
    assert file.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [file]


def test_an_empty_name_of_the_folder_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(capsys, SPEC, "--target", "vta", "-o", "")
    assert message == "-o: the name is empty; allowed: a path; . is the current folder"


def test_a_folder_that_holds_other_files_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "manifest.json").write_text('{"format": "another"}')
    message = refused(capsys, SPEC, "--target", "vta", "-o", str(tmp_path), folder=tmp_path)
    assert message == (
        f"'{tmp_path}': the output folder holds other files and no manifest.json of intarsia; "
        "try: a new or an empty folder"
    )


def test_a_folder_of_an_earlier_run_is_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    for seed in ("0", "1"):
        compiled(capsys, SPEC, "--target", "vta", "-o", str(folder), "--seed", seed)
    assert sorted(f.name for f in folder.iterdir()) == FILES


def test_a_text_is_no_file_of_arrays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = tmp_path / "x.npz"
    given.write_text("hello")
    message = refused(capsys, SPEC, "--target", "vta", "-o", str(tmp_path / "out"), "--inputs", str(given))
    allowed = "an .npz file with x, w and bias, as numpy.savez writes it"
    assert message == f"{given}: not a file of NumPy arrays; allowed: {allowed}"


def test_the_generic_target_says_that_it_does_not_compile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(capsys, SPEC, "--target", "generic", "-o", str(tmp_path / "out"))
    assert message.startswith("the generic target runs operators and does not compile them; allowed: vta")
