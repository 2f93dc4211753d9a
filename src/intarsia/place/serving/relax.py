"""Why nothing can be served as asked, and the smallest change of one thing that helps."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from math import ceil, floor, inf, log10

from intarsia.ground.units import bytes_text, seconds_text
from intarsia.place.serving.cut import EQUAL, Cut, all_cuts
from intarsia.place.serving.memory import memory
from intarsia.place.serving.plan import Served
from intarsia.place.serving.prices import Prices
from intarsia.place.serving.solve import fewest
from intarsia.place.serving.task import WIDEST, Degrees, ServingChoices, ServingTask, prompts_of

MOST_NODES = 4096
"""Beyond which nobody looks for devices that are enough."""


def refusal(prices: Prices) -> tuple[tuple[str, ...], str]:
    """The reasons, and the relaxation: of a question that has no answer."""
    least = [(cut, fewest(cut)) for cut in all_cuts(prices)]
    fitting = [(cut, served) for cut, served in least if served is not None]
    others = _freed(prices)
    if fitting:
        because, limits = _late(prices.task, [served for _, served in fitting])
        return because, "; or ".join([*limits, *others, *_devices(prices, _in_time, WIDEST)])
    devices = _devices(prices, lambda cut: cut.fits, MOST_NODES * prices.task.cluster.levels[0].devices)
    return _full(prices, [cut for cut, _ in least]), "; or ".join([*others, *devices]) or LAST


MISMATCH = (
    "no choices fit together: tensor × pipeline × data within the devices, expert a divisor of data, "
    "batch a multiple of pipeline, prompts at most batch ÷ pipeline"
)
LAST = "a smaller model, shorter sequences, or devices with more memory"


def _full(prices: Prices, cuts: list[Cut]) -> tuple[str, ...]:
    """The bytes of the leanest cut, in its fullest stage, for the fewest sequences."""
    task = prices.task
    stages = [
        (stage.total, at, deployment, stage)
        for deployment in (cut.smallest for cut in cuts)
        if deployment is not None
        for at, stage in [max(enumerate(memory(task, prices.chains, deployment)), key=lambda pair: pair[1].total)]
    ]
    if not stages:
        return (MISMATCH,)
    total, at, deployment, stage = min(stages, key=lambda entry: (entry[0], entry[2]))
    kinds = ", ".join(f"{name} {bytes_text(size)}" for name, size in stage.kinds().items() if size)
    whole = f"{bytes_text(total)} of {bytes_text(task.cluster.chip.hbm_bytes)}"
    sequences = "one sequence" if deployment.batch == 1 else f"{deployment.batch} sequences"
    return (f"stage {at} of {_text(deployment.degrees)} needs {whole} for {sequences}: {kinds}",)


def _late(task: ServingTask, least: list[Served]) -> tuple[tuple[str, ...], list[str]]:
    """What is too late, and the limits that could be met, each while the other one stays."""
    first, between = min(least, key=_ttft), min(least, key=_tpot)
    told = {
        "ttft": (task.ttft, _ttft(first), first.deployment.degrees),
        "tpot": (task.tpot, _tpot(between), between.deployment.degrees),
    }
    alone = [name for name, (limit, best, _) in told.items() if best > limit]
    together = "" if alone else "; not both at once"
    because = [
        f"{name} {limit:g} s: {seconds_text(best)} at least, {_text(degrees)}{together}"
        for name, (limit, best, degrees) in told.items()
        if limit < inf and name in (alone or told)
    ]
    later = [_ttft(served) for served in least if _tpot(served) <= task.tpot]
    slower = [_tpot(served) for served in least if _ttft(served) <= task.ttft]
    changes = [f"ttft {_limit(min(later))} s"] if later else []
    changes += [f"tpot {_limit(min(slower))} s"] if slower else []
    if not changes:
        pair = min(least, key=lambda served: max(_ttft(served) / task.ttft, _tpot(served) / task.tpot))
        changes = [f"ttft {_limit(_ttft(pair))} s and tpot {_limit(_tpot(pair))} s"]
    return tuple(because), changes


def _limit(seconds: float) -> str:
    """Three digits, rounded up, so that it can be met."""
    step = 10.0 ** (floor(log10(seconds)) - 2)
    return f"{ceil(seconds / step * (1 + EQUAL)) * step:.3g}"


def _ttft(served: Served) -> float:
    return served.pace.ttft


def _tpot(served: Served) -> float:
    return served.pace.tpot


def _freed(prices: Prices) -> list[str]:
    """For each restricted choice the value nearest to what was asked that suffices, if it alone is free."""
    task = prices.task
    helps = []
    for field in fields(ServingChoices):
        asked = getattr(task.choices, field.name)
        if asked:
            freed = replace(task, choices=replace(task.choices, **{field.name: ()}))
            cuts = all_cuts(Prices(freed, prices.chains))
            values = [
                getattr(served.deployment, field.name)
                for cut in cuts
                for served in (*_largest(cut, asked if field.name == "batch" else ()), fewest(cut))
                if served is not None and cut.meets(served)
            ]
            if values:
                helps.append(f"{field.name} {min(values, key=lambda v: (min(abs(v - n) for n in asked), v))}")
    return helps


def _largest(cut: Cut, asked: tuple[int, ...]) -> Iterator[Served]:
    """For each batch that was asked for, the largest one that is not larger and fits."""
    prompts = prompts_of(cut.task)[0]
    for batch in asked:
        sequences = min(cut.most(prompts), batch // cut.degrees.pipeline)
        if sequences >= prompts:
            yield cut.served(sequences, prompts)


def _in_time(cut: Cut) -> bool:
    """Whether the fewest sequences of a cut meet the limits."""
    served = fewest(cut)
    return served is not None and cut.meets(served)


def _devices(prices: Prices, enough: Callable[[Cut], bool], most: int) -> list[str]:
    """The fewest devices, in whole nodes or within one, with which some cut is enough; more are never less so.

    Args:
        prices: of the question.
        enough: what a cut must be.
        most: devices beyond which nobody looks.
    """
    task = prices.task
    node = task.cluster.levels[0].devices

    def suffice(devices: int) -> bool:
        on = Prices(_on(task, devices), prices.chains)
        return any(map(enough, all_cuts(on)))

    short = task.cluster.devices
    unit = node if short >= node or not suffice(node) else 1
    low = high = short // unit
    while high * unit < most:
        low, high = high, max(2 * high, 1)
        if suffice(high * unit):
            first = bisect_left(range(low + 1, high), True, key=lambda units: suffice(units * unit))
            return [f"{(low + 1 + first) * unit} devices"]
    return []


def _on(task: ServingTask, devices: int) -> ServingTask:
    """The same task on more devices; bytes do not depend on the network, so its last level may reach them all."""
    outermost = task.cluster.levels[-1]
    levels = (*task.cluster.levels[:-1], replace(outermost, devices=max(outermost.devices, devices)))
    return replace(task, cluster=replace(task.cluster, devices=devices, levels=levels))


def _text(degrees: Degrees) -> str:
    parts = [f"{name} {getattr(degrees, name)}" for name in ("tensor", "pipeline", "expert")]
    return ", ".join(part for part in parts if not part.endswith(" 1")) or "one device"
