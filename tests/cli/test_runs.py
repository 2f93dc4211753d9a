"""How do the answers of `run` and `bench` print, as tables and as JSON?"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from intarsia.cli.bench import bench_json, print_bench
from intarsia.cli.run import print_run, run_json
from intarsia.flow.runs import BenchAnswer, BenchRow, Bound, Device, Execution, Host, RunAnswer, UnitShare

DEVICE = Device(
    cycles=1000,
    seconds=1e-5,
    instructions=12,
    bound=Bound(800, 500, 100),
    read=4096,
    written=512,
    utilisation=0.75,
    units=(UnitShare("compute", (("busy", 900), ("idle", 100))), UnitShare("load", (("busy", 500), ("idle", 500)))),
    host=Host(2048, 1e-4, 1024, 5e-5, "measured"),
    tiling="oh:7",
)
CHOSEN = Execution("for oh < 7:", correct=True, calls=600, device=DEVICE, all_calls=700)
FIXED = Execution("for ow < 7:", correct=True, calls=1800, device=replace(DEVICE, cycles=2500), all_calls=2100)
RUN = RunAnswer("gemm: m<3\n  O", "vta", "VTA 1x16x16 on sim", 0, CHOSEN, FIXED, 0.5)


def test_a_run_is_printed_beside_the_fixed_one(capsys: pytest.CaptureFixture[str]) -> None:
    print_run(RUN)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["correct", "yes,", "bit", "for", "bit"] in lines
    assert ["faster", "2.50×", "the", "fixed", "embedding"] in lines
    assert ["calls", "600", "1,800"] in lines
    assert ["cycles", "1,000", "2,500"] in lines
    assert ["over", "the", "bound", "25.0", "%", "212.5", "%"] in lines
    assert ["compute", "900", "100"] in lines
    assert lines[-1] == ["for", "oh", "<", "7:"]


def test_a_wrong_run_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    print_run(replace(RUN, chosen=replace(CHOSEN, correct=False)))
    assert ["correct", "NO"] in [line.split() for line in capsys.readouterr().out.splitlines()]


def test_a_target_without_a_timing_model_tells_what_it_knows(capsys: pytest.CaptureFixture[str]) -> None:
    answer = replace(RUN, target="generic", configuration="", chosen=replace(CHOSEN, device=None), fixed=None)
    print_run(answer)
    out = capsys.readouterr().out
    assert "cycles" not in out
    assert ["calls", "600"] in [line.split() for line in out.splitlines()]
    found = run_json(answer)
    assert (found["speedup"], found["fixed"], found["chosen"]["device"]) == (None, None, None)


def test_a_run_as_json() -> None:
    found = json.loads(json.dumps(run_json(RUN)))
    assert (found["correct"], found["speedup"], found["fewer_calls"]) == (True, 2.5, 3.0)
    device = found["chosen"]["device"]
    assert device["lower_bound"] == 800
    assert device["lower_bounds"] == {"compute": 800, "read": 500, "write": 100}
    assert device["units"]["compute"] == {"busy": 900, "idle": 100}


def test_a_suite_is_summed_up(capsys: pytest.CaptureFixture[str]) -> None:
    slower = replace(RUN, fixed=replace(FIXED, device=replace(DEVICE, cycles=1000)))
    rows = (BenchRow("a", 2, RUN), BenchRow("b", 1, slower), BenchRow("c", 1, None, "does not fit"))
    answer = BenchAnswer("deepbench", "vta", "VTA 1x16x16 on sim", 0, 2, 3.0, rows)
    print_bench(answer)
    out = capsys.readouterr().out
    assert "1.58× faster than the fixed embedding (geometric mean); worst 1.00× b; best 2.50× a" in out
    assert "3, 4 with repetitions" in out
    assert "does not fit" in out
    assert "NOT ALL" in out
    found = json.loads(json.dumps(bench_json(answer)))
    assert found["correct"] is False
    assert found["speedup"] == {"mean": pytest.approx(2.5**0.5), "least": ["b", 1.0], "greatest": ["a", 2.5]}
    assert found["layers"][2]["refused"] == "does not fit"


def test_a_suite_of_which_nothing_ran_has_no_means() -> None:
    answer = BenchAnswer("deepbench", "vta", "", 0, 1, 0.0, (BenchRow("c", 1, None, "does not fit"),))
    found = bench_json(answer)
    assert (found["speedup"], found["over_bound"], found["correct"]) == (None, None, False)
