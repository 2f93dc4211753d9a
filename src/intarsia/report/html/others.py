"""What sections of plans and of deployments share: stages, the fullest device, neighbours, other chips."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from intarsia.flow.study.model_records import Baseline, MemoryRecord, Neighbour
from intarsia.flow.study.serving.records import ServingBaseline, ServingNeighbour
from intarsia.ground.units import bytes_text, flops_text, percent_text, rate_text, ratio_text
from intarsia.report.html.markup import Html, element, table

SHOWN_STAGES = 8
CHIP = ("chip", "peak in bf16", "HBM", "HBM bandwidth")
"""Headings of ``chip_cells``."""


def stage_rows(stages: Sequence[str], file: str) -> list[tuple[str, str]]:
    """The layers of the first stages; of more than a few, where the others stand."""
    rows = [(f"stage {index}", text) for index, text in enumerate(stages[:SHOWN_STAGES])]
    if len(stages) > SHOWN_STAGES:
        rows.append(("stages", f"{len(stages)} in all; the others in {file}"))
    return rows


def notes(summary: str, texts: Iterable[str]) -> Html:
    """Sentences to unfold."""
    return element("details", element("summary", summary), element("ul", *(element("li", text) for text in texts)))


def fullest(memory: MemoryRecord) -> str:
    """The stage whose devices hold the most."""
    used = [sum(stage.values()) for stage in memory.stages]
    at = max(range(len(used)), key=used.__getitem__)
    return (
        f"Bytes of one device of each stage by kind. The fullest, stage {at}, holds {bytes_text(used[at])} of "
        f"{bytes_text(memory.capacity)} ({percent_text(used[at], memory.capacity)})."
    )


def hollow(neighbours: Iterable[Neighbour | ServingNeighbour]) -> str:
    """What a chart of neighbours marks, if it marks any."""
    over = any(one.within is False for one in neighbours)
    return " Hollow, with *: such a chip is over the budget." if over else ""


def neighbour_table(unit: str, neighbours: Iterable[tuple[Neighbour | ServingNeighbour, str]]) -> Html:
    """Neighbours, each with what it reaches in a unit, to unfold."""
    rows = [
        (
            one.resource,
            one.before,
            one.after,
            value,
            times_text(one.times),
            "–" if one.area is None else f"{one.area:.1f}" + (" *" if one.within is False else ""),
            one.because,
        )
        for one, value in neighbours
    ]
    heads = ("resource", "from", "to", unit, "times", "die, mm²", "")
    return element("details", element("summary", "The same as a table"), table(heads, rows, numbers=range(1, 6)))


def times_text(times: float | None) -> str:
    """A ratio, or a dash."""
    return "–" if times is None else ratio_text(times)


def chip_cells(name: str, flops: float, size: int, bandwidth: float) -> tuple[str, ...]:
    """A chip in a row of a table."""
    return name, flops_text(flops), f"{size / 2**30:g} GiB", rate_text(bandwidth)


def assumed(baselines: Iterable[Baseline | ServingBaseline]) -> Html:
    """Where the efficiencies of other chips are from, and what was not published of them."""
    texts = [f"{one.cluster}: {text}" for one in baselines for text in (f"efficiencies {one.efficiency}", *one.assumed)]
    return notes("What was assumed of them", texts)
