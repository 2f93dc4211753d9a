"""Native code and a library are timed in turn: call by call, or for as long as a turn lasts."""

import time
from itertools import groupby

import pytest

from intarsia.flow.native import bench, model, turns
from intarsia.flow.native.answers import Peak
from intarsia.flow.native.options import NativeOptions
from intarsia.flow.native.shapes import problem
from intarsia.flow.native.suites import X86
from intarsia.flow.native.turns import SHARED_TURN, TURN, Contender
from intarsia.targets.x86 import host_features, usable


def turns_of(monkeypatch, **options):
    """Who called, and how often in each turn."""
    monkeypatch.setattr(model, "SECONDS", 0.02)
    called = []

    def caller(name):
        def call():
            called.append(name)
            time.sleep(0.001)

        return call

    times = model._in_turn(caller("a"), caller("b"), **options)
    assert all(one.least >= 0.001 for one in times)
    return [(name, len(list(calls))) for name, calls in groupby(called[2:])]  # the first calls are not timed


def test_call_by_call(monkeypatch):
    taken = turns_of(monkeypatch)
    assert [name for name, _ in taken] == ["a", "b"] * (len(taken) // 2)
    assert {calls for _, calls in taken} == {1}
    assert len(taken) >= 2 * model.RUNS


def test_turns_of_several_calls(monkeypatch):
    taken = turns_of(monkeypatch, turn=0.05)
    assert [name for name, _ in taken] == ["a", "b"] * (len(taken) // 2)
    assert all(calls > 1 for _, calls in taken)


@pytest.mark.parametrize(
    ("takes", "length", "calls"), [(0.25, 2.0, 8), (0.0625, 0.0, 3), (0.0625, 0.125, 3), (0.125, 0.0, 1)]
)
def test_a_turn_lasts_and_has_some_calls(monkeypatch, takes, length, calls):
    now = [0.0]

    def call():
        now[0] += takes

    monkeypatch.setattr(turns.time, "perf_counter", lambda: now[0])
    contender = Contender(call, [])
    contender.turn(length)
    assert contender.seconds == [takes] * calls
    assert now[0] == takes * (calls + 1)  # the first one is not timed


@pytest.mark.skipif("x86.vpdpbusd" not in usable(host_features()), reason="the processor has no AVX512-VNNI")
@pytest.mark.parametrize(("threads", "turn"), [(1, TURN), (2, SHARED_TURN)])
def test_where_threads_share_the_work_turns_are_long(monkeypatch, threads, turn):
    """Whoever had the turn before has threads that stay awake."""
    lengths = []

    def one(contender, length):
        lengths.append(length)
        contender.call()
        contender.seconds.append(1.0)

    monkeypatch.setattr(Contender, "turn", one)
    monkeypatch.setattr(bench, "ROUNDS", 1)
    options = NativeOptions(threads=threads)
    named = next(shape for shape in X86 if shape.name == "5x5 1-32 @28")
    bench.bench_shape(named, problem(named.shape, 0), {}, Peak("x86.vpdpbusd", 1.0, 64), host_features(), options)
    assert lengths == [turn]
