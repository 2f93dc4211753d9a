"""A suite runs every contender in turn; who is wrong, absent or not able says so and is not timed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from intarsia.cli import main
from intarsia.cli.native_bench import print_native_bench
from intarsia.flow.bench import deepbench_rows
from intarsia.flow.native import bench, suites
from intarsia.flow.native.answers import BenchedShape, Goal, NativeBench, Ours, Rival, Times
from intarsia.flow.native.libraries import Prepared, known
from intarsia.flow.native.libraries.by_onnxruntime import refusals
from intarsia.flow.native.options import USUAL
from intarsia.flow.native.shapes import Convolution, Form, Problem, Product, problem
from intarsia.flow.native.suites import Named, shape_of
from intarsia.flow.native.turns import LEAST
from intarsia.ground import InputError
from intarsia.operators import evaluate
from intarsia.targets.x86 import host_features, usable
from intarsia.targets.x86.lowering import Speeds

NATIVE = "x86.vpdpbusd" in usable(host_features())
native = pytest.mark.skipif(not NATIVE, reason="the processor has no AVX512-VNNI")
SMALL = (
    Named("a product", "products", Product(4, 40, 20)),
    Named("a convolution", "dense", Convolution(8, 16, (6, 6), (3, 3), (1, 1), (1, 1))),
)


@pytest.fixture(autouse=True)
def _quickly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(bench, "ROUNDS", 2)
    monkeypatch.setattr(bench, "TURN", 0.001)


@dataclass
class Library:
    """The reference with changes, as a library."""

    change: Callable[[np.ndarray], np.ndarray] = lambda right: right
    forms: tuple[Form, ...] = ("uint8",)
    calls: int = 0
    name: str = "fake 1.0"
    refusals: tuple[type[Exception], ...] = (RuntimeError,)

    def prepare(self, made: Problem, form: Form) -> Prepared | None:
        if form not in self.forms:
            return None
        right = self.change(bench.reference(made, form))

        def run() -> np.ndarray:
            self.calls += 1
            return right

        return Prepared(run, lambda y: y, form)


def refuses(_: np.ndarray) -> np.ndarray:
    raise RuntimeError("no such shape\nand more")


def benched(monkeypatch: pytest.MonkeyPatch, library: object, shapes: tuple[Named, ...] = SMALL) -> NativeBench:
    monkeypatch.setattr(bench, "known", lambda *_: library)
    return bench.bench_native("mine", shapes, ("fake",))


@native
def test_a_library_that_is_right_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library(forms=("uint8", "int32"))
    answer = benched(monkeypatch, library)
    assert answer.correct
    assert library.calls > 4 * bench.ROUNDS
    for shape in answer.shapes:
        assert [rival.form for rival in shape.rivals] == ["uint8", "int32"] == [one.form for one in shape.ours]
        assert all(0 < rival.times.least <= rival.times.middle for rival in shape.rivals if rival.times)
        ratios = [shape.ratio(rival) for rival in shape.rivals]
        assert shape.speedup == min(r for r in ratios if r is not None)
        peak = shape.peak
        assert peak is not None
        operator = next(n.shape for n in SMALL if n.name == shape.name).operator
        for one in shape.ours:
            assert one.part == pytest.approx(peak.part(operator.iterations, one.times.least))


@native
@pytest.mark.parametrize(
    ("library", "why"),
    [
        (Library(lambda right: right ^ 1), "wrong: 160 of 160"),
        (Library(lambda right: right[:2]), "wrong: its shape"),
        (Library(refuses), "refused: no such shape\nand more"),
        (None, "not installed"),
    ],
)
def test_who_is_wrong_is_not_timed(library: Library | None, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (shape,) = benched(monkeypatch, library, SMALL[:1]).shapes
    assert [(rival.why, rival.times) for rival in shape.rivals] == [(why, None)]
    assert shape.best is None
    assert shape.speedup is None
    assert shape.correct
    assert library is None or library.calls <= 1


@native
def test_a_mistake_in_how_a_library_is_called_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="no such shape"):
        benched(monkeypatch, Library(refuses, refusals=(KeyError,)), SMALL[:1])


@native
def test_why_a_library_was_not_timed_is_printed_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "known", lambda *_: Library(refuses))
    monkeypatch.setattr(suites, "X86", SMALL[:1])
    file = tmp_path / "answer.json"
    assert main(["bench", "x86", "--against", "torch", "--json", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(maxsplit=2)[2] for line in lines if line.startswith("not timed")] == [
        "a product, fake 1.0: refused: no such shape"
    ]
    (library,) = json.loads(file.read_text())["shapes"][0]["libraries"]
    assert (library["why"], library["seconds"]) == ("refused: no such shape\nand more", None)


def test_onnxruntime_refuses_with_errors_of_its_own() -> None:
    runtime = pytest.importorskip("onnxruntime")
    node = helper.make_node("Relu", ["x"], ["y"])
    infos = [helper.make_tensor_value_info(name, TensorProto.BFLOAT16, [2, 2]) for name in ("x", "y")]
    graph = helper.make_graph([node], "one", infos[:1], infos[1:])
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 15)])
    with pytest.raises(refusals(runtime), match="Could not find an implementation for Relu"):
        runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


@native
def test_an_interrupted_suite_continues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library, store = Library(), tmp_path / "times.sqlite"
    monkeypatch.setattr(bench, "known", lambda *_: library)
    told: list[tuple[int, int]] = []

    def run(shapes: tuple[Named, ...], *, fresh: bool = False) -> NativeBench:
        return bench.bench_native(
            "mine", shapes, ("fake",), store=store, fresh=fresh, told=lambda n, of: told.append((n, of))
        )

    first, calls = run(SMALL[:1]), library.calls
    again = run(SMALL)
    assert (first.kept, again.kept) == (0, 1)
    assert told == [(1, 1), (1, 2), (2, 2)]
    assert again.shapes[0].ours[0].times == first.shapes[0].ours[0].times
    assert library.calls > calls
    renamed = replace(SMALL[0], name="another", count=7)
    (shape,) = run((renamed,)).shapes
    assert (shape.name, shape.count) == ("another", 7)
    calls = library.calls
    assert run(SMALL, fresh=True).kept == 0
    assert library.calls > calls


@native
def test_times_of_other_plans_or_libraries_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there: dict[str, Library | None] = {"fake": Library(), "other": None}
    monkeypatch.setattr(bench, "known", lambda name, _: there[name])

    def kept(*against: str) -> int:
        return bench.bench_native("mine", SMALL[:1], against, store=tmp_path / "times.sqlite").kept

    assert (kept("fake"), kept("fake")) == (0, 1)
    assert (kept("fake", "other"), kept("fake", "other")) == (0, 1)  # it says that the other one is not installed
    monkeypatch.setattr(bench, "speeds_here", lambda *_: Speeds(tile=1.0))
    assert (kept("fake"), kept("fake")) == (0, 1)


@native
def test_a_shape_is_timed_for_a_limited_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "ROUNDS", 50)
    monkeypatch.setattr(bench, "LIMIT", 0.0)
    monkeypatch.setattr(bench, "TURN", 0.0)
    (shape,) = bench.bench_native("mine", SMALL[:1], ()).shapes
    assert shape.ours[0].times.runs == bench.FEWEST * LEAST
    assert shape.ours[0].bound


@native
def test_a_kernel_that_is_wrong_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    real = bench.reference
    monkeypatch.setattr(bench, "reference", lambda made, form: real(made, form) ^ 1)
    answer = bench.bench_native("mine", SMALL[:1], ())
    assert not answer.correct


def test_an_unknown_library_is_refused() -> None:
    with pytest.raises(InputError, match="--against: unknown library: numpy; allowed: torch, openvino, onnxruntime"):
        known("numpy", 1)


@pytest.mark.parametrize("name", ["torch", "openvino", "onnxruntime"])
@pytest.mark.parametrize("shape", [named.shape for named in SMALL], ids=["product", "convolution"])
def test_libraries_compute_what_the_reference_does(name: str, shape: Product | Convolution) -> None:
    library = known(name, 1)
    if library is None:
        pytest.skip(f"{name} is not installed")
    made = problem(shape, 1)
    prepared = library.prepare(made, "uint8")
    assert prepared is not None
    assert np.array_equal(prepared.result(prepared.run()), bench.reference(made, "uint8"))


def shape_with(ratio: float, group: str = "dense") -> BenchedShape:
    ours = Ours("uint8", True, Times(1.0, 1.0, 1), 0.5, "")
    rivals = (Rival("a", "uint8", Times(ratio, ratio, 1)), Rival("b", "uint8", Times(9.0, 9.0, 1)))
    return BenchedShape("s", group, "", None, (ours,), (*rivals, Rival("c", "int32", Times(0.1, 0.1, 1))))


def test_only_equal_results_are_compared() -> None:
    shape = shape_with(2.0)
    assert shape.speedup == 2.0
    assert shape.best is not None
    assert shape.best.library == "a"
    assert shape.ratio(shape.rivals[2]) is None


def test_groups_have_a_mean_and_a_least_ratio() -> None:
    shapes = (shape_with(2.0), shape_with(8.0), shape_with(3.0, "odd"))
    answer = NativeBench("mine", "p", 0, 1, 0, 1.0, shapes, {"dense": Goal(1.0, 1.0)})
    assert [ratio for ratio, _ in answer.slowest] == [2.0, 3.0, 8.0]
    assert answer.groups == ("dense", "odd")
    assert answer.mean("dense") == pytest.approx(4.0)
    assert min(answer.ratios("dense")) == 2.0


@native
def test_goals_are_for_one_core(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(bench, "known", lambda *_: Library())
    monkeypatch.setattr(bench, "refuse_threads", lambda *_: None)
    for threads, goals in ((1, {"products", "dense"}), (2, set())):
        answer = bench.bench_native("mine", SMALL, ("fake",), replace(USUAL, threads=threads))
        assert set(answer.goals) == goals
        print_native_bench(answer)
        rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("products ")]
        assert rows[0][2].endswith("×")
        assert (rows[0][-1] == "-") == (not goals)


def test_the_layers_of_deepbench_keep_their_iterations() -> None:
    layers = deepbench_rows("inference", "all")
    named = suites.deepbench(layers)
    assert [n.shape.operator.iterations for n in named] == [row.operator.iterations for row, _ in layers]


def test_channels_last_is_the_same_convolution() -> None:
    shape = Convolution(4, 6, (7, 9), (3, 2), (2, 1), (1, 0), n=2)
    made = problem(shape, 0)
    row = deepbench_rows("inference_device", "conv")[0][0].operator
    assert isinstance(shape_of(row), Convolution)
    found = evaluate(shape.operator, made.inputs("int32"))["O"]
    image = np.pad(made.x, ((0, 0), (1, 1), (0, 0), (0, 0))).astype(np.int64)
    expected = np.zeros(found.shape, np.int64)
    for i in range(3):
        for j in range(2):
            part = image[:, i : i + 2 * (found.shape[1] - 1) + 1 : 2, j : j + found.shape[2]]
            expected += np.einsum("nhwc,kc->nhwk", part, made.w[:, :, i, j].astype(np.int64))
    assert np.array_equal(found, expected)


@native
def test_the_command_prints_and_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "known", lambda *_: Library())
    monkeypatch.setattr(suites, "X86", SMALL)
    file = tmp_path / "deep" / "answer.json"
    assert main(["bench", "x86", "--against", "torch", "--json", str(file)]) == 0
    out = capsys.readouterr().out
    assert "all, bit for bit" in out
    assert "a convolution" in out
    answer = json.loads(file.read_text())
    assert [shape["name"] for shape in answer["shapes"]] == [n.name for n in SMALL]
    assert [group["group"] for group in answer["groups"]] == ["products", "dense"]
    assert answer["shapes"][0]["libraries"][0]["library"] == "fake 1.0"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("x86", "--target", "vta"), "--target: the suite is for another target: vta; allowed: x86"),
        (("x86", "--workers", "2"), "--workers: shapes are timed one after the other: 2"),
        (("x86", "--store", "s"), "--store: x86 does not have it: s"),
        (("x86", "--measure", "-1"), "measure is too small: -1; allowed: 0 or more"),
        (("x86", "--against", "mkl"), "--against: unknown library: mkl; allowed: torch, openvino, onnxruntime"),
        (("deepbench",), "--target: the target is missing; allowed: vta, x86"),
        (("deepbench", "--target", "vta", "--against", "torch"), "--against: only x86 has it; try: --target x86"),
        (("deepbench", "--target", "x86", "--kind", "lstm"), "deepbench: unknown kind: lstm; allowed: conv, gemm, all"),
    ],
)
def test_options_that_do_not_fit(arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *arguments]) == 2
    assert capsys.readouterr() == ("", f"intarsia: {message}\n")
