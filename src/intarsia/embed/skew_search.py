"""The best skewed embedding: fewest calls with a proof, then the fewest duplicated bytes that are found."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from intarsia.embed.constraints import Rules
from intarsia.embed.digits import Chain
from intarsia.embed.duplication import components, skewed_axes
from intarsia.embed.embedding import Embedding
from intarsia.embed.measures import Value, by_calls, least, value
from intarsia.embed.operands import representatives
from intarsia.embed.problem import EmbeddingProblem
from intarsia.embed.restricted import Restricted
from intarsia.embed.skew_space import complete, configurations, fewest, spaces, steps
from intarsia.embed.ties import Ties
from intarsia.embed.watch import Search
from intarsia.solvers import Found, Outcome, OutOfTime

STACKED = 64
"""Embeddings of fewest calls whose layouts are measured."""


def optimise_skewed(problem: EmbeddingProblem) -> Outcome[Embedding]:
    """The best of the skewed family, which contains the fused one.

    A skewed axis counts beyond its extent, so with ``dense`` or ``no-padding`` the family is the fused one. Fewest
    calls are proved (``skew_space.py``); of the embeddings that attain them those with stacked chains are measured.
    What is not proved shows as a bound below the value.
    """
    from intarsia.embed.optimise import search as search_fused

    search = Search(problem)
    rules = [Rules(problem, operands) for operands in representatives(problem)]
    moves = [steps(own) if own.plain else [] for own in rules]
    exact = set(problem.require) & {"dense", "no-padding"}
    primitive = all(own.plain for own in rules) and by_calls(problem.objective) and not problem.require
    if exact or (primitive and not any(moves)):  # other directions make no fewer calls, but may be better otherwise
        return search_fused(replace(problem, family="fused"))
    fused = search_fused(replace(problem, family="fused", limit=problem.limit / 2))
    if isinstance(fused, Found):
        search.offer(fused.value, fused.bound)
    elif isinstance(fused, OutOfTime) and fused.best is not None:
        search.offer(fused.best, value(fused.best, problem.objective))
    calls, kept = _fewest(rules, search)
    proved = search.alive() and all(map(complete, moves)) and all(own.plain for own in rules)
    bound = least(problem, problem.objective, calls if proved else 1)
    if not problem.require and search.best is not None and not any(t.space.skewed for t in kept) and proved:
        same = isinstance(fused, Found) and search.best.calls == calls
        if same and problem.objective[0] in {"calls", "padded"}:
            return Found(search.best, fused.bound if isinstance(fused, Found) else bound, search.effort)
    if problem.require:
        _restrict(rules, search)
    else:
        _candidates(kept, search)
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


def _candidates(kept: list[Ties], search: Search) -> None:
    """Offer the embeddings of fewest calls with stacked chains."""
    for ties in kept:
        for chains in islice(ties.stacked(), STACKED):
            if not search.alive():
                return
            measured = _measured(ties, chains, search)
            if search.best is None or measured < search.value:
                search.offer(ties.shape(chains), measured)


def _measured(ties: Ties, chains: tuple[Chain, ...], search: Search) -> Value:
    """The objective; duplicated bytes in closed form if that is all it asks for besides calls."""
    objective = search.problem.objective
    closed = _duplicated(ties, chains) if by_calls(objective) and "duplicated" in objective else None
    if closed is None:
        return value(ties.shape(chains), objective)
    return (*least(search.problem, objective[:-1], ties.calls), closed)


def _duplicated(ties: Ties, chains: tuple[Chain, ...]) -> int | None:
    """Duplicated bytes, None where there is no closed form."""
    by_group = {chain.axes: chain for chain in chains}
    parts = components(ties.space.rules, tuple(by_group), skewed_axes(ties.space.skewed))
    held = [ties.duplication.held(tuple(by_group[group] for group in part)) for part in parts]
    known = [h for h in held if h is not None]
    return ties.duplication.total(known) if len(known) == len(held) else None


def _restrict(rules: list[Rules], search: Search) -> None:
    """Offer the best embeddings above every set of skewed digits that meet the requirements, few calls first."""
    every = [
        Ties(space) for own in rules if own.plain for chosen in configurations(own) for space in spaces(own, chosen)
    ]
    for ties in sorted((t for t in every if t.feasible and t.space.skewed), key=lambda t: t.calls):
        if not search.alive() or (search.best is not None and ties.calls > search.best.calls):
            return
        Restricted(ties.space, search).run()
