"""A Boolean formula that every solver of this room can take; made by constraint families, read by the fronts.

A variable is a positive integer, a literal a variable or its negative. Defined variables stand for a disjunction and
add no solutions of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Formula:
    """A formula under construction.

    Attributes:
        variables: how many there are; they are numbered from 1.
        definitions: (variable, literals): the variable is true exactly if one of the literals is.
        clauses: at least one literal is true.
        bounds: (literals, n): at most n of them are true.
    """

    variables: int = 0
    definitions: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    clauses: list[tuple[int, ...]] = field(default_factory=list)
    bounds: list[tuple[tuple[int, ...], int]] = field(default_factory=list)

    def new(self) -> int:
        """A free variable."""
        self.variables += 1
        return self.variables

    def several(self, count: int) -> range:
        """So many free variables, numbered consecutively."""
        self.variables += count
        return range(self.variables - count + 1, self.variables + 1)

    def any_of(self, literals: Iterable[int]) -> int:
        """A literal that is true exactly if one of these is; the literal itself if there is only one."""
        literals = tuple(literals)
        if len(literals) == 1:
            return literals[0]
        variable = self.new()
        self.definitions.append((variable, literals))
        return variable

    def clause(self, literals: Iterable[int]) -> None:
        """At least one of the literals is true; none of them is a contradiction."""
        self.clauses.append(tuple(literals))

    def at_most(self, literals: Iterable[int], n: int = 1) -> None:
        """At most ``n`` of the literals are true."""
        literals = tuple(literals)
        if len(literals) > n:
            self.bounds.append((literals, n))

    def exactly_one(self, literals: Sequence[int]) -> None:
        """One of the literals is true, the others are not."""
        self.clause(literals)
        self.at_most(literals)
