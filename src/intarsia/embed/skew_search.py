"""The best skewed embedding: fewest calls with a proof, then the fewest duplicated bytes that are found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from intarsia.embed.constraints import Rules
from intarsia.embed.embedding import Embedding
from intarsia.embed.measures import least, value
from intarsia.embed.operands import representatives
from intarsia.embed.problem import EmbeddingProblem
from intarsia.embed.restricted import Restricted
from intarsia.embed.skew_space import complete, configurations, fewest, spaces, steps
from intarsia.embed.ties import Ties
from intarsia.embed.watch import Search
from intarsia.solvers import Found, Infeasible, Outcome, OutOfTime

STACKED = 64
"""Embeddings of fewest calls whose layouts are measured."""


def optimise_skewed(problem: EmbeddingProblem) -> Outcome[Embedding]:
    """The best of the skewed family, which contains the fused one.

    A skewed axis counts beyond its extent, so with ``dense`` or ``no-padding`` the family is the fused one. Fewest
    calls are proved (``skew_space.py``); of the embeddings that attain them those with stacked chains are measured.
    What is not proved shows as a bound below the value.
    """
    from intarsia.embed.optimise import search as search_fused

    fused = search_fused(replace(problem, family="fused", limit=problem.limit / 2))
    rules = [Rules(problem, operands) for operands in representatives(problem)]
    moves = [steps(own) if own.plain else [] for own in rules]
    if not any(moves) or set(problem.require) & {"dense", "no-padding"}:
        return search_fused(replace(problem, family="fused"))
    search = Search(problem)
    if not isinstance(fused, Infeasible):
        start = fused.value if isinstance(fused, Found) else fused.best
        if start is not None:
            search.offer(start, value(start, problem.objective))
    calls, kept = _fewest(rules, search)
    proved = search.alive() and all(map(complete, moves))
    bound = least(problem, problem.objective, calls if proved else 1)
    if not problem.require and search.best is not None and not any(t.space.skewed for t in kept) and proved:
        same = isinstance(fused, Found) and search.best.calls == calls
        if same and problem.objective[0] in {"calls", "padded"}:
            return Found(search.best, fused.bound if isinstance(fused, Found) else bound, search.effort)
    if problem.require:
        _restrict(rules, search)
    for embedding in _candidates(kept, search) if not problem.require else ():
        search.offer(embedding, value(embedding, problem.objective))
    if search.best is None:
        return fused if search.alive() else OutOfTime(None, bound, search.effort)
    if not search.alive():
        return OutOfTime(search.best, min(bound, search.value), search.effort)
    return Found(search.best, min(bound, search.value), search.effort)


def _fewest(rules: list[Rules], search: Search) -> tuple[int, list[Ties]]:
    calls, kept = 0, list[Ties]()
    for own in rules:
        if not own.plain:
            continue
        least_calls, ties = fewest(own, calls, search.alive)
        if ties:
            kept = ties + (kept if least_calls == calls else [])
            calls = least_calls
    return calls, kept


def _candidates(kept: list[Ties], search: Search) -> Iterator[Embedding]:
    """Embeddings of fewest calls with stacked chains."""
    for ties in kept:
        for number, chains in enumerate(ties.stacked()):
            if number >= STACKED or not search.alive():
                break
            yield ties.shape(chains)


def _restrict(rules: list[Rules], search: Search) -> None:
    """Offer the best embeddings above every set of skewed digits that meet the requirements, few calls first."""
    every = [
        Ties(space) for own in rules if own.plain for chosen in configurations(own) for space in spaces(own, chosen)
    ]
    for ties in sorted((t for t in every if t.feasible and t.space.skewed), key=lambda t: t.calls):
        if not search.alive() or (search.best is not None and ties.calls > search.best.calls):
            return
        Restricted(ties.space, search).run()
