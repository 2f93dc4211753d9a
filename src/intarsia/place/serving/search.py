"""The deployment with the most tokens per second that fits and meets the limits: all ways to cut, best bound first.

Every way to cut a replica gets a bound from arithmetic (``floor``); the one with the highest is refined by its
collectives, then by what reading prompts really takes, and then solved (``solve``), until no bound left is above what
is known. So the plan is the best of all degrees with their candidates for sequences and prompts, and so are its
runners-up.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from time import perf_counter

from intarsia.place.serving.cut import Level, all_cuts
from intarsia.place.serving.finish import finish
from intarsia.place.serving.plan import Considered, Served, ServingPlan
from intarsia.place.serving.prices import Chains, Prices
from intarsia.place.serving.relax import refusal
from intarsia.place.serving.solve import best_of
from intarsia.place.serving.task import ServingTask
from intarsia.solvers import Found, Infeasible
from intarsia.solvers.outcome import Effort

RUNNERS = 2
MICRO = 1e6
"""Of the whole numbers in which an outcome states its bound: millionths of a token per second."""


def best_serving(
    task: ServingTask, chains: Chains | None = None, *, runners: int = RUNNERS
) -> Found[ServingPlan] | Infeasible:
    """The best deployment, or why there is none.

    Args:
        task: the question.
        chains: of the task's model; handed on from chip to chip they save most of what is not the chip's.
        runners: how many deployments with other degrees to name as well.
    """
    started = perf_counter()
    prices = Prices(task, Chains(task.model) if chains is None else chains)
    ranked, considered = _ranked(prices, 1 + runners)
    effort = Effort(perf_counter() - started, considered.solved)
    if not ranked:
        because, relaxation = refusal(prices)
        return Infeasible(because, relaxation, effort)
    plan = finish(prices, ranked[0], tuple(ranked[1:]), considered)
    return Found(plan, (int(plan.pace.tokens_per_second * MICRO),), effort)


def most_tokens(task: ServingTask, chains: Chains, least: float = 0.0) -> tuple[float, Served | None]:
    """The tokens per second of the best deployment, for a search over chips, which wants nothing else.

    Args:
        task: the question on one chip.
        chains: of its model, shared by all chips.
        least: tokens per second that must be exceeded to be of interest.

    Returns:
        the tokens per second, and the deployment; where it is None, no deployment exceeds the number.
    """
    prices = Prices(task, chains)
    ranked, _ = _ranked(prices, 1, least)
    return (ranked[0].pace.tokens_per_second, ranked[0]) if ranked else (least, None)


def bound_tokens(task: ServingTask, chains: Chains) -> float:
    """Tokens per second that no deployment on the task's chip exceeds, without pricing a kernel; 0 if nothing fits."""
    return max((cut.bound(Level.KERNELS) for cut in all_cuts(Prices(task, chains))), default=0.0)


def _ranked(prices: Prices, wanted: int, least: float = 0.0) -> tuple[list[Served], Considered]:
    """The best deployments of different degrees, the best first, each above ``least``."""
    cuts = all_cuts(prices)
    full = sum(not cut.fits for cut in cuts)
    queue = [(-cut.bound(Level.KERNELS), Level.KERNELS, at) for at, cut in enumerate(cuts) if cut.fits]
    heapify(queue)
    found: list[Served] = []
    late = solved = 0
    while queue:
        bound, level, at = heappop(queue)
        enough = found[wanted - 1].pace.tokens_per_second if len(found) >= wanted else least
        if bound == 0:
            late += 1
        elif -bound <= enough:
            heappush(queue, (bound, level, at))
            break
        elif level is not Level.PRICED:
            better = Level(level + 1)
            heappush(queue, (-cuts[at].bound(better), better, at))
        else:
            served = best_of(cuts[at], enough)
            solved += 1
            if served is not None:
                found = sorted([*found, served], key=lambda one: (-one.pace.tokens_per_second, one.deployment))[:wanted]
    return found, Considered(len(cuts), full, late, len(queue), solved)
