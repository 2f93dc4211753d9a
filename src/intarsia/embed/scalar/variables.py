"""The variables of one call: for each lane, which iteration it computes, or that it is padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intarsia.embed.scalar.problem import Ints, ScalarProblem
from intarsia.solvers import Formula


@dataclass(frozen=True, slots=True, eq=False)
class Variables:
    """``images[q, p]``: lane q computes iteration p; ``undefined[q]``: lane q computes none. One of them is true.

    Attributes:
        images: variables of a formula, numbered consecutively, [lanes, iterations].
        undefined: variables of the same formula, [lanes].
    """

    images: Ints
    undefined: Ints

    @classmethod
    def create(cls, problem: ScalarProblem, formula: Formula) -> Variables:
        """New variables, each lane taking exactly one value, and at least one lane defined."""
        images = np.array(formula.several(problem.lanes * problem.iterations), np.int64)
        images = images.reshape(problem.lanes, problem.iterations)
        undefined = np.array(formula.several(problem.lanes), np.int64)
        for lane in range(problem.lanes):
            formula.exactly_one([*images[lane].tolist(), int(undefined[lane])])
        formula.clause((-undefined).tolist())
        return cls(images, undefined)

    @property
    def projected(self) -> range:
        """The variables that tell two maps apart."""
        return range(int(self.images[0, 0]), int(self.images[-1, -1]) + 1)

    def extract(self, models: Sequence[Sequence[int]], problem: ScalarProblem) -> list[Ints]:
        """The maps that models (their true variables) describe, [lanes, d] each; rows of -1 are undefined lanes."""
        numbers = np.repeat(np.arange(len(models)), [len(model) for model in models])
        true = np.array([variable for model in models for variable in model], np.int64)
        mine = (true >= self.projected.start) & (true < self.projected.stop)
        lanes, points = np.divmod(true[mine] - self.projected.start, problem.iterations)
        maps = np.full((len(models), problem.lanes, problem.points.shape[1]), -1, np.int64)
        maps[numbers[mine], lanes] = problem.points[points]
        return list(maps)

    def holds(self, formula: Formula, lanes: NDArray[np.bool_], points: NDArray[np.bool_]) -> int:
        """A literal: one of these lanes computes one of these iterations."""
        return formula.any_of(self.images[np.ix_(lanes, points)].reshape(-1).tolist())

    def live(self, formula: Formula, lanes: NDArray[np.bool_]) -> int:
        """A literal: one of these lanes is defined."""
        return formula.any_of((-self.undefined[lanes]).tolist())
