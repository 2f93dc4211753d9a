"""Rates are measured by loops that do only what they count, kept per machine, and measured again when they must be."""

import json
import re
from dataclasses import replace
from math import inf

import pytest

from intarsia.targets.x86 import (
    Cache,
    Engine,
    host_features,
    host_processor,
    measure,
    probes,
    rates_of,
    spelling,
    usable,
)

NAMES = usable(host_features())


@pytest.fixture
def engine(tmp_path):
    return Engine(folder=tmp_path / "code")


@pytest.fixture
def quick(monkeypatch):
    """Few short runs, and counts them."""
    measured = []
    rate = measure._rate

    def counted(*arguments):
        measured.append(arguments[1])
        return rate(*arguments)

    monkeypatch.setattr(measure, "_rate", counted)
    monkeypatch.setattr(measure, "RUNS", 2)
    monkeypatch.setattr(measure, "SHORTEST", 1e-5)
    monkeypatch.setattr(measure, "LARGEST", 1 << 22)
    return measured


def loop(native):
    """The instructions between the label that is jumped back to and the jump."""
    lines = [line.strip() for line in native.asm().splitlines()]
    last = max(i for i, line in enumerate(lines) if re.match(r"j\w+\s+\.L", line))
    target = re.match(r"j\w+\s+(\S+)", lines[last]).group(1)
    inside = [line.removeprefix("{vex}").split() for line in lines[lines.index(f"{target}:") + 1 : last + 1]]
    return [words[0] for words in inside if words[0][0] not in "#."]


@pytest.mark.parametrize("name", NAMES)
def test_a_loop_of_calls_is_the_calls_and_little_else(engine, name):
    text, count = probes.calls(spelling(name, host_features()))
    found = loop(engine.compile(text))
    mnemonics = {"vfmadd231ps", "vfmadd213ps", "vfmadd132ps", *spelling(name, host_features()).mnemonics}
    assert sum(word in mnemonics for word in found) == count
    assert not any("%rsp" in line for line in engine.compile(text).asm().splitlines())
    others = [word for word in found if word not in mnemonics]
    assert len(others) <= (2 * count + 3 if name == probes.TWO_INSTRUCTIONS else 3)


@pytest.mark.parametrize("store", [False, True])
def test_a_loop_over_memory_touches_each_vector_once(engine, store):
    text, each = probes.accesses(32, store=store)
    found = loop(engine.compile(text))
    assert sum(word.startswith("vmov") for word in found) == probes.ACCESSES == each // 32
    assert len(found) <= probes.ACCESSES + 7


def test_the_chain_has_all_its_links(engine):
    text, count = probes.chain()
    found = loop(engine.compile(text))
    assert sum(word in {"addq", "xorq"} for word in found) == count


def test_every_rate_is_measured(engine):
    """No bounds on the rates themselves: other work on the machine may disturb any of them."""
    rates = measure.measure(host_processor(), engine)
    assert tuple(rates.calls) == NAMES
    every = [rates.hertz, *rates.calls.values(), *rates.loads.values(), *rates.stores.values()]
    assert all(0 < rate < inf for rate in every)
    for rate in (rates.loads, rates.stores):
        assert list(rate)[-1] == "memory"


def test_arrays_lie_where_they_shall():
    caches = (Cache(1, 48 << 10, 64, 1), Cache(2, 2 << 20, 64, 1), Cache(3, 32 << 20, 64, 8))
    found = measure.places(replace(host_processor(), caches=caches))
    assert found == {"L1": 24 << 10, "L2": 384 << 10, "L3": 16 << 20, "memory": 128 << 20}
    assert measure.places(replace(host_processor(), caches=())) == {"memory": measure.LARGEST}


def test_rates_are_measured_once_and_kept(engine, quick, tmp_path):
    processor = host_processor()
    first = rates_of(processor, engine, folder=tmp_path)
    count = len(quick)
    assert count > len(NAMES)
    assert rates_of(processor, engine, folder=tmp_path) == first
    assert len(quick) == count
    rates_of(processor, engine, folder=tmp_path, again=True)
    assert len(quick) == 2 * count
    assert first.notes == ()


def test_the_key_can_be_read(engine, quick, tmp_path):
    processor = host_processor()
    rates_of(processor, engine, folder=tmp_path)
    (file,) = tmp_path.glob("*.json")
    key = json.loads(file.read_text())["key"]
    assert key["processor"] == processor.name
    assert key["features"] == list(processor.features.present)
    assert quick


@pytest.mark.parametrize("change", ["name", "caches", "features"])
def test_another_processor_has_other_rates(engine, quick, tmp_path, change):
    processor = host_processor()
    rates_of(processor, engine, folder=tmp_path)
    count = len(quick)
    other = {"name": "another", "caches": (), "features": processor.features.without("avx512", "bmi2")}[change]
    changed = replace(processor, **{change: other})
    found = rates_of(changed, Engine(changed.features, keep=False), folder=tmp_path)
    assert len(quick) > count
    assert tuple(found.rates.calls) == usable(changed.features)


DAMAGES = (
    lambda text: text[:50],
    lambda _: "{}",
    lambda text: text.replace("hertz", "hurts"),
    lambda text: text.replace('"hertz": ', '"hertz": -'),
    lambda text: text.replace(f'"{NAMES[0]}"', '"x86.another"'),
    lambda text: text.replace('"memory"', '"L9"'),
)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_measured_again(engine, quick, tmp_path, damage):
    rates_of(host_processor(), engine, folder=tmp_path)
    count = len(quick)
    (file,) = tmp_path.glob("*.json")
    whole = file.read_text()
    file.write_text(damage(whole))
    rates_of(host_processor(), engine, folder=tmp_path)
    assert len(quick) == 2 * count
    assert json.loads(file.read_text())["key"] == json.loads(whole)["key"]


def test_rates_that_belong_to_another_machine_are_not_taken(engine, quick, tmp_path):
    rates_of(host_processor(), engine, folder=tmp_path)
    count = len(quick)
    (file,) = tmp_path.glob("*.json")
    file.write_text(file.read_text().replace('"machine": "', '"machine": "not-'))
    rates_of(host_processor(), engine, folder=tmp_path)
    assert len(quick) == 2 * count


def test_rates_that_cannot_be_kept_say_so(engine, quick, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    found = rates_of(host_processor(), engine, folder=tmp_path / "file")
    assert found.rates.hertz > 0
    assert found.notes[0].startswith("measured rates are not kept: ")
    assert quick
