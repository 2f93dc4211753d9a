"""What chips of equal rates share when many are asked for the same: their ways to cut a replica, each with its bound.

Floors know of a chip only its multiplications and lanes per second, its HBM and its links (``floor``). Chips that are
equal in these differ in what their kernels are priced at, and in nothing that comes before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush

from intarsia.place.serving.cut import Cut, Level, all_cuts
from intarsia.place.serving.plan import Served
from intarsia.place.serving.prices import Chains, Prices
from intarsia.place.serving.solve import best_of
from intarsia.place.serving.task import ServingTask


@dataclass(frozen=True, slots=True)
class RatedCuts:
    """Ways to cut a replica, for chips of equal rates.

    Attributes:
        cuts: each with the tokens per second that no deployment of it exceeds; the best bound first.
    """

    cuts: tuple[tuple[float, Cut], ...]

    def most_tokens(self, task: ServingTask, chains: Chains, least: float = 0.0) -> tuple[float, Served | None]:
        """As ``search.most_tokens``, on one chip of these rates.

        Args:
            task: the question on it.
            chains: of its model, shared by all chips.
            least: tokens per second that must be exceeded to be of interest; no less than the cuts were made with.

        Returns:
            the tokens per second, and the deployment; where it is None, no deployment exceeds ``least``.
        """
        prices = Prices(task, chains)
        found: Served | None = None
        for bound, rated in self.cuts:
            if bound <= least:
                break
            served = best_of(replace(rated, prices=prices), least)
            if served is not None:
                found, least = served, served.pace.tokens_per_second
        return least, found


def rated_cuts(task: ServingTask, chains: Chains, least: float = 0.0) -> RatedCuts:
    """The ways whose bound is above ``least`` tokens per second, collectives counted, without pricing a kernel."""
    cuts = [cut for cut in all_cuts(Prices(task, chains)) if cut.bound(Level.KERNELS) > least]
    bounded = [(cut.bound(Level.MESSAGES), cut) for cut in cuts]
    return RatedCuts(tuple(sorted((one for one in bounded if one[0] > least), key=lambda one: -one[0])))


def bound_with_messages(task: ServingTask, chains: Chains) -> float:
    """As ``search.bound_tokens``, but collectives count as well: a better bound that takes longer."""
    cuts = all_cuts(Prices(task, chains))
    queue = [(-cut.bound(Level.KERNELS), Level.KERNELS, at) for at, cut in enumerate(cuts)]
    heapify(queue)
    while queue:
        bound, level, at = heappop(queue)
        if bound == 0 or level is Level.MESSAGES:
            return -bound
        heappush(queue, (-cuts[at].bound(Level.MESSAGES), Level.MESSAGES, at))
    return 0.0
