"""The section of a report about a model that answers: deployment, limits, bytes, seconds, neighbours, other chips."""

from __future__ import annotations

from collections.abc import Iterator

from intarsia.flow.study import Result
from intarsia.flow.study.serving.records import DeploymentRecord, LimitRecord, ServedRecord, ServingBaseline
from intarsia.ground.units import (
    bytes_text,
    count_text,
    flops_text,
    percent_text,
    rate_text,
    ratio_text,
    seconds_text,
    tokens_text,
)
from intarsia.report.html.markup import Html, element, joined, table
from intarsia.report.html.sections import absent, chart, how

DEGREES = ("tensor", "pipeline", "expert", "data", "batch", "prompts")
SHOWN_STAGES = 8


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
    stages = [(f"stage {index}", text) for index, text in enumerate(served.stages[:SHOWN_STAGES])]
    if len(served.stages) > SHOWN_STAGES:
        stages.append(("stages", f"{len(served.stages)} in all; the others in result.json"))
    yield element("details", element("summary", "Layers of the stages"), table(("", "layers"), stages))
    notes = element("ul", *(element("li", note) for note in served.notes))
    yield element("details", element("summary", "What was assumed"), notes)


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
            "–" if one.times is None else ratio_text(one.times),
        )
        for one in served.limits
    ]
    heads = ("limit", "reached", "at most", "used", "instead", "tokens/s then", "times")
    yield table(heads, rows, numbers=(1, 2, 3, 5, 6))
    yield how(next(figure for figure in result.figures if figure.section == "limits"))


def _limit(one: LimitRecord, value: float) -> str:
    return seconds_text(value) if one.unit == "s" else bytes_text(int(value))


def _memory(result: Result, served: ServedRecord) -> Iterator[Html]:
    memory = served.memory
    yield element("h3", "Memory of a device")
    fullest = max(range(len(memory.stages)), key=lambda stage: sum(memory.stages[stage].values()))
    used = sum(memory.stages[fullest].values())
    caption = (
        f"Bytes of one device of each stage by kind. The fullest, stage {fullest}, holds {bytes_text(used)} of "
        f"{bytes_text(memory.capacity)} ({percent_text(used, memory.capacity)})."
    )
    yield chart("memory", result, caption)


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
    over = any(one.within is False for one in served.neighbours)
    hollow = " Hollow, with *: such a chip is over the budget." if over else ""
    against = f"against {tokens_text(served.best.tokens)}"
    caption = f"Tokens a second under the best deployment after one change, {against}.{hollow}"
    yield chart("sensitivity", result, caption)
    rows = [
        (
            one.resource,
            one.before,
            one.after,
            "–" if one.tokens is None else tokens_text(one.tokens),
            "–" if one.times is None else ratio_text(one.times),
            "–" if one.area is None else f"{one.area:.1f}" + (" *" if one.within is False else ""),
            one.because,
        )
        for one in served.neighbours
    ]
    heads = ("resource", "from", "to", "tokens/s", "times", "die, mm²", "")
    yield element("details", element("summary", "The same as a table"), table(heads, rows, numbers=(1, 2, 3, 4, 5)))


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
    ours = (chip.name, flops_text(chip.peak_flops), f"{chip.hbm_bytes / 2**30:g} GiB", rate_text(chip.hbm_bandwidth))
    pace = (tokens_text(best.tokens), ratio_text(1.0), _seconds(best.ttft), _seconds(best.tpot))
    rows = [(*ours, *pace, "this study's"), *map(_other, served.baselines)]
    heads = (
        "chip",
        "peak in bf16",
        "HBM",
        "HBM bandwidth",
        "tokens/s",
        "times",
        "first token",
        "between",
        "deployment",
    )
    yield table(heads, rows, numbers=range(1, 8), ours=0)
    assumed = [
        f"{one.cluster}: {text}"
        for one in served.baselines
        for text in (f"efficiencies {one.efficiency}", *one.assumed)
    ]
    listed = element("ul", *(element("li", text) for text in assumed))
    yield element("details", element("summary", "What was assumed of them"), listed)


def _other(one: ServingBaseline) -> tuple[str, ...]:
    return (
        one.chip,
        flops_text(one.peak_flops),
        f"{one.hbm_bytes / 2**30:g} GiB",
        rate_text(one.hbm_bandwidth),
        "–" if one.tokens is None else tokens_text(one.tokens),
        "–" if one.times is None else ratio_text(one.times),
        _seconds(one.ttft),
        _seconds(one.tpot),
        one.deployment or one.because,
    )
