"""The sections of a report that are about one model: its plan, timelines, bytes, seconds, neighbours, other chips."""

from __future__ import annotations

from collections.abc import Iterator

from intarsia.flow.study import Result
from intarsia.flow.study.model_records import Baseline, EmbeddingRecord, ModelRecord
from intarsia.ground.units import bytes_text, count_text, flops_text, percent_text, rate_text, ratio_text, seconds_text
from intarsia.report.html.markup import Html, element, joined, table
from intarsia.report.html.sections import absent, chart, how

SHOWN_STAGES = 8


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
    rows += [(f"stage {index}", text) for index, text in enumerate(plan.stages[:SHOWN_STAGES])]
    if len(plan.stages) > SHOWN_STAGES:
        rows.append(("stages", f"{len(plan.stages)} in all; the others in plan.json"))
    yield element("details", element("summary", "Degrees and switches"), table(("choice", "value"), rows))
    yield element(
        "details", element("summary", "What was assumed"), element("ul", *(element("li", note) for note in plan.notes))
    )


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
    fullest = max(range(len(memory.stages)), key=lambda stage: sum(memory.stages[stage].values()))
    used = sum(memory.stages[fullest].values())
    yield chart(
        "memory", result,
        f"Bytes of one device of each stage by kind. The fullest, stage {fullest}, holds {bytes_text(used)} of "
        f"{bytes_text(memory.capacity)} ({percent_text(used, memory.capacity)}).",
        model=index,
    )  # fmt: skip
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


def _sensitivity(result: Result, index: int) -> Iterator[Html]:
    model = result.models[index]
    yield element("h3", "What one step of each resource buys")
    over = any(one.within is False for one in model.neighbours)
    hollow = " Hollow, with *: such a chip is over the budget." if over else ""
    against = f"against {seconds_text(model.plan.seconds)}"
    caption = f"Seconds of an iteration under the best plan after one change, {against}.{hollow}"
    yield chart("sensitivity", result, caption, model=index)
    rows = [
        (
            one.resource,
            one.before,
            one.after,
            "–" if one.seconds is None else seconds_text(one.seconds),
            "–" if one.times is None else ratio_text(one.times),
            "–" if one.area is None else f"{one.area:.1f}" + (" *" if one.within is False else ""),
            one.because,
        )
        for one in model.neighbours
    ]
    heads = ("resource", "from", "to", "seconds", "times", "die, mm²", "")
    yield element("details", element("summary", "The same as a table"), table(heads, rows, numbers=(1, 2, 3, 4, 5)))


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
    heads = ("chip", "peak in bf16", "HBM", "HBM bandwidth", "seconds", "times", "plan")
    yield table(heads, rows, numbers=(1, 2, 3, 4, 5), ours=0)
    assumed = [
        f"{one.cluster}: {text}" for one in model.baselines for text in (f"efficiencies {one.efficiency}", *one.assumed)
    ]
    yield element(
        "details",
        element("summary", "What was assumed of them"),
        element("ul", *(element("li", text) for text in assumed)),
    )


def _said(one: Baseline) -> str:
    return "; ".join(text for text in (one.plan, one.because) if text)


def _row(
    name: str, flops: float, size: int, bandwidth: float, seconds: float | None, times: float | None, plan: str
) -> tuple[str, ...]:
    return (
        name,
        flops_text(flops),
        f"{size / 2**30:g} GiB",
        rate_text(bandwidth),
        "–" if seconds is None else seconds_text(seconds),
        "–" if times is None else ratio_text(times),
        plan,
    )
