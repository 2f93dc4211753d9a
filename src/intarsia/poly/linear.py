"""Linear forms over named integer variables, and conjunctions of conditions on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Linear:
    """``sum(coefficient * variable) + constant``; no variable twice, no zero coefficient."""

    terms: tuple[tuple[str, int], ...] = ()
    constant: int = 0

    def __add__(self, other: Linear) -> Linear:
        total = dict(self.terms)
        for name, coefficient in other.terms:
            total[name] = total.get(name, 0) + coefficient
        return Linear(tuple((n, c) for n, c in total.items() if c), self.constant + other.constant)

    def __sub__(self, other: Linear) -> Linear:
        return self + other.times(-1)

    def times(self, factor: int) -> Linear:
        """All of it ``factor`` times."""
        if factor == 0:
            return Linear()
        return Linear(tuple((n, factor * c) for n, c in self.terms), factor * self.constant)

    def plus(self, constant: int) -> Linear:
        """With another constant added."""
        return Linear(self.terms, self.constant + constant)

    def with_values(self, forms: Mapping[str, Linear]) -> Linear:
        """Every variable replaced by its form, where it has one."""
        total = Linear((), self.constant)
        for name, coefficient in self.terms:
            total += forms.get(name, variable(name)).times(coefficient)
        return total

    def __str__(self) -> str:
        text = " ".join(f"{c:+d}*{name}" for name, c in self.terms)
        return f"{text} {self.constant:+d}".strip()


def variable(name: str) -> Linear:
    """The variable itself."""
    return Linear(((name, 1),))


@dataclass(frozen=True, slots=True)
class Conditions:
    """Integer points where every form of ``zero`` is 0 and every form of ``nonnegative`` is at least 0."""

    zero: tuple[Linear, ...] = ()
    nonnegative: tuple[Linear, ...] = ()

    def __and__(self, other: Conditions) -> Conditions:
        return Conditions(self.zero + other.zero, self.nonnegative + other.nonnegative)

    @property
    def variables(self) -> tuple[str, ...]:
        """All names, in the order of appearance."""
        return tuple(dict.fromkeys(n for form in (*self.zero, *self.nonnegative) for n, _ in form.terms))

    def renamed(self, suffix: str) -> Conditions:
        """A copy over other variables, each name with the suffix."""
        names = {name: variable(name + suffix) for name in self.variables}
        return Conditions(
            tuple(f.with_values(names) for f in self.zero), tuple(f.with_values(names) for f in self.nonnegative)
        )


def between(form: Linear, low: int, high: int) -> Conditions:
    """``low <= form <= high``."""
    return Conditions((), (form.plus(-low), form.times(-1).plus(high)))


def equal(left: Linear, right: Linear) -> Conditions:
    """``left = right``."""
    return Conditions((left - right,))


def greater(left: Linear, right: Linear) -> Conditions:
    """``left > right``."""
    return Conditions((), ((left - right).plus(-1),))
