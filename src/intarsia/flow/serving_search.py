"""What ``serve --space`` answers: the chip of a space that serves a model best, its deployment, and the proof."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from intarsia.flow.search_question import OBJECTIVES
from intarsia.flow.serving import serving_notes
from intarsia.flow.serving_journal import stored_journal
from intarsia.flow.serving_question import ServingWanted, serving_task
from intarsia.flow.spaces import chip_space
from intarsia.graph import Model
from intarsia.ground import InputError
from intarsia.ground.records import refuse_unknown
from intarsia.ground.store import Store, default_store
from intarsia.machines.template import chip_of
from intarsia.place.plan import EQUAL
from intarsia.place.serving import ServingPlan, best_serving, check_serving
from intarsia.search import (
    SearchedServing,
    ServingAudit,
    ServingMoment,
    ServingQuestion,
    audit_serving,
    search_serving,
)
from intarsia.solvers import Found, Infeasible

SHOWN = 25
"""Chips between two reports of progress."""


@dataclass(frozen=True, slots=True)
class ServingSearchAnswer:
    """A searched chip.

    Attributes:
        model: what answers.
        question: what was asked.
        searched: the chip and the certificate.
        outcome: the deployment on it, from ``serve`` itself; or what is in the way on the chip with the highest bound,
            or, where every bound is 0, on one with the most memory.
        audit: removed chips that were evaluated after all.
    """

    model: Model
    question: ServingQuestion
    searched: SearchedServing
    outcome: Found[ServingPlan] | Infeasible
    audit: ServingAudit | None

    @property
    def plan(self) -> ServingPlan | None:
        """The best deployment on the best chip; nothing where no chip serves."""
        return self.outcome.value if isinstance(self.outcome, Found) else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed."""
        point = self.searched.point or self.searched.nearest
        return serving_notes(self.model, self.question.on(point), self.outcome)


def search_serving_chip(
    model: str,
    cluster: str,
    wanted: ServingWanted,
    *,
    space: str,
    hbm_gib: Sequence[int] = (),
    objective: str = "throughput",
    audited: int = 0,
    seed: int = 0,
    fresh: bool = False,
    store: Path | None = None,
    told: Callable[[str], None] = lambda _: None,
    watch: Callable[[ServingMoment], None] = lambda _: None,
) -> ServingSearchAnswer:
    """The chip with the most tokens of answers per second, or the most for each mm², watt or dollar.

    Args:
        model: a name or a configuration.
        cluster: ``NAMExN`` or a file: devices and network; its chip is what is searched for.
        wanted: what is asked of the deployments.
        space: of chips: a name or a TOML file.
        hbm_gib: capacities of the memory beside the die; those of the space for none.
        objective: throughput, or throughput for each mm², watt or dollar.
        audited: removed chips to evaluate in full afterwards.
        seed: of their draw.
        fresh: find again what is in the store.
        store: where it is kept what was found, so that an interrupted search continues; the user's for None.
        told: is told what the search does.
        watch: is told how far the search is.

    Raises:
        InputError: anything of these that is wrong.
    """
    if objective not in OBJECTIVES:
        raise refuse_unknown(objective, tuple(OBJECTIVES), what="objective", hint="one of these")
    if audited < 0:
        raise InputError("audit is negative", value=str(audited), allowed="0 or more")
    chips = chip_space(space, hbm_gib)
    of_model, task = serving_task(model, cluster, wanted, chip=chip_of(chips.points.point(0)))
    question = ServingQuestion(chips, task, OBJECTIVES[objective])

    def tell(moment: ServingMoment) -> None:
        watch(moment)
        if moment.looked % SHOWN == 1:
            told(f"{moment.looked} chips looked at" + (f"; best {moment.best:.6g}" if moment.best else ""))

    told("bounds")
    with Store(store or default_store()) as kept, stored_journal(question, kept, fresh=fresh) as journal:
        searched = search_serving(question, journal=journal, watch=tell)
    outcome = _outcome(question, searched)
    audit = None
    if audited:
        told(f"audit of {audited} removed chips")
        audit = audit_serving(question, searched, audited, seed=seed)
    return ServingSearchAnswer(of_model, question, searched, outcome, audit)


def _outcome(question: ServingQuestion, searched: SearchedServing) -> Found[ServingPlan] | Infeasible:
    """The deployment on the best chip, from the search for deployments alone, which must agree."""
    if searched.point is None or searched.served is None:
        outcome = best_serving(question.on(searched.nearest))
        assert isinstance(outcome, Infeasible), "search and serve disagree"
        return outcome
    task = question.on(searched.point)
    outcome = best_serving(task)
    assert isinstance(outcome, Found), "search and serve disagree"
    plan, tokens = outcome.value, searched.served.pace.tokens_per_second
    assert abs(plan.pace.tokens_per_second - tokens) <= EQUAL * tokens, "search and serve disagree"
    wrong = check_serving(task, plan)
    if wrong:
        raise AssertionError(f"the plan fails its check: {wrong}")
    return outcome
