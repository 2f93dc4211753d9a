"""The section of a report about a model that answers: deployment, limits, bytes, seconds, neighbours, other chips."""

from __future__ import annotations

from collections.abc import Iterator

from intarsia.flow.study import Result
from intarsia.flow.study.serving.records import DeploymentRecord, LimitRecord, ServedRecord, ServingBaseline
from intarsia.ground.units import (
    bytes_text,
    count_text,
    percent_text,
    ratio_text,
    seconds_text,
    tokens_text,
)
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

DEGREES = ("tensor", "pipeline", "expert", "data", "batch", "prompts")


def serving_section(result: Result) -> Html:
    """Everything of the model that answers; nothing in a study that trains."""
    served = result.served
    if served is None:
        return Html("")
    return joined(
        [
            element("h2", "The deployment", id="deployment"),
            *_deployment(result, served),
            *_limits(result, served),
            *_memory(result, served),
            *_round(result, served),
            *_sensitivity(result, served),
            *_baselines(result, served),
        ]
    )


def serving_facts(served: ServedRecord) -> list[tuple[str, str, str]]:
    """The figures of the head: name, value, and what else to know."""
    low, high = served.interval
    facts = [("tokens a second", tokens_text(served.best.tokens), f"{tokens_text(low)} to {tokens_text(high)}")]
    for name, seconds, title in (
        ("first token", served.best.ttft, "time to the first token"),
        ("between tokens", served.best.tpot, "time between tokens"),
    ):
        if seconds is not None:
            limit = next((one.limit for one in served.limits if one.name == title), None)
            facts.append((name, seconds_text(seconds), "" if limit is None else f"at most {seconds_text(limit)}"))
    return facts


def _deployment(result: Result, served: ServedRecord) -> Iterator[Html]:
    asked = f"prompts of {count_text(served.prompt)} tokens, {count_text(served.output)} made of each answer"
    yield element("p", f"{served.name}: {count_text(served.parameters)} parameters; {asked}.")
    its = served.best
    each = its.tensor * its.pipeline
    idle = f"; {count_text(served.idle)} are idle" if served.idle else ""
    caption = (
        f"{count_text(its.data)} replica{'s' if its.data > 1 else ''} of {count_text(each)} "
        f"device{'s' if each > 1 else ''} each{idle}. A replica answers {count_text(its.batch)} sequences at once, "
        f"and reads {count_text(its.prompts)} prompt{'s' if its.prompts > 1 else ''} at a time."
    )
    yield chart("deployment", result, caption)
    rows = [_row("best", its), *(_row(f"{at}.", one) for at, one in enumerate(served.runners_up, 2))]
    heads = ("deployment", "tokens/s", "first token", "between", *DEGREES)
    yield table(heads, rows, numbers=range(1, len(heads)), ours=0)
    told = served.considered
    text = (
        f"Of {count_text(told['degrees'])} ways to cut a replica {count_text(told['full'])} do not fit, "
        f"{count_text(told['late'])} are too late, {count_text(told['slower'])} are bounded away, and the best number "
        f"of sequences of {count_text(told['solved'])} is known: no deployment makes more."
    )
    yield element("p", text, class_="note")
    stages = table(("", "layers"), stage_rows(served.stages, "result.json"))
    yield element("details", element("summary", "Layers of the stages"), stages)
    yield notes("What was assumed", served.notes)


def _row(name: str, one: DeploymentRecord) -> tuple[str, ...]:
    degrees = (count_text(getattr(one, degree)) for degree in DEGREES)
    return name, tokens_text(one.tokens), _seconds(one.ttft), _seconds(one.tpot), *degrees


def _seconds(value: float | None) -> str:
    return "–" if value is None else seconds_text(value)


def _limits(result: Result, served: ServedRecord) -> Iterator[Html]:
    yield element("h3", "Limits, and what binds")
    binding = [one.name for one in served.limits if one.times is not None and one.times > 1]
    yield element("p", f"What binds: {', '.join(binding)}." if binding else "None of these binds: others do (below).")
    rows = [
        (
            one.name,
            _limit(one, one.value),
            _limit(one, one.limit),
            percent_text(one.value, one.limit),
            one.freed,
            "–" if one.tokens is None else tokens_text(one.tokens),
            times_text(one.times),
        )
        for one in served.limits
    ]
    heads = ("limit", "reached", "at most", "used", "instead", "tokens/s then", "times")
    yield table(heads, rows, numbers=(1, 2, 3, 5, 6))
    yield how(next(figure for figure in result.figures if figure.section == "limits"))


def _limit(one: LimitRecord, value: float) -> str:
    return seconds_text(value) if one.unit == "s" else bytes_text(int(value))


def _memory(result: Result, served: ServedRecord) -> Iterator[Html]:
    yield element("h3", "Memory of a device")
    yield chart("memory", result, fullest(served.memory))


def _round(result: Result, served: ServedRecord) -> Iterator[Html]:
    yield element("h3", "Where time goes")
    parts = [
        f"{name} {seconds_text(sum(kinds.values()))} ({', '.join(_share(kinds))})"
        for name, kinds in served.round.items()
    ]
    floor = ""
    if served.step is not None and served.hbm_step is not None:
        share = percent_text(served.hbm_step, served.step)
        floor = f" A step takes {seconds_text(served.step)}; the HBM alone would take {share} of it."
    caption = f"A round of the slowest stage, in which each place of a replica answers once: {'; '.join(parts)}.{floor}"
    yield chart("round", result, caption)


def _share(kinds: dict[str, float]) -> Iterator[str]:
    whole = sum(kinds.values())
    for name, seconds in kinds.items():
        if seconds > 0.005 * whole:
            yield f"{name} {percent_text(seconds, whole)}"


def _sensitivity(result: Result, served: ServedRecord) -> Iterator[Html]:
    yield element("h3", "What one step of each resource buys")
    against = f"against {tokens_text(served.best.tokens)}"
    caption = f"Tokens a second under the best deployment after one change, {against}.{hollow(served.neighbours)}"
    yield chart("sensitivity", result, caption)
    reached = ((one, "–" if one.tokens is None else tokens_text(one.tokens)) for one in served.neighbours)
    yield neighbour_table("tokens/s", reached)


def _baselines(result: Result, served: ServedRecord) -> Iterator[Html]:
    title = "Other chips under their own best deployments"
    if not served.baselines:
        yield absent(title, served.absent["baselines"])
        return
    yield element("h3", title)
    devices = count_text(result.devices)
    caption = f"Tokens a second of {devices} devices under the same limits, with the interval of each prediction."
    yield chart("baselines", result, caption)
    assert result.chip is not None
    chip, best = result.chip, served.best
    ours = chip_cells(chip.name, chip.peak_flops, chip.hbm_bytes, chip.hbm_bandwidth)
    pace = (tokens_text(best.tokens), ratio_text(1.0), _seconds(best.ttft), _seconds(best.tpot))
    rows = [(*ours, *pace, "this study's"), *map(_other, served.baselines)]
    heads = (*CHIP, "tokens/s", "times", "first token", "between", "deployment")
    yield table(heads, rows, numbers=range(1, 8), ours=0)
    yield assumed(served.baselines)


def _other(one: ServingBaseline) -> tuple[str, ...]:
    return (
        *chip_cells(one.chip, one.peak_flops, one.hbm_bytes, one.hbm_bandwidth),
        "–" if one.tokens is None else tokens_text(one.tokens),
        times_text(one.times),
        _seconds(one.ttft),
        _seconds(one.tpot),
        one.deployment or one.because,
    )
