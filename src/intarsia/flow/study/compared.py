"""Two results side by side: what is in both, with how many times the second is the first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from intarsia.flow.study.model_records import EnergyRecord, ModelRecord
from intarsia.flow.study.result import ChipRecord, Result
from intarsia.flow.study.serving.keys import ServingKeys
from intarsia.flow.study.serving.records import ServedRecord
from intarsia.ground.units import (
    bytes_text,
    count_text,
    flops_text,
    joules_text,
    percent_text,
    seconds_text,
    tokens_text,
    watts_text,
)


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of both.

    Attributes:
        group: which part of a result it is from.
        name: what it is.
        first, second: as texts; empty where a result has none.
        times: the second over the first; None where they are no numbers, or one is missing or zero.
    """

    group: str
    name: str
    first: str
    second: str
    times: float | None = None

    @property
    def differs(self) -> bool:
        """Whether the texts are not the same."""
        return self.first != self.second


@dataclass(frozen=True, slots=True)
class Compared:
    """Two results.

    Attributes:
        titles: of both.
        sentences: their answers.
        rows: figure by figure.
        notes: why they can be compared only in part.
    """

    titles: tuple[str, str]
    sentences: tuple[str, str]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def compare(first: Result, second: Result) -> Compared:
    """The two, figure by figure."""
    rows = [*_asked(first, second), *_chips(first.chip, second.chip), *_searches(first, second)]
    shared = [one.name for one in first.models if one.name in {other.name for other in second.models}]
    for name in shared:
        rows += _models(*(next(one for one in result.models if one.name == name) for result in (first, second)))
    if first.served is not None and second.served is not None and first.served.name == second.served.name:
        rows += _served(first.served, second.served)
        shared = [first.served.name]
    return Compared(
        (first.title, second.title),
        (first.sentence, second.sentence),
        tuple(rows),
        tuple(_notes(first, second, shared)),
    )


def _asked(first: Result, second: Result) -> Iterator[Row]:
    group = "question"
    asked = [one.study for one in (first, second)]
    yield _said(group, "models", [", ".join(one.models) for one in asked])
    yield _said(group, "cluster", [one.cluster for one in asked])
    batches = [one.global_batch or None for one in asked]
    if any(batches):
        yield _number(group, "global batch", batches[0], batches[1], count_text)
    yield from _texts(group, *(_serving(one.serving) for one in asked))
    yield _said(group, "chips", [one.space or one.chip or "the cluster's own" for one in asked])
    yield _said(group, "objective", [one.objective or "throughput" for one in asked])
    yield _number(group, "devices", first.devices, second.devices, count_text)


def _chips(first: ChipRecord | None, second: ChipRecord | None) -> Iterator[Row]:
    if first is None or second is None:
        return
    yield Row("chip", "name", first.name, second.name)
    fields = [{name: text for name, text in one.fields.items() if name != "peak"} for one in (first, second)]
    yield from _texts("chip", fields[0], fields[1])
    yield _number("chip", "peak", first.peak_flops, second.peak_flops, flops_text)
    yield _number("chip", "die", first.area, second.area, lambda value: f"{value:.1f} mm²")
    for name, unit in (("watts", "W at most"), ("dollars", "USD to make")):
        totals = [_total(one, name) for one in (first, second)]
        yield _number("chip", name, totals[0], totals[1], lambda value, unit=unit: f"{value:,.0f} {unit}")


def _total(chip: ChipRecord, name: str) -> float | None:
    values = [getattr(part, name) for part in chip.parts]
    return sum(values) if values and None not in values else None


def _searches(first: Result, second: Result) -> Iterator[Row]:
    if first.search is None or second.search is None:
        return
    group, pair = "search", (first.search, second.search)
    alike = pair[0].objective == pair[1].objective
    for name in ("value", "bound"):
        values = [getattr(one, name) for one in pair]
        times = values[1] / values[0] if alike and values[0] else None
        yield Row(group, name, pair[0].text(values[0]), pair[1].text(values[1]), times)
    yield _said(group, "gap", [percent_text(one.gap, 1) for one in pair])
    yield _number(group, "chips", pair[0].points, pair[1].points, count_text)
    yield _number(group, "evaluated", pair[0].evaluated, pair[1].evaluated, count_text)
    yield _number(group, "seconds", pair[0].seconds, pair[1].seconds, seconds_text)


def _models(first: ModelRecord, second: ModelRecord) -> Iterator[Row]:
    group, pair = first.name, (first, second)
    plans = (first.plan, second.plan)
    yield _number(group, "seconds of an iteration", plans[0].seconds, plans[1].seconds, seconds_text)
    yield _said(group, "nine measurements in ten", [" to ".join(map(seconds_text, one.interval)) for one in plans])
    yield _number(
        group, "sequences or images a second", plans[0].samples, plans[1].samples, lambda value: f"{value:,.4g}"
    )
    yield _number(group, "of the peak (MFU)", plans[0].mfu, plans[1].mfu, lambda value: percent_text(value, 1))
    yield from _energies(group, plans[0].energy, plans[1].energy)
    for part in first.time.parts:
        yield _number(group, part, first.time.parts[part], second.time.parts.get(part), seconds_text)
    fullest = [max(sum(stage.values()) for stage in one.memory.stages) for one in pair]
    yield _number(group, "bytes of the fullest device", fullest[0], fullest[1], lambda value: bytes_text(int(value)))
    yield from _texts(group, first.plan.strategy, second.plan.strategy)


def _energies(group: str, first: EnergyRecord | None, second: EnergyRecord | None) -> Iterator[Row]:
    """What an iteration takes, where that is known of one of them."""
    if first is None and second is None:
        return
    named: tuple[tuple[str, str, Callable[..., str]], ...] = (
        ("joules of an iteration", "joules", joules_text),
        ("joules of a sequence or image", "per_sample", joules_text),
        ("mean watts of a device", "mean_watts", watts_text),
    )
    for name, field, text in named:
        values = [None if one is None else getattr(one, field) for one in (first, second)]
        yield _number(group, name, values[0], values[1], text)


def _serving(keys: ServingKeys | None) -> dict[str, str]:
    """What is served, by name; nothing in a study that trains."""
    if keys is None:
        return {}
    limits = {name: seconds_text(limit) for name, limit in keys.limits.items() if limit < inf}
    tokens = {name: count_text(getattr(keys, name)) for name in ("prompt", "output")}
    return {**tokens, **limits, **{name: getattr(keys, name) for name in ("phase", "dtype", "kv_dtype")}}


def _served(first: ServedRecord, second: ServedRecord) -> Iterator[Row]:
    group, pair = first.name, (first, second)
    best = [one.best for one in pair]
    yield _number(group, "tokens a second", best[0].tokens, best[1].tokens, tokens_text)
    yield _said(group, "nine measurements in ten", [" to ".join(map(tokens_text, one.interval)) for one in pair])
    yield _number(group, "first token", best[0].ttft, best[1].ttft, seconds_text)
    yield _number(group, "between tokens", best[0].tpot, best[1].tpot, seconds_text)
    fullest = [max(sum(stage.values()) for stage in one.memory.stages) for one in pair]
    yield _number(group, "bytes of the fullest device", fullest[0], fullest[1], lambda value: bytes_text(int(value)))
    for name in ("tensor", "pipeline", "expert", "data", "batch", "prompts"):
        yield _number(group, name, getattr(best[0], name), getattr(best[1], name), count_text)


def _texts(group: str, first: Mapping[str, str], second: Mapping[str, str]) -> Iterator[Row]:
    for name in dict.fromkeys((*first, *second)):
        yield Row(group, name.replace("_", " "), first.get(name, ""), second.get(name, ""))


def _number(group: str, name: str, first: float | None, second: float | None, text: Callable[..., str]) -> Row:
    said = ["" if value is None else text(value) for value in (first, second)]
    return Row(group, name, said[0], said[1], second / first if first and second is not None else None)


def _said(group: str, name: str, texts: Sequence[str]) -> Row:
    return Row(group, name, texts[0], texts[1])


def _notes(first: Result, second: Result, shared: list[str]) -> Iterator[str]:
    asked = [one.study for one in (first, second)]
    serving = [one.serving for one in asked]
    if (serving[0] is None) != (serving[1] is None):
        yield "one trains, the other serves"
    elif serving[0] != serving[1]:
        yield "prompts, answers or limits differ"
    if not shared:
        yield "no model is in both"
    if asked[0].global_batch != asked[1].global_batch:
        yield "the global batches differ: compare sequences a second, not seconds"
    if first.devices != second.devices:
        yield f"{count_text(first.devices)} devices against {count_text(second.devices)}"
    if first.made.version != second.made.version:
        yield f"made by versions {first.made.version} and {second.made.version}"
    if first.served is not None and second.served is not None and shared:
        yield from _near(first.served, second.served)
        return
    for one in shared:
        pair = [next(model for model in result.models if model.name == one).plan for result in (first, second)]
        low, high = pair[0].interval
        if low <= pair[1].seconds <= high and pair[0].seconds != pair[1].seconds:
            yield f"{one}: B's seconds lie within A's interval: only a measurement tells which is faster"


def _near(first: ServedRecord, second: ServedRecord) -> Iterator[str]:
    low, high = first.interval
    if low <= second.best.tokens <= high and first.best.tokens != second.best.tokens:
        yield f"{first.name}: B's tokens lie within A's interval: only a measurement tells which makes more"
