"""A schedule as a picture: one line for each core, one bar for each task, in the colours of the reader's background."""

from __future__ import annotations

from itertools import groupby
from math import ceil, floor, log10
from xml.sax.saxutils import escape

from intarsia.ground.units import seconds_text
from intarsia.schedule.problem import ScheduleProblem, Task
from intarsia.schedule.schedule import Schedule, Slot
from intarsia.schedule.trace import lanes

WIDTH, LEFT, RIGHT, TOP, LINE, BAR = 1200, 112, 24, 64, 26, 22
LETTER = 6.2
"""Width of a letter of a bar's name; names that do not fit are told by pointing at the bar."""

STYLE = """
text { font: 11px system-ui, sans-serif; fill: #1f2933; }
.title { font-size: 14px; font-weight: 600; }
.quiet { fill: #7b8794; }
.rule { stroke: #e4e7eb; stroke-width: 1; }
.bound { stroke: #1f2933; stroke-width: 1; stroke-dasharray: 3 3; }
.bar { stroke: #52606d; stroke-width: 0.5; }
.paper { fill: #ffffff; }
.tensor { fill: #9cc3ee; } .second { fill: #c9b6ec; } .vector { fill: #a9d8b0; } .network { fill: #f2c58c; }
@media (prefers-color-scheme: dark) {
  text { fill: #e4e7eb; }
  .quiet { fill: #9aa5b1; }
  .rule { stroke: #2b333c; }
  .bound { stroke: #e4e7eb; }
  .bar { stroke: #9aa5b1; }
  .paper { fill: #14181d; }
  .tensor { fill: #2f6299; } .second { fill: #5f4a99; } .vector { fill: #2f7042; } .network { fill: #96641f; }
}
"""
"""Colours stand at each class, not in variables: most programs that draw SVG, browsers apart, know none."""


def svg(problem: ScheduleProblem, schedule: Schedule, *, title: str = "") -> str:
    """The picture as the text of an SVG file; free tasks are left out, and a spread task is one tall bar."""
    rows = {(kind, core): number for number, (kind, core, _) in enumerate(lanes(problem))}
    height = TOP + LINE * len(rows) + 34
    scale = (WIDTH - LEFT - RIGHT) / (schedule.makespan or 1.0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
        f'<text class="title" x="{LEFT}" y="24">{escape(title or "Schedule")}</text>',
        f'<text class="quiet" x="{LEFT}" y="42">{escape(_caption(problem, schedule))}</text>',
        *_axis(schedule.makespan, scale, height),
        *_names(problem),
    ]
    for task, slot in zip(problem.tasks, schedule.slots, strict=True):
        if slot.cores:
            parts.append(_bar(task, slot, rows[task.kind_on(second=slot.second), slot.cores[0]], scale))
    parts.append(_line("bound", LEFT + schedule.bound * scale, TOP - 6, height - 28))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _caption(problem: ScheduleProblem, schedule: Schedule) -> str:
    proof = "proved optimal" if schedule.optimal else f"at least {seconds_text(schedule.bound)} (dashed)"
    return f"{len(problem.tasks)} tasks in {seconds_text(schedule.makespan)}, {proof}"


def _names(problem: ScheduleProblem) -> list[str]:
    """The lines' names, with a rule between two kinds."""
    parts, row = [], 0
    for _, own in groupby(lanes(problem), key=lambda lane: lane[0]):
        if row:
            y = TOP + LINE * row - 2
            parts.append(f'<line class="rule" x1="8" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}"/>')
        for _, _, name in own:
            y = TOP + LINE * row + 15
            parts.append(f'<text class="quiet" x="{LEFT - 10}" y="{y}" text-anchor="end">{name}</text>')
            row += 1
    return parts


def _axis(makespan: float, scale: float, height: int) -> list[str]:
    """Vertical rules at round times, at most about ten."""
    if makespan <= 0:
        return []
    step = 10.0 ** floor(log10(makespan))
    step *= next(factor for factor in (0.1, 0.2, 0.5, 1.0) if makespan / (step * factor) <= 12)
    parts = []
    for number in range(ceil(makespan / step)):
        x = LEFT + number * step * scale
        parts.append(_line("rule", x, TOP - 6, height - 28))
        place = f'x="{x:.1f}" y="{height - 12}" text-anchor="middle"'
        parts.append(f'<text class="quiet" {place}>{seconds_text(number * step)}</text>')
    return parts


def _class(slot: Slot, task: Task) -> str:
    return "second" if slot.second else str(task.kind)


def _line(name: str, x: float, top: int, bottom: int) -> str:
    return f'<line class="{name}" x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}"/>'


def _bar(task: Task, slot: Slot, row: int, scale: float) -> str:
    x, y = LEFT + slot.start * scale, TOP + LINE * row
    width, height = (slot.finish - slot.start) * scale, LINE * (len(slot.cores) - 1) + BAR
    place = f'x="{x:.1f}" y="{y}" width="{max(width, 0.5):.1f}" height="{height}" rx="2"'
    told = f"{task.name}: {seconds_text(slot.start)} to {seconds_text(slot.finish)}" + ", spread" * slot.spread
    bar = f'<g><title>{escape(told)}</title><rect class="bar {_class(slot, task)}" {place}/>'
    middle, centre = x + width / 2, y + height / 2
    long = len(task.name) * LETTER + 6
    if long <= width:
        bar += f'<text x="{middle:.1f}" y="{centre + 4:.1f}" text-anchor="middle">{escape(task.name)}</text>'
    elif long <= height and width >= 12:
        turn = f'transform="rotate(-90 {middle:.1f} {centre:.1f})"'
        bar += f'<text x="{middle:.1f}" y="{centre + 4:.1f}" text-anchor="middle" {turn}>{escape(task.name)}</text>'
    return bar + "</g>"
