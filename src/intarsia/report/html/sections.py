"""The sections of a report that are about the chip and the search: texts, tables, and a place for each chart."""

from __future__ import annotations

from collections.abc import Sequence

from intarsia.flow.study import Result
from intarsia.flow.study.result import Figure
from intarsia.ground.units import count_text, percent_text, seconds_text
from intarsia.report.html.markup import Html, element, joined, table


def head(result: Result, facts: Sequence[tuple[str, str, str]] = ()) -> Html:
    """The answer in a sentence, its figures, and where to find what.

    Args:
        result: what is told.
        facts: more figures, which come first: name, value, and what else to know.
    """
    links = [element("a", title, href=f"#{name}") for name, title in contents(result)]
    return element(
        "header",
        element("h1", result.title),
        element("p", result.sentence, class_="answer"),
        _facts(result, facts),
        element("nav", *links, aria_label="Sections"),
    )


def contents(result: Result) -> list[tuple[str, str]]:
    """Anchors and titles of the sections."""
    several = len(result.models) > 1
    listed = [("chip", "Chip")] if result.chip else []
    listed += [("search", "Search")] if result.search else []
    listed += [(f"model-{index}", one.name if several else "Plan") for index, one in enumerate(result.models)]
    listed += [("deployment", "Deployment")] if result.served else []
    return [*listed, ("made", "How this was made")]


def _facts(result: Result, first: Sequence[tuple[str, str, str]]) -> Html:
    facts = list(first)
    for one in result.models:
        low, high = one.plan.interval
        what = "an iteration" if len(result.models) == 1 else one.name
        facts.append((what, seconds_text(one.plan.seconds), f"{seconds_text(low)} to {seconds_text(high)}"))
    if len(result.models) == 1:
        one = result.models[0]
        rate = f"{one.plan.tokens:,.0f} tokens" if one.plan.tokens else ""
        noun = "sequences a second" if one.plan.tokens else "images a second"
        facts.append((noun, f"{one.plan.samples:,.4g}", rate))
        facts.append(
            (
                "of the peak (MFU)",
                percent_text(one.plan.mfu, 1),
                f"{one.plan.idle} devices idle" if one.plan.idle else "",
            )
        )
    if result.search:
        found = result.search
        facts.append(("gap to the bound", percent_text(found.gap, 1), "schedules included"))
        facts.append(
            ("chips of the space", count_text(found.points), f"{count_text(found.evaluated)} evaluated in full")
        )
    if result.chip and result.chip.area is not None:
        budget = f"of {result.chip.budget:.1f} mm²" if result.chip.budget else ""
        facts.append(("die", f"{result.chip.area:.1f} mm²", budget))
    shown = [
        element("div", element("dt", name), element("dd", value, element("small", more) if more else None))
        for name, value, more in facts
    ]
    return element("dl", *shown, class_="facts")


def chart(name: str, result: Result, caption: str, *, model: int = 0, hint: str = "") -> Html:
    """A place for a chart, with how its figures were made; the hint is for those who can point at it."""
    made = next(one for one in result.figures if one.section == name)
    return element(
        "figure",
        element("figcaption", caption, element("span", f" {hint}", class_="hint") if hint else None),
        how(made),
        data_chart=name,
        data_model=str(model),
        id=f"{name}-{model}",
    )


def how(figure: Figure) -> Html:
    """How the figures of a section were made, to be opened."""
    rests = element("ul", *(element("li", text) for text in figure.rests)) if figure.rests else None
    return element(
        "details", element("summary", "How this was made"), element("p", element("code", figure.made)), rests
    )


def absent(title: str, reason: str) -> Html:
    """A section that there is not."""
    return joined([element("h3", title), element("p", f"Not here: {reason}.", class_="absent")])


def chip_section(result: Result) -> Html:
    """The chip's sizes and parts, drawn where their areas are known."""
    chip = result.chip
    if chip is None:
        return Html("")
    shown: list[Html] = [element("h2", "The chip", id="chip"), element("p", chip.text)]
    if chip.parts:
        shown.append(
            chart(
                "chip",
                result,
                "The die to scale. Every part, and every cell of equal parts, has its share of the area.",
            )
        )
        shown.append(_parts(result))
    else:
        shown.append(absent("The die to scale", result.absent["parts"]))
    shown.append(table(("size", "value"), chip.fields.items()))
    shown.append(element("p", f"Source: {chip.source}.", class_="note"))
    return joined(shown)


def _parts(result: Result) -> Html:
    assert result.chip is not None
    chip, area = result.chip, result.chip.area or 0.0
    rows = [
        (
            part.name,
            f"{count_text(part.count)} × {part.detail}" if part.detail else count_text(part.count),
            f"{part.area:.2f}" if part.area else "–",
            percent_text(part.area, area) if part.area else "–",
            _number(part.watts),
            _number(part.dollars),
        )
        for part in chip.parts
    ]
    watts, dollars = ([getattr(part, name) or 0.0 for part in chip.parts] for name in ("watts", "dollars"))
    rows.append(("all", "", f"{area:.2f}", percent_text(area, area), _number(sum(watts)), _number(sum(dollars))))
    heads = ("part", "number", "mm²", "of the die", "peak watts", "dollars to make")
    return table(heads, rows, numbers=(2, 3, 4, 5), ours=len(rows) - 1)


def _number(value: float | None) -> str:
    return "–" if not value else f"{value:,.1f}"


def search_section(result: Result) -> Html:
    """The certificate, the gap over time, and every chip that was looked at."""
    found = result.search
    if found is None:
        return Html("")
    shown: list[Html] = [element("h2", "The search", id="search"), element("p", certificate(result)), _removed(result)]
    if result.history:
        best, beyond = ("most", "above") if found.most else ("least", "below")
        caption = f"The {best} {found.objective} found so far, and what no chip is {beyond}, while the search ran."
        shown.append(chart("gap", result, caption))
    else:
        shown.append(absent("The gap over time", result.absent["gap"]))
    if result.looked:
        caption = f"What each chip takes of the die, in power or in money, against its {found.objective}."
        shown.append(element("h3", "Every chip that was looked at"))
        shown.append(
            chart("front", result, caption, hint="Hover or focus one to see it; click, or press Enter, to pick it.")
        )
        shown += (
            [element("h3", "The front, proved"), element("p", _front_text(result)), _front(result)]
            if result.front
            else []
        )
    else:
        shown.append(absent("Every chip that was looked at", result.absent["front"]))
    return joined(shown)


UNITS = {"area": "mm²", "watt": "W", "dollar": "$"}


def _front_text(result: Result) -> str:
    found, near = result.search, result.study.tolerance
    assert found is not None
    but = f", but for chips that are less than {percent_text(near, 1)} better" if near else ""
    return (
        f"Of all {count_text(found.points)} chips no other one is as good with as little {found.front}{but}. Any that "
        f"takes less than the next of the list is not below its bound, whatever the schedules of its layers."
    )


def _front(result: Result) -> Html:
    """The chips of the front, each with its bound."""
    found = result.search
    assert found is not None
    rows = [
        (
            f"{one.cost:,.1f} {UNITS[found.front]}",
            count_text(one.devices),
            one.name,
            found.text(one.value),
            found.text(one.bound),
            percent_text(one.gap, 1),
        )
        for one in result.front
    ]
    heads = ("all chips take", "devices", "the chip", "value", "no chip is below", "gap")
    return table(heads, rows, numbers=(0, 1, 3, 4, 5))


def certificate(result: Result) -> str:
    """What the search proved."""
    found = result.search
    assert found is not None
    value, bound = found.text(found.value), found.text(found.bound)
    audit = ""
    if found.audit is not None:
        beaten = "none of them is better" if not found.audit.beaten else f"better: {', '.join(found.audit.beaten)}"
        audit = f" {count_text(found.audit.checked)} removed chips, drawn at random, were evaluated in full: {beaten}."
    best, beyond = ("Most", "above") if found.most else ("Least", "below")
    return (
        f"{best} {found.objective}: {value}; no chip of the space is {beyond} {bound}, whatever the schedules of its "
        f"layers (gap {percent_text(found.gap, 1)}). The search took {seconds_text(found.seconds)}.{audit}"
    )


def _removed(result: Result) -> Html:
    found = result.search
    assert found is not None
    several = len(found.sizes) > 1
    rows: Sequence[tuple[str, str]] = [
        ("combinations of values", count_text(found.combinations)),
        ("within the budget", count_text(found.points)),
        *((f"in {count_text(int(size))} devices", count_text(many)) for size, many in found.sizes.items() if several),
        *((f"removed: {name}", count_text(number)) for name, number in found.removed.items()),
        ("evaluated in full", count_text(found.evaluated)),
    ]
    return table(("chips", "number"), rows, numbers=(1,))
