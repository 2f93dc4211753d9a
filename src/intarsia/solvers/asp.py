"""The only module that calls clingo: all models of a formula, projected, up to a limit."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from intarsia.solvers.formula import Formula
from intarsia.solvers.limits import Limits, TimeIsUpError, before
from intarsia.solvers.outcome import Effort, Found, Infeasible, Outcome, OutOfTime

Model = tuple[int, ...]
"""The projected variables that are true, ascending."""


def all_models(formula: Formula, projected: range, limits: Limits) -> Outcome[tuple[Model, ...]]:
    """Every assignment of the projected variables that extends to a model of the formula, once each, sorted.

    Returns:
        Found with all of them, the bound being their number; Infeasible if there is none; OutOfTime with those seen so
        far if the seconds ran out or there are more than ``limits.solutions``.
    """
    start = perf_counter()
    try:
        control = _control(formula, projected, limits, start + limits.seconds)
    except TimeIsUpError:
        return OutOfTime((), (0,), Effort(perf_counter() - start, workers=1, seed=limits.seed))
    models: list[Model] = []
    names: dict[Any, int] = {}

    def read(model: Any) -> bool:
        if len(models) >= limits.solutions:
            return False
        true = []
        for symbol in model.symbols(atoms=True):
            if symbol not in names:
                names[symbol] = symbol.arguments[0].number
            true.append(names[symbol])
        models.append(tuple(sorted(true)))
        return True

    exhausted = _run(control, read, start + limits.seconds - perf_counter())
    effort = Effort(perf_counter() - start, nodes=len(models), workers=1, seed=limits.seed)
    found = tuple(sorted(models))
    if not exhausted:
        return OutOfTime(found, (len(found),), effort)
    if not found:
        return Infeasible((), "", effort)
    return Found(found, (len(found),), effort)


def _control(formula: Formula, projected: range, limits: Limits, ends: float) -> Any:
    import clingo

    control = clingo.Control(["--project=project", "--models=0", f"--seed={limits.seed}"])
    with control.backend() as backend:
        atoms = [0] * (formula.variables + 1)
        for variable in before(ends, range(1, formula.variables + 1)):
            name = clingo.Function("v", [clingo.Number(variable)]) if variable in projected else None
            atoms[variable] = backend.add_atom(name)

        def literal(number: int) -> int:
            return atoms[number] if number > 0 else -atoms[-number]

        defined = {variable for variable, _ in formula.definitions}
        free = [atoms[variable] for variable in range(1, formula.variables + 1) if variable not in defined]
        backend.add_rule(free, [], choice=True)
        for variable, literals in before(ends, formula.definitions):
            for number in literals:
                backend.add_rule([atoms[variable]], [literal(number)])
        for clause in before(ends, formula.clauses):
            backend.add_rule([], [-literal(number) for number in clause])
        for literals, n in before(ends, formula.bounds):
            backend.add_weight_rule([], n + 1, [(literal(number), 1) for number in literals])
        backend.add_project([atoms[variable] for variable in projected])
    return control


def _run(control: Any, read: Any, seconds: float) -> bool:
    """Whether the search was exhausted in time."""
    with control.solve(on_model=read, async_=True) as handle:
        if not handle.wait(max(seconds, 0.0)):
            handle.cancel()
        return bool(handle.get().exhausted)
