"""What is known of a training on one chip: the best plan, and what no plan takes less than, whatever the schedules."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.graph import Variant

Listed = tuple[tuple[Variant, float], ...]
"""Variants that plans may have, each with a bound on its plans, 0 for none."""

ENOUGH = 1 - 3e-6
"""A floor at this part of what is possible says that no schedule can win anything."""


@dataclass(frozen=True, slots=True)
class OfVariant:
    """Facts about the plans of one variant on a chip, whatever the schedules of its layers, whatever else was asked.

    Attributes:
        variant: which.
        quick: no plan takes less, by quick bounds on schedules; infinite where none fits, 0 if not worked out.
        proved: the same by the shortest schedules, or better bounds on them; 0 if not worked out.
    """

    variant: Variant
    quick: float = 0.0
    proved: float = 0.0

    def floor(self, least: float, made: float) -> float:
        """What no plan takes less than, whatever the schedules, if that is no more than what is possible.

        Args:
            least: another bound on its plans, whatever the schedules.
            made: what no plan takes less than with the schedules that were made, or how far was looked.
        """
        return max(least, min(made * ENOUGH, max(self.quick, self.proved)))

    def settled(self, least: float, made: float) -> bool:
        """Whether nothing is left to be asked, where quick bounds leave no better plan possible than was made."""
        return self.proved > 0 or max(least, self.quick) >= made * ENOUGH


@dataclass(frozen=True, slots=True)
class Known:
    """Facts about one training on a chip: they hold in every search, and do not depend on how much it wanted to know.

    Attributes:
        cutoff: up to which seconds plans were looked for.
        seconds: of the best plan; infinite where none takes the cutoff or less.
        bound: no plan takes less, with the schedules that were made; infinite where all take more than the cutoff.
        variants: of each variant that was listed.
    """

    cutoff: float
    seconds: float
    bound: float
    variants: tuple[OfVariant, ...]

    def says(self, cutoff: float, listed: Listed, *, prove: bool = True) -> bool:
        """Whether it answers a question with this cutoff: it looked as far, at all of the variants that matter.

        Args:
            cutoff: seconds.
            listed: the variants, each with a bound on its plans.
            prove: whether it must know what shorter schedules could win, where that matters.
        """
        sure, made, has = min(cutoff, self.seconds), self._made(cutoff), self._by_variant()
        return sure <= self.cutoff and all(
            variant in has and (not prove or has[variant].settled(bound, made))
            for variant, bound in listed
            if bound <= sure
        )

    def floor(self, cutoff: float, listed: Listed, rest: float) -> float:
        """What no plan takes less than, whatever the schedules, as somebody says who looked up to this cutoff.

        Args:
            cutoff: seconds.
            listed: the variants that were looked at, each with a bound on its plans.
            rest: a bound on the plans of all others.
        """
        made, has = self._made(cutoff), self._by_variant()
        floors = [has[variant].floor(bound, made) if variant in has else bound for variant, bound in listed]
        return min([rest, *floors])

    def _made(self, cutoff: float) -> float:
        """What no plan takes less than with the schedules that were made, or the cutoff."""
        return min(self.bound, cutoff)

    def _by_variant(self) -> dict[Variant, OfVariant]:
        return {one.variant: one for one in self.variants}
