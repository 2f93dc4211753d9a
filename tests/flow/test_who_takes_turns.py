"""Native code and a library are timed in turn: call by call, or for as long as a turn lasts."""

import time
from itertools import groupby

from intarsia.flow.native import model


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
    turns = turns_of(monkeypatch)
    assert [name for name, _ in turns] == ["a", "b"] * (len(turns) // 2)
    assert {calls for _, calls in turns} == {1}
    assert len(turns) >= 2 * model.RUNS


def test_turns_of_several_calls(monkeypatch):
    turns = turns_of(monkeypatch, turn=0.05)
    assert [name for name, _ in turns] == ["a", "b"] * (len(turns) // 2)
    assert all(calls > 1 for _, calls in turns)
