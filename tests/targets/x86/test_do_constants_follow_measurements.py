"""Constants of the cost model follow what was measured, are kept with what they belong to, and choose plans."""

from dataclasses import replace

import int8_functions as f
import numpy as np
import pytest

from intarsia.machines import find_instruction
from intarsia.targets.x86 import Engine, host_processor
from intarsia.targets.x86.calibration import (
    Calibrated,
    Trial,
    fitted,
    keep,
    kept,
    key_for,
    quality,
    samples,
    trials,
)
from intarsia.targets.x86.callable import compiled
from intarsia.targets.x86.lowering import Speeds, plans, predicted

pytestmark = pytest.mark.skipif(not f.NATIVE, reason=f.REASON)

OTHER = replace(Speeds(), tile=40.0, woven=1.0, written=4.0, caches=((1 << 15, 48.0), (1 << 20, 20.0), (1 << 25, 4.0)))
CHOSEN = ("product in the caches", "short sums", "a vector", "1x1 in bytes", "channels first", "depthwise")


@pytest.fixture(scope="module")
def pretended() -> tuple[Trial, ...]:
    """Plans that take what other constants say, three times as long."""
    instruction = find_instruction("x86.vpdpbusd")
    found = []
    for sample in samples():
        if sample.name in CHOSEN:
            listed = plans(sample.operator, instruction, sample.epilogue, most=10)
            found += [Trial(sample.name, plan, 3 * predicted(plan, OTHER).total) for _, plan in listed]
    return tuple(found)


def _error(trials: tuple[Trial, ...], speeds: Speeds) -> float:
    told = np.log([predicted(t.plan, speeds).total / t.cycles for t in trials])
    return float(np.abs(told - np.median(told)).mean())


def test_a_fit_comes_nearer_to_what_was_measured(pretended: tuple[Trial, ...]) -> None:
    before, after = _error(pretended, Speeds()), _error(pretended, fitted(pretended, Speeds()))
    assert before > 0.1
    assert after < before / 2


def test_where_nothing_differs_the_shipped_constants_stay(pretended: tuple[Trial, ...]) -> None:
    same = tuple(replace(t, cycles=predicted(t.plan).total) for t in pretended)
    assert fitted(same, Speeds()).tile == pytest.approx(Speeds().tile, rel=0.01)


def test_ranks_are_judged_on_samples_that_were_left_out(pretended: tuple[Trial, ...]) -> None:
    same = tuple(replace(t, cycles=predicted(t.plan).total) for t in pretended)
    perfect = quality(same, Speeds(), fitting=False)
    assert perfect.tau == pytest.approx(1)
    assert set(perfect.regret.values()) == {0.0}
    turned = quality(tuple(replace(t, cycles=1e9 / t.cycles) for t in same), Speeds(), fitting=False)
    assert turned.tau == pytest.approx(-1)
    assert turned.regret[1] > turned.regret[8]
    assert turned.worst[1] >= turned.regret[1] > 0.1


def test_samples_run() -> None:
    few = tuple(s for s in samples() if s.name in {"short sums", "depthwise"})
    told: list[tuple[int, int]] = []
    found = trials(few, find_instruction("x86.vpdpbusd"), Engine(), 2.0, lambda i, n: told.append((i, n)))
    assert {t.sample for t in found} == {s.name for s in few}
    assert all(t.cycles > 0 for t in found)
    assert told == [(1, 2), (2, 2)]


def test_constants_are_kept_for_one_machine_and_instruction(tmp_path) -> None:
    processor = host_processor()
    record = Calibrated(key_for(processor, "x86.vpdpbusd"), "x86.vpdpbusd", OTHER, 9, 0.5, {1: 0.1})
    file = keep(processor, record, folder=tmp_path)
    assert kept(processor, "x86.vpdpbusd", folder=tmp_path) == record
    assert kept(processor, "x86.vpdpwssd", folder=tmp_path) is None
    assert kept(replace(processor, name="another"), "x86.vpdpbusd", folder=tmp_path) is None
    whole = file.read_text()
    changes = [("20.0", "-20.0"), ("20.0", "20.5"), ('"tau"', '"mu"'), ('"plans": 9', '"plans": 8')]
    for damaged in (whole[: len(whole) // 2], *(whole.replace(*change) for change in changes)):
        assert damaged != whole
        file.write_text(damaged)
        assert kept(processor, "x86.vpdpbusd", folder=tmp_path) is None


def test_kept_constants_choose_plans(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    weights, x = np.ones((21, 35), np.int8), np.ones((7, 21), np.uint8)
    before = compiled(f.product(), {"W": weights})
    processor = host_processor()
    slow = replace(Speeds(), multiply=0.001)
    keep(processor, Calibrated(key_for(processor, "x86.vpdpbusd"), "x86.vpdpbusd", slow, 9, 0.5, {1: 0.1}))
    after = compiled(f.product(), {"W": weights})
    assert (before(x) == after(x)).all()
    assert before.predicted is not None
    assert after.predicted is not None
    assert after.predicted > 100 * before.predicted
