"""The best plan of a model on a cluster, with its proof; or what is over, by how much, and what would help."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from intarsia.graph import Model
from intarsia.ground import InputError
from intarsia.ground.units import picoseconds
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.clusters import Cluster
from intarsia.place.branches import Space, space_of
from intarsia.place.choices import Choices
from intarsia.place.nodes import best_first
from intarsia.place.plan import EQUAL, Candidate, Plan, Removed
from intarsia.place.predict import predict_split
from intarsia.place.prices import candidate, prices, work
from intarsia.place.solve import Solved
from intarsia.place.space import Task
from intarsia.place.strategy import Strategy
from intarsia.place.unfit import unfit
from intarsia.solvers import Effort, Found, Infeasible, Limits, Outcome, OutOfTime

RUNNERS = 3
"""Runners-up that a plan carries."""
RUNNER_WORK = 2000
"""Of the search for them beyond the best plan, as ``prices`` counts it."""

Told = Callable[[str], None]


def best_plan(
    model: Model,
    cluster: Cluster,
    efficiency: Efficiency,
    global_batch: int,
    sequence: int,
    choices: Choices | None = None,
    limits: Limits | None = None,
    *,
    told: Told = lambda _: None,
    compare: bool = True,
) -> Outcome[Plan]:
    """The plan of least seconds over all strategies, all splits into stages, and what each stage computes again.

    Args:
        model: what is trained.
        cluster: where.
        efficiency: of its chips.
        global_batch: sequences of an iteration.
        sequence: tokens of a sequence.
        choices: what may be chosen; everything that makes sense for None.
        limits: seconds; when they are over, the best plan so far comes with its bound.
        told: is called with a line of progress now and then.
        compare: also find runners-up and what each choice costs.

    Returns:
        Found, whose bound is the plan's in picoseconds, rounded down; Infeasible with the memory item that is over; or
        OutOfTime.

    Raises:
        InputError: nothing in the space is a strategy at all.
    """
    start = perf_counter()
    limits = limits or Limits()
    until = start + limits.seconds
    task = Task(model, cluster, global_batch, sequence, choices or Choices())
    space = space_of(task, efficiency, told)
    if not space.counts.strategies:
        raise InputError(
            f"no strategy for {model.name} on {cluster.devices} devices meets the choices",
            value=f"global batch {global_batch}, sequence {sequence}",
            hint="fewer restrictions",
        )
    found, bound, ended = _first(space, until, told)
    effort = Effort(perf_counter() - start, space.counts.refined, 1, limits.seed)
    if found is None:
        if not ended:
            return OutOfTime(None, (picoseconds(bound),), effort)
        because, relaxation = unfit(space, efficiency)
        return Infeasible(because, relaxation, Effort(perf_counter() - start, space.counts.refined, 1, limits.seed))
    bound = min(bound, found.seconds)
    runners, proved = _runners(space, found, until) if compare and ended else ((), False)
    told(f"the best takes {found.seconds:.4g} s; comparing choices")
    plan = Plan(
        model=model.name,
        cluster=cluster.name,
        devices=cluster.devices,
        strategy=found.strategy,
        split=found.split,
        prediction=predict_split(model, found.profile, found.strategy, found.split),
        bound=bound,
        removed=_removed(space),
        runners_up=runners,
        runners_proved=proved,
        prices=prices(space, found, until) if compare and ended else (),
    )
    effort = Effort(perf_counter() - start, space.counts.refined, 1, limits.seed)
    answer = (picoseconds(bound),)
    return Found(plan, answer, effort) if ended and plan.gap <= EQUAL else OutOfTime(plan, answer, effort)


def _first(space: Space, until: float, told: Told) -> tuple[Solved | None, float, bool]:
    """The best strategy, a bound on all, and whether the search ended; where time ran out, the best that is known."""
    bound = 0.0
    for steps, step in enumerate(best_first(space)):
        if isinstance(step, Solved):
            others = [solved.bound for solved in space.known.values() if solved is not None]
            return step, min(step.seconds, *others), True
        bound = max(bound, step)
        if steps % 100 == 99:
            told(f"no plan takes less than {bound:.4g} s; {space.counts.solved} splits solved")
        if perf_counter() > until:
            known = [solved for solved in space.known.values() if solved is not None]
            return min(known, key=lambda solved: solved.seconds, default=None), bound, False
    return None, float("inf"), True


def _runners(space: Space, best: Solved, until: float) -> tuple[tuple[Candidate, ...], bool]:
    """The best plans whose degrees differ from the best one's and from each other's."""
    found: dict[tuple[int, ...], Solved] = {_degrees(best.strategy): best}
    started = work(space)
    for step in best_first(space):
        if isinstance(step, Solved):
            found.setdefault(_degrees(step.strategy), step)
        if len(found) > RUNNERS or work(space) - started > RUNNER_WORK or perf_counter() > until:
            break
    runners = [candidate(space.task, solved) for solved in list(found.values())[1:]]
    return tuple(runners), len(found) > RUNNERS


def _degrees(strategy: Strategy) -> tuple[int, ...]:
    return strategy.tensor, strategy.pipeline, strategy.data, strategy.context, strategy.expert


def _removed(space: Space) -> Removed:
    counts = space.counts
    gone = counts.full + counts.roomless + counts.unsplit + counts.solved
    return Removed(
        strategies=counts.strategies,
        variants=len(space.branches),
        states=counts.full,
        room=counts.roomless,
        unsplit=counts.unsplit,
        slower=counts.strategies - gone,
        solved=counts.solved,
    )
