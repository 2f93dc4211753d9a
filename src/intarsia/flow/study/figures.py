"""How each figure of a result was made: the command or function that says the same again, and what it rests on."""

from __future__ import annotations

from collections.abc import Iterator

from intarsia.flow.study.chosen import Chosen
from intarsia.flow.study.commands import plan_command, schedule_command, search_command
from intarsia.flow.study.file import Study
from intarsia.flow.study.result import Figure
from intarsia.ground.units import percent_text
from intarsia.machines.chips import Dataflow, Mapping

AREAS = "areas: closed form fitted to the published ones of Wang et al., ICML 2024 (machines.template.area)"
MONEY = "watts are peaks, dollars what it costs to make: published tables (machines.template.energy and .money)"


def figures_of(study: Study, chosen: Chosen) -> tuple[Figure, ...]:
    """One for each section."""
    return (*_of_search(study, chosen), *_of_plans(study, chosen), *_of_others(study, chosen))


def assumed(chosen: Chosen) -> tuple[str, ...]:
    """What was not published of the chip."""
    return tuple(f"assumed of {chosen.cluster.chip.name}: {text}" for text in chosen.cluster.chip.assumed)


def interval(chosen: Chosen) -> tuple[str, ...]:
    """Where efficiencies are from, and how wide they make an interval."""
    error = percent_text(chosen.efficiency.error, 1)
    return (
        f"efficiencies: {chosen.efficiency.source}",
        f"the interval has nine measurements in ten: the standard deviation of ln(measured ÷ predicted) is {error}",
    )


def _of_search(study: Study, chosen: Chosen) -> Iterator[Figure]:
    searched = search_command(study)
    yield Figure("chip", "machines.template: Point.parts()", (AREAS, MONEY, *assumed(chosen)))
    meant = "best: the least value of a chip with plans that were found; bound: what no chip of the space is below"
    yield Figure("gap", searched, (meant, "time is that of this run; chips that the store had take none"))
    seen = "only chips that were looked at are shown: bounds removed the others, which have no plan of their own"
    yield Figure("front", searched, (seen, AREAS, MONEY, *interval(chosen)))


def _of_plans(study: Study, chosen: Chosen) -> Iterator[Figure]:
    again = "intarsia predict --plan plans/MODEL/plan.json"
    own = "the most repeated layer; the plan's seconds are those of list schedules of each pass"
    yield Figure("schedule", schedule_command(study, chosen), (own, *interval(chosen), *assumed(chosen)))
    yield Figure("pipeline", "place.simulate of the plan's stages", ("trace.json has all passes", *interval(chosen)))
    kept = "mixed-precision Adam, 18 bytes a parameter less what ZeRO cuts; activations in flight; 1.5 GiB of runtime"
    yield Figure("memory", again, (kept, *assumed(chosen)))
    alone = "operators: one microbatch through all layers, each operator alone on all cores of its kind; cores overlap"
    yield Figure("time", again, (alone, *interval(chosen)))
    watts = "watts of a device: energies of published tables at 22 nm (machines.template.energy), by the plan's work"
    padding = "padding: lanes of arrays that multiply zeros, as if they did not; rest: of the die, all the time"
    yield Figure("energy", again, (watts, padding, *interval(chosen)))


def _of_others(study: Study, chosen: Chosen) -> Iterator[Figure]:
    changed = "the search of chips whose space is the changed chip; place.best_plan where no template has it"
    same = "efficiencies are those of the chip that was not changed"
    step = "a field of the template goes one step of its space; memory and network are halved and doubled"
    clock = "a clock is 1/6 slower and faster"
    yield Figure("sensitivity", changed, (step, clock, same, *interval(chosen)))
    if chosen.cluster.chip.tensor.dataflow is Dataflow.SYSTOLIC:
        fewest = "of all embeddings with one operand in the array the one of fewest cycles on all cores"
        yield Figure("embeddings", "embed.stationary: best_fit, embedding_of", (fewest,))
    else:
        fewest = "fewest calls, then fewest duplicated bytes; the plan's seconds come from tiles and waves instead"
        yield Figure("embeddings", "intarsia embed OPERATOR --instr INSTRUCTION", (fewest,))
    theirs = "as many chips, each in its own catalogue's network, with its own memory, efficiencies and best plan"
    rests = (theirs,) if study.costs == Mapping.EMBEDDED else (theirs, f"costs of a chip's file: {study.costs}")
    yield Figure("baselines", plan_command(study, chosen), rests)
