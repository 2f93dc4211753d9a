"""The best embedding with a proof, or the best so far with a bound, or that there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import inf

from intarsia.embed.constraints import Rules
from intarsia.embed.embedding import Embedding
from intarsia.embed.listing import shapes_between
from intarsia.embed.measures import Value, by_calls, least, value
from intarsia.embed.operands import representatives
from intarsia.embed.problem import Dtypes, EmbeddingProblem, Requirement
from intarsia.embed.requirements import meeting
from intarsia.embed.restricted import Restricted
from intarsia.embed.separable import Separable, separable
from intarsia.embed.space import Space, space_of
from intarsia.embed.ties import Ties
from intarsia.embed.watch import Search
from intarsia.machines import Instruction
from intarsia.operators import Operator
from intarsia.solvers import Effort, Found, Infeasible, Outcome, OutOfTime


def optimise(problem: EmbeddingProblem) -> Outcome[Embedding]:
    """The best embedding of a problem; where there is none, with the reasons (``explain.py``)."""
    outcome = search(problem)
    if not isinstance(outcome, Infeasible):
        return outcome
    from intarsia.embed.explain import explain

    because, relaxation = explain(problem)
    return Infeasible(because, relaxation, outcome.effort)


def search(problem: EmbeddingProblem) -> Outcome[Embedding]:
    """The embedding that minimises the problem's objective within its family and requirements.

    Aligned and fused: fewest calls by dynamic programming, the tie class by listing (``ties.py``); objectives that are
    products over components by their Pareto sets (``separable.py``); fewest duplicated bytes first by forbidding them;
    for what remains all shapes in the order of calls, until the objective's lower bound at the next number of calls is
    no better than the best. Skewed: see ``skew_search.py``.
    """
    from intarsia.embed.fixed import fixed_outcome
    from intarsia.embed.skew_search import optimise_skewed

    if "fixed" in problem.require:
        return fixed_outcome(problem)
    if problem.family == "skewed":
        return optimise_skewed(problem)
    spaces = [space_of(Rules(problem, operands)) for operands in representatives(problem)]
    watch = Search(problem)
    plain = all(space.rules.plain for space in spaces)
    if plain and by_calls(problem.objective) and set(problem.require) <= {"dense", "no-padding"}:
        return _by_calls(watch, spaces)
    if plain and by_calls(problem.objective) and _restrict(watch, spaces):
        return _answer(watch, spaces)
    if problem.objective[0] == "duplicated" and "no-duplication" not in problem.require:
        once = _without_duplication(problem)
        if isinstance(once, Found):
            return once
    floor = None
    if plain and separable(problem):
        floor = _separated(watch, spaces)
    return _by_levels(watch, spaces, floor)


def fewest_needed(operator: Operator, instruction: Instruction, *, dtypes: Dtypes = "exact") -> int:
    """At least so many calls of any aligned or fused embedding do something: of each, some lane works.

    Raises:
        InputError: the instruction has several statements.
    """
    problem = EmbeddingProblem(operator, instruction, "fused", objective=("needed",), dtypes=dtypes, limit=inf)
    spaces = [space_of(Rules(problem, operands)) for operands in representatives(problem)]
    found = [Separable(space, Search(problem)).bound() if space.rules.plain else (1,) for space in spaces]
    return min((bound[0] for bound in found if bound is not None), default=0)


def _without_duplication(problem: EmbeddingProblem) -> Outcome[Embedding]:
    """The best of the embeddings that duplicate nothing: none duplicates less."""
    require: tuple[Requirement, ...] = (*problem.require, "no-duplication")
    rest = problem.objective[1:]
    outcome = search(replace(problem, require=require, objective=rest or ("calls",)))
    if not isinstance(outcome, Found):
        return outcome
    return replace(outcome, bound=(0, *outcome.bound) if rest else (0,))


def _separated(search: Search, spaces: list[Space]) -> Value | None:
    """Offer the best shapes of every space; a lower bound on all of them, None if time ran out before there is one."""
    floors = []
    for space in spaces:
        part = Separable(space, search)
        for shape in part.run():
            embedding = meeting(space.rules, shape)
            if embedding is not None:
                search.offer(embedding, value(embedding, search.problem.objective))
        floors.append(part.floor)
    if not search.alive():
        return None
    found = [floor for floor in floors if floor is not None]
    return min([*found, search.value] if search.best else found, default=None)


def _restrict(search: Search, spaces: list[Space]) -> bool:
    """Search the restricted layouts of every space; False if one has no closed form."""
    for space in spaces:
        restricted = Restricted(space, search)
        restricted.run()
        if not restricted.closed:
            return False
    return True


def _answer(search: Search, spaces: list[Space]) -> Outcome[Embedding]:
    """What a search that has ended, or was cut off, says."""
    if not search.alive():
        calls = [t.calls for t in map(Ties, spaces) if t.feasible]
        if not calls:
            return _nothing(search)
        return OutOfTime(search.best, least(search.problem, search.problem.objective, min(calls)), search.effort)
    return Found(*_result(search)) if search.best else _nothing(search)


def _by_calls(search: Search, spaces: list[Space]) -> Outcome[Embedding]:
    problem = search.problem
    ties = [t for t in map(Ties, spaces) if t.feasible]
    if not ties:
        return _nothing(search)
    calls = min(t.calls for t in ties)
    bound = least(problem, problem.objective, calls)
    wants = "duplicated" in problem.objective
    for tie in (t for t in ties if t.calls == calls):
        for duplicated, chains in tie.candidates():
            measured = (*bound[:-1], duplicated) if wants else bound
            if search.best is None or measured < search.value:
                search.offer(tie.shape(chains), measured)
            search.nodes += 1
            if search.value == bound:
                return Found(*_result(search))
            if not search.alive():
                return OutOfTime(search.best, bound, search.effort)
    return Found(*_result(search))


def _result(search: Search) -> tuple[Embedding, Value, Effort]:
    assert search.best is not None
    return search.best, search.value, search.effort


def _by_levels(search: Search, spaces: list[Space], floor: Value | None = None) -> Outcome[Embedding]:
    """All shapes in bands of rising calls, until what is left cannot be better; ``floor`` is a bound on all of them."""
    problem = search.problem
    if search.best is not None and search.value == floor:
        return Found(*_result(search))
    floors = [t.calls for t in map(Ties, spaces) if t.feasible]
    if not floors:
        return _nothing(search)
    low, high, last = 0, min(floors), problem.operator.iterations
    while True:
        for embedding in _band(search, spaces, low, high):
            search.offer(embedding, value(embedding, problem.objective))
        if not search.alive():
            bound = max(least(problem, problem.objective, low + 1), floor or ())
            return OutOfTime(search.best, min(bound, search.value) if search.best else bound, search.effort)
        if high >= last:
            return Found(*_result(search)) if search.best else _nothing(search)
        if search.best is not None and least(problem, problem.objective, high + 1) >= search.value:
            return Found(*_result(search))
        low, high = high, _next(search, high, last)


def _next(search: Search, high: int, last: int) -> int:
    """The end of the next band: a quarter more calls, but none that could not win."""
    problem = search.problem
    ahead = min(last, max(high + 1, high * 5 // 4))
    while search.best is not None and ahead > high + 1:
        if least(problem, problem.objective, ahead) < search.value:
            break
        ahead = (high + ahead + 1) // 2 if (high + ahead + 1) // 2 < ahead else high + 1
    return ahead


def _band(search: Search, spaces: list[Space], low: int, high: int) -> Iterator[Embedding]:
    for space in spaces:
        for shape in shapes_between(space, low, high, search.alive):
            embedding = meeting(space.rules, shape)
            if embedding is not None:
                yield embedding


def _nothing(search: Search) -> Infeasible:
    return Infeasible((), "", search.effort)
