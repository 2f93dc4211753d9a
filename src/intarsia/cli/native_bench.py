"""``intarsia bench x86``: kernels beside libraries, shape by shape, with what each group must show."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intarsia.cli.native import options_of, peak_json
from intarsia.cli.printing import print_fields, print_json, print_table, progress, to_json
from intarsia.ground import InputError, refuse_unwritable, write_file
from intarsia.ground.units import percent_text, ratio_text, seconds_text

if TYPE_CHECKING:
    from intarsia.flow.native.answers import BenchedShape, NativeBench, Rival, Times

WRONG = 1
WORST = 10
"""Shapes of a long suite that are shown once more, those of the least ratios."""


def run_native_bench(arguments: Namespace) -> int:
    """Run a suite on x86 and print."""
    if arguments.target not in {None, "x86"}:
        raise InputError("the suite is for another target", where="--target", value=arguments.target, allowed="x86")
    kept = arguments.suite == "deepbench"
    for name, given, allowed in (
        ("config", arguments.config, False), ("store", arguments.store, kept), ("fresh", arguments.fresh or None, kept),
    ):  # fmt: skip
        if given is not None and not allowed:
            raise InputError("x86 does not have it", where=f"--{name}", value=str(given))
    if arguments.workers:
        raise InputError("shapes are timed one after the other", where="--workers", value=str(arguments.workers))
    from intarsia import flow

    printed = arguments.json == Path("-")
    if arguments.json is not None and not printed:
        refuse_unwritable(arguments.json)
    with progress("shapes") as told:
        answer = flow.bench_native(
            arguments.suite,
            options_of(arguments),
            against=tuple(filter(None, (arguments.against or "").split(","))),
            which=arguments.set,
            kind=arguments.kind,
            store=arguments.store,
            fresh=arguments.fresh,
            told=told,
        )
    if printed:
        print_json(native_bench_json(answer))
    else:
        if arguments.json is not None:
            write_file(arguments.json, to_json(native_bench_json(answer)) + "\n")
        print_native_bench(answer)
    return 0 if answer.correct else WRONG


def print_native_bench(answer: NativeBench) -> None:
    """The shapes, then the groups."""
    names = list(dict.fromkeys(_short(r.library) for shape in answer.shapes for r in shape.rivals))
    numbers = ("ours", "of peak", "requant.", *names, "ratio")
    print_table(
        ("shape", *numbers, "correct", "embedding"), [_row(shape, names) for shape in answer.shapes], right=numbers
    )
    print()
    print_table(
        ("group", "shapes", "mean", "goal", "least", "goal ", "met"),
        [_group_row(answer, group) for group in answer.groups],
        right=("shapes", "mean", "goal", "least", "goal "),
    )
    print()
    if len(answer.slowest) > 2 * WORST:
        numbers = ("ratio", "of peak")
        slow = [_slow_row(*one) for one in answer.slowest[:WORST]]
        print_table(("least", *numbers, "library", "most time"), slow, right=numbers)
        print()
    peak = next((shape.peak for shape in answer.shapes if shape.peak), None)
    untimed = [(shape.name, r) for shape in answer.shapes for r in shape.rivals if r.why]
    absent = sorted({r.library for _, r in untimed if r.why == "not installed"})
    told = [f"{name}, {r.library}: {r.why.splitlines()[0]}" for name, r in untimed if r.why != "not installed"]
    print_fields(
        [
            ("processor", f"{answer.processor}, {_where(answer)}"),
            ("features", answer.features),
            ("peak", "" if peak is None else f"{peak.calls:.3g} {peak.instruction} a second, the most in this run"),
            ("correct", "all, bit for bit" if answer.correct else "NOT ALL"),
            ("kept", f"{answer.kept} of {len(answer.shapes)} shapes, timed by a run before" if answer.kept else ""),
            ("absent", ", ".join(absent)),
            *(("not timed", text) for text in told),
            ("seconds", f"{seconds_text(answer.seconds)}, seed {answer.seed}"),
        ]
    )


def _where(answer: NativeBench) -> str:
    if answer.threads == 1:
        return f"core {answer.core}, 1 thread each"
    return f"{answer.threads} threads each, on any cores"


def _short(library: str) -> str:
    return library.partition(" ")[0]


def _row(shape: BenchedShape, names: list[str]) -> tuple[str, ...]:
    """Our least time with sums in int32, or requantised where nobody has sums; the libraries' with the same form."""
    if shape.refused:
        return (shape.name, *([""] * (len(names) + 4)), shape.refused, "")
    one = shape.compared
    assert one is not None
    told = [_time([r for r in shape.rivals if _short(r.library) == name], one.form) for name in names]
    return (
        shape.name,
        seconds_text(one.times.least),
        percent_text(one.part, 1),
        "yes" if one.form == "uint8" else "sums",
        *told,
        "" if shape.speedup is None else ratio_text(shape.speedup),
        "yes" if shape.correct else "NO",
        one.words,
    )


def _slow_row(ratio: float, shape: BenchedShape) -> tuple[str, ...]:
    one, best = shape.compared, shape.best
    if one is None or best is None:
        return (shape.name, ratio_text(ratio), "", "", "")
    return (shape.name, ratio_text(ratio), percent_text(one.part, 1), _short(best.library), one.bound)


def _time(rivals: list[Rival], form: str) -> str:
    """A library's time with one form of result."""
    ran = [r.times.least for r in rivals if r.times is not None and r.form == form]
    return seconds_text(min(ran)) if ran else "-"


def _group_row(answer: NativeBench, group: str) -> tuple[str, ...]:
    ratios, mean, goal = answer.ratios(group), answer.mean(group), answer.goals.get(group)
    count = str(sum(shape.group == group for shape in answer.shapes))
    if mean is None:
        return (group, count, "", "", "", "", "")
    if goal is None:
        return (group, count, ratio_text(mean), "-", ratio_text(min(ratios)), "-", "")
    met = mean >= goal.mean and min(ratios) >= goal.least
    least = ratio_text(goal.least) if goal.least else "-"
    return (
        group, count, ratio_text(mean), ratio_text(goal.mean), ratio_text(min(ratios)), least, "yes" if met else "no",
    )  # fmt: skip


def native_bench_json(answer: NativeBench) -> dict[str, Any]:
    """An answer as JSON."""
    return {
        "suite": answer.suite,
        "target": "x86",
        "processor": answer.processor,
        "core": answer.core,
        "threads": answer.threads,
        "seed": answer.seed,
        "features": answer.features,
        "seconds": answer.seconds,
        "correct": answer.correct,
        "kept": answer.kept,
        "groups": [_group_json(answer, group) for group in answer.groups],
        "shapes": [_shape_json(shape) for shape in answer.shapes],
    }


def _group_json(answer: NativeBench, group: str) -> dict[str, Any]:
    ratios, goal = answer.ratios(group), answer.goals.get(group)
    return {
        "group": group,
        "mean": answer.mean(group),
        "least": min(ratios, default=None),
        "goal_mean": goal.mean if goal else None,
        "goal_least": goal.least if goal else None,
    }


def _shape_json(shape: BenchedShape) -> dict[str, Any]:
    return {
        "name": shape.name,
        "group": shape.group,
        "count": shape.count,
        "operator": shape.operator,
        "refused": shape.refused or None,
        "correct": shape.correct,
        "peak": peak_json(shape.peak),
        "ratio": shape.speedup,
        "best": shape.best.library if shape.best else None,
        "ours": [
            {
                "result": one.form,
                "correct": one.correct,
                **_times_json(one.times),
                "percent_of_peak": 100 * one.part,
                "embedding": one.words,
                "bound": one.bound or None,
                "notes": list(one.notes),
            }
            for one in shape.ours
        ],
        "libraries": [
            {
                "library": rival.library,
                "result": rival.form or None,
                **_times_json(rival.times),
                "why": rival.why or None,
                "ratio": shape.ratio(rival),
            }
            for rival in shape.rivals
        ],
    }


def _times_json(times: Times | None) -> dict[str, Any]:
    if times is None:
        return {"seconds": None, "median": None, "runs": 0}
    return {"seconds": times.least, "median": times.middle, "runs": times.runs}
