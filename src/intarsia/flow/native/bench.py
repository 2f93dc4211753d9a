"""Kernels beside libraries: every contender in turn, round after round, on one core, each right before it is timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from intarsia.flow.native.answers import BenchedShape, NativeBench, Ours, Peak, Rival, times_of
from intarsia.flow.native.libraries import Library, known
from intarsia.flow.native.options import USUAL, NativeOptions
from intarsia.flow.native.run import peak_of, refuse_threads
from intarsia.flow.native.shapes import Form, Problem, problem
from intarsia.flow.native.suites import GOALS, Named
from intarsia.flow.native.turns import SHARED_TURN, TURN, Contender
from intarsia.ground import InputError
from intarsia.ground.store import Json, Store
from intarsia.operators import Quantised, evaluate, evaluate_quantised
from intarsia.targets.x86 import Features, Processor, at_level, host_processor, level_of, pinned
from intarsia.targets.x86.calibration import speeds_here
from intarsia.targets.x86.callable import Compiled, compiled, in_words, instruction_of_bytes
from intarsia.targets.x86.callable.make import at_line
from intarsia.targets.x86.lowering import predicted
from intarsia.targets.x86.measure import key_of

Array = NDArray[Any]
Told = Callable[[int, int], None]
ROUNDS = 12
"""Rounds, in each of which every contender has a turn."""
LIMIT = 4.0
"""Seconds after which no further round of a shape begins, as long as there were ``FEWEST``."""
FEWEST = 3


def bench_native(
    suite: str,
    shapes: tuple[Named, ...],
    against: tuple[str, ...],
    options: NativeOptions = USUAL,
    *,
    store: Path | None = None,
    fresh: bool = False,
    told: Told | None = None,
) -> NativeBench:
    """Time every shape of a suite, ours and the libraries'.

    Args:
        suite: its name.
        shapes: its shapes.
        against: names of libraries.
        options: how; threads are those of each contender, the plans measured those of each shape.
        store: where each shape is kept as soon as it is done, and taken from; None for nowhere.
        fresh: time again what was kept.
        told: is told how many shapes are done, and of how many.

    Raises:
        InputError: an unknown library, more threads than cores, a processor without the instruction, or a store that
            cannot be used.
    """
    began = time.perf_counter()
    processor, level, threads = host_processor(), at_level(options.features), options.threads
    refuse_threads(processor, threads)
    core = processor.cores[-1]
    done: list[BenchedShape] = []
    taken = 0
    with _settled(processor, threads), nullcontext() if store is None else Store(store) as kept:
        libraries = {name: known(name, threads) for name in against}
        about = _about(processor, libraries, level, options)
        best = peak_of(instruction_of_bytes(level), level, threads)
        for named in shapes:
            question: Json = {**about, "operator": str(named.shape.operator)}
            before = None if kept is None or fresh else kept.get(question)
            if before is None:
                made = problem(named.shape, options.seed)
                best, shape = bench_shape(named, made, libraries, best, level, options)
                if kept is not None:
                    kept.put(question, cast("Json", msgspec.to_builtins(shape)))
            else:
                shape = replace(
                    msgspec.convert(before, BenchedShape), name=named.name, group=named.group, count=named.count
                )
                taken += 1
            done.append(shape)
            if told is not None:
                told(len(done), len(shapes))
    best = max((best, *(s.peak for s in done if s.peak)), key=lambda peak: peak.calls)
    finished = tuple(_against_peak(shape, best) for shape in done)
    groups = dict.fromkeys(n.group for n in shapes) if threads == 1 else ()
    goals = {group: GOALS[group] for group in groups if group in GOALS}
    seconds = time.perf_counter() - began
    return NativeBench(
        suite, processor.name, core, threads, options.seed, seconds, finished, goals, level_of(level), taken
    )


def _about(
    processor: Processor, libraries: Mapping[str, Library | None], features: Features, options: NativeOptions
) -> dict[str, Json]:
    """What times belong to, beside the shape: constants that were fitted choose other plans."""
    names: list[Json] = [name if library is None else library.name for name, library in libraries.items()]
    speeds = speeds_here(features, instruction_of_bytes(features))
    made: dict[str, Json] = {"threads": options.threads, "measure": options.measure, "seed": options.seed}
    return {
        "bench": "x86",
        "on": cast("Json", key_of(processor)),
        "with": names,
        "level": level_of(features),
        "speeds": cast("Json", msgspec.to_builtins(speeds)),
        **made,
    }


def bench_shape(
    named: Named,
    made: Problem,
    libraries: dict[str, Library | None],
    best: Peak,
    features: Features,
    options: NativeOptions,
) -> tuple[Peak, BenchedShape]:
    """One shape: everybody's result is compared with the reference, then all that are right take turns.

    Returns:
        the greatest peak so far, and the shape; parts of the peak are still iterations a second.
    """
    expected: dict[Form, Array] = {"uint8": reference(made, "uint8")}
    rivals: list[tuple[Rival, Contender | None]] = []
    for name, library in libraries.items():
        if library is None:
            rivals.append((Rival(name, why="not installed"), None))
            continue
        if "int32" not in expected:
            expected["int32"] = reference(made, "int32")
        rivals += rivals_of(library, made, expected)
    forms: list[Form] = ["uint8"]
    if any(rival.form == "int32" for rival, _ in rivals):
        forms.append("int32")
    try:
        ours = [(form, *_ours(made, form, expected, features, options)) for form in forms]
    except InputError as error:
        operator = str(made.shape.operator)
        return best, BenchedShape(named.name, named.group, operator, None, (), (), str(error), named.count)
    contenders = [contender for _, _, contender, _ in ours] + [c for _, c in rivals if c is not None]
    until = time.perf_counter() + LIMIT
    for i in range(ROUNDS):
        if i >= FEWEST and time.perf_counter() > until:
            break
        for contender in contenders:
            contender.turn(TURN if options.threads == 1 else SHARED_TURN)
        if i % 6 == 0:
            best = max(best, peak_of(best.instruction, features, options.threads), key=lambda peak: peak.calls)
    iterations = made.shape.operator.iterations
    shown = []
    for form, function, contender, correct in ours:
        times = times_of(contender.seconds)
        words = in_words(function.embedding) if function.native else ""
        bound = predicted(function.plan).bound if function.native else ""
        shown.append(Ours(form, correct, times, iterations / times.least, words, function.notes, bound))
        function.close()
    told = [r if c is None else replace(r, times=times_of(c.seconds)) for r, c in rivals]
    text = str(made.shape.operator)
    return best, BenchedShape(named.name, named.group, text, best, tuple(shown), tuple(told), count=named.count)


def reference(made: Problem, form: Form) -> Array:
    """What is right."""
    given = made.given(form)
    if isinstance(given, Quantised):
        return evaluate_quantised(given, made.inputs(form))
    return evaluate(given, made.inputs(form))[given.outputs[0].name]


def rivals_of(library: Library, made: Problem, expected: dict[Form, Array]) -> Iterator[tuple[Rival, Contender | None]]:
    """A library with each form of result that it has; one that fails or is wrong says so and is not timed."""
    form: Form
    for form in ("uint8", "int32"):
        try:
            prepared = library.prepare(made, form)
            found = None if prepared is None else prepared.result(prepared.run())
        except library.refusals as error:
            yield Rival(library.name, form, why=f"refused: {str(error).strip()}"), None
            continue
        if prepared is None or found is None:
            continue
        right = expected[form]
        if found.shape != right.shape or not np.array_equal(found, right):
            wrong = "its shape" if found.shape != right.shape else f"{int((found != right).sum())} of {right.size}"
            yield Rival(library.name, form, why=f"wrong: {wrong}"), None
            continue
        yield Rival(library.name, form), Contender(prepared.run, [])


def _ours(
    made: Problem, form: Form, expected: dict[Form, Array], features: Features, options: NativeOptions
) -> tuple[Compiled, Contender, bool]:
    inputs = made.inputs(form)
    constants = {name: array for name, array in inputs.items() if name != "I"}
    threads, measure = options.threads, options.measure
    function = compiled(made.given(form), constants, threads=threads, measure=measure, features=features)
    x, out = at_line(inputs["I"]), at_line(np.zeros(function.result.shape, function.result.dtype))
    correct = bool(np.array_equal(function(x, out=out), expected[form]))
    return function, Contender(lambda: function(x, out=out), []), correct


def _against_peak(shape: BenchedShape, best: Peak) -> BenchedShape:
    """Parts of the greatest peak that was measured."""
    whole = best.calls * best.lanes
    return replace(
        shape,
        peak=None if shape.peak is None else best,
        ours=tuple(replace(o, part=o.part / whole) for o in shape.ours),
    )


def _settled(processor: Processor, threads: int) -> Any:
    """On one core, where one thread is asked for."""
    return pinned(processor.cores[-1]) if threads == 1 else nullcontext()
