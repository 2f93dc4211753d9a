"""The sections of a report that are about one model: its plan, timelines, bytes, seconds, neighbours, other chips."""

from __future__ import annotations

from collections.abc import Iterator

from intarsia.flow.study import Result
from intarsia.flow.study.model_records import Baseline, EmbeddingRecord, ModelRecord
from intarsia.ground.units import bytes_text, count_text, joules_text, percent_text, seconds_text, watts_text
from intarsia.report.html.markup import Html, element, joined, table
from intarsia.report.html.others import (
    CHIP,
    assumed,
    chip_cells,
    fullest,
    hollow,
    neighbour_table,
    notes,
    stage_rows,
    times_text,
)
from intarsia.report.html.sections import absent, chart, how


def model_section(result: Result, index: int) -> Html:
    """Everything of one model."""
    model = result.models[index]
    title = f"{model.name}: the plan" if len(result.models) > 1 else "The plan"
    return joined(
        [
            element("h2", title, id=f"model-{index}"),
            *_plan(model),
            *_timelines(result, model, index),
            *_memory(result, model, index),
            *_time(result, index),
            *_energy(result, model, index),
            *_sensitivity(result, index),
            *_embeddings(result, model),
            *_baselines(result, model, index),
        ]
    )


def _plan(model: ModelRecord) -> Iterator[Html]:
    plan = model.plan
    tokens = f", sequences of {count_text(model.sequence)} tokens" if model.sequence else ""
    yield element(
        "p",
        f"{model.name}: {count_text(model.parameters)} parameters{tokens}. Files: ",
        element("code", model.folder),
        ".",
    )
    rows = [(name.replace("_", " "), value) for name, value in plan.strategy.items()]
    rows += stage_rows(plan.stages, "plan.json")
    yield element("details", element("summary", "Degrees and switches"), table(("choice", "value"), rows))
    yield notes("What was assumed", plan.notes)


def _timelines(result: Result, model: ModelRecord, index: int) -> Iterator[Html]:
    pairs = (
        ("schedule", "A layer on the cores of the chip", model.schedule),
        ("pipeline", "An iteration on the stages of the pipeline", model.pipeline),
    )
    for name, title, gantt in pairs:
        if gantt is None:
            yield absent(title, model.absent[name])
            continue
        yield element("h3", title)
        facts = "; ".join(f"{key} {value}" for key, value in gantt.facts.items())
        hint = "Hover or focus a bar for its name and times; drag to move."
        yield chart(name, result, f"{facts}.", model=index, hint=hint)


def _memory(result: Result, model: ModelRecord, index: int) -> Iterator[Html]:
    memory = model.memory
    yield element("h3", "Memory of a device")
    yield chart("memory", result, fullest(memory), model=index)
    kinds = [kind for kind in memory.stages[0] if any(stage[kind] for stage in memory.stages)]
    rows = [
        (f"stage {number}", *(bytes_text(stage[kind]) for kind in kinds), bytes_text(sum(stage.values())))
        for number, stage in enumerate(memory.stages)
    ]
    heads = ("stage", *kinds, "all")
    yield element(
        "details", element("summary", "The same as a table"), table(heads, rows, numbers=range(1, len(heads)))
    )


def _time(result: Result, index: int) -> Iterator[Html]:
    model = result.models[index]
    yield element("h3", "Where time goes")
    parts = ", ".join(
        f"{name} {seconds_text(seconds)} ({percent_text(seconds, model.plan.seconds)})"
        for name, seconds in model.time.parts.items()
    )
    rest = f" All other operators take {seconds_text(model.time.others)} together." if model.time.others else ""
    yield chart("time", result, f"An iteration: {parts}.{rest}", model=index)


def _energy(result: Result, model: ModelRecord, index: int) -> Iterator[Html]:
    title, found = "Where energy goes", model.plan.energy
    if found is None:
        yield absent(title, model.absent.get("energy", "the result is older than energies of plans"))
        return
    yield element("h3", title)
    each = f"{joules_text(found.per_sample)} {'a sequence' if found.per_token else 'an image'}"
    token = f", {joules_text(found.per_token)} a token" if found.per_token else ""
    yield chart(
        "energy", result,
        f"An iteration takes {joules_text(found.joules)} ({each}{token}). The mean of a device is "
        f"{watts_text(found.mean_watts)}; busy all over it would take {watts_text(found.peak_watts)}.",
        model=index,
    )  # fmt: skip
    rows = [
        (
            name,
            joules_text(joules),
            percent_text(joules, found.joules),
            watts_text(found.watts[name]),
            watts_text(found.peaks[name]),
        )
        for name, joules in found.parts.items()
    ]
    heads = ("part", "an iteration", "share", "a device, mean", "at most")
    yield element("details", element("summary", "The same as a table"), table(heads, rows, numbers=(1, 2, 3, 4)))


def _sensitivity(result: Result, index: int) -> Iterator[Html]:
    model = result.models[index]
    yield element("h3", "What one step of each resource buys")
    against = f"against {seconds_text(model.plan.seconds)}"
    caption = f"Seconds of an iteration under the best plan after one change, {against}.{hollow(model.neighbours)}"
    yield chart("sensitivity", result, caption, model=index)
    reached = ((one, "–" if one.seconds is None else seconds_text(one.seconds)) for one in model.neighbours)
    yield neighbour_table("seconds", reached)


def _embeddings(result: Result, model: ModelRecord) -> Iterator[Html]:
    title = "How the dominant operators run on a tensor core"
    if not model.embeddings:
        yield absent(title, model.absent["embeddings"])
        return
    yield element("h3", title)
    for one in model.embeddings:
        asked = element("p", f"Asked for by {'; '.join(one.names)}.", class_="note")
        nests = (element("pre", one.operator), element("pre", one.nest))
        yield element("details", element("summary", _embedding(one)), *nests, asked)
    yield how(next(figure for figure in result.figures if figure.section == "embeddings"))


def _embedding(one: EmbeddingRecord) -> str:
    return (
        f"{one.operator.splitlines()[0]} on {one.instruction}: {percent_text(one.share, 1)} of all operators' seconds, "
        f"{count_text(one.calls)} calls; {one.facts}, {percent_text(one.utilisation, 1)} of the lanes work"
    )


def _baselines(result: Result, model: ModelRecord, index: int) -> Iterator[Html]:
    if not model.baselines:
        yield absent("Other chips under their own best plans", model.absent["baselines"])
        return
    yield element("h3", "Other chips under their own best plans")
    devices = count_text(result.devices)
    yield chart(
        "baselines",
        result,
        f"Sequences or images a second of {devices} devices, with the interval of each prediction.",
        model=index,
    )
    assert result.chip is not None
    chip, plan = result.chip, model.plan
    rows = [_row(chip.name, chip.peak_flops, chip.hbm_bytes, chip.hbm_bandwidth, plan.seconds, 1.0, "this study's")]
    rows += [
        _row(one.chip, one.peak_flops, one.hbm_bytes, one.hbm_bandwidth, one.seconds, one.times, _said(one))
        for one in model.baselines
    ]
    yield table((*CHIP, "seconds", "times", "plan"), rows, numbers=range(1, 6), ours=0)
    yield assumed(model.baselines)


def _said(one: Baseline) -> str:
    return "; ".join(text for text in (one.plan, one.because) if text)


def _row(
    name: str, flops: float, size: int, bandwidth: float, seconds: float | None, times: float | None, plan: str
) -> tuple[str, ...]:
    taken = "–" if seconds is None else seconds_text(seconds)
    return (*chip_cells(name, flops, size, bandwidth), taken, times_text(times), plan)
