"""A study, the whole way on one page: the chip, the plans on it, and every section that the report shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from intarsia import __version__
from intarsia.flow.study.baselines import baseline_clusters
from intarsia.flow.study.chosen import Chosen, Planned, given_chip
from intarsia.flow.study.drawn import chip_record
from intarsia.flow.study.figures import figures_of
from intarsia.flow.study.file import Study
from intarsia.flow.study.modelled import Desk, model_record
from intarsia.flow.study.progress import Watch
from intarsia.flow.study.result import SCHEMA, ChipRecord, Made, Result
from intarsia.flow.study.searched import searched_chip
from intarsia.flow.study.sentence import sentence_of
from intarsia.flow.study.serving.deployed import deployed
from intarsia.flow.study.serving.record import served_record
from intarsia.flow.study.serving.said import figures_of as serving_figures
from intarsia.flow.study.serving.said import sentence_of as serving_sentence
from intarsia.ground.processes import cores
from intarsia.ground.store import Store, default_store
from intarsia.ground.units import count_text, rate_text, seconds_text
from intarsia.machines.clusters import Cluster, read_clusters
from intarsia.place.plan_file import PlanFile, plan_file

FIXED = "the chip was given, not searched for"
NO_FIT = "no plan fits"


@dataclass(frozen=True, slots=True)
class StudyAnswer:
    """A study's result, and what its files are made from.

    Attributes:
        result: what is kept.
        chosen: chip and plans.
    """

    result: Result
    chosen: Chosen

    def plans(self, cluster: str) -> tuple[tuple[Planned, str, PlanFile], ...]:
        """Each model with its folder and its plan as a file, on a cluster that is read from this path."""
        return tuple(
            (
                one,
                record.folder,
                plan_file(one.model, cluster, one.plan.prediction, named=one.named, bound=one.plan.bound),
            )
            for one, record in zip(self.chosen.planned, self.result.models, strict=True)
        )


def run_study(
    study: Study, *, command: str = "", store: Path | None = None, fresh: bool = False, watch: Watch = lambda _: None
) -> StudyAnswer:
    """The answer to a study.

    Args:
        study: what is asked.
        command: what does it again, to be kept with the result.
        store: where evaluations are kept, so that an interrupted study continues; the user's for None.
        fresh: evaluate again what is in the store.
        watch: is told how far it is.

    Raises:
        InputError: anything in the study that is wrong.
    """
    started = perf_counter()
    place, workers = store or default_store(), study.workers or cores()
    baseline_clusters(study, read_clusters(study.cluster)[0].devices)  # a wrong name is refused before the search
    served = None if study.serving is None else deployed(study, study.serving, place, watch, fresh=fresh)
    if served is not None:
        chosen = served.chosen
    else:
        chosen = searched_chip(study, place, watch, fresh=fresh) if study.space else given_chip(study, watch)
    compared = baseline_clusters(study, chosen.cluster.devices)
    with Store(place) as kept:
        desk = Desk(study, chosen, compared, kept, workers, fresh, watch)
        models = tuple(model_record(desk, number) for number in range(len(chosen.planned)))
        answers = None if served is None else served_record(desk, served)
    made = Made(
        __version__, datetime.now(UTC).isoformat(timespec="seconds"), perf_counter() - started, workers, command
    )
    hunt = chosen.hunt
    chip = chip_record(chosen) if models or answers else None
    result = Result(
        schema=SCHEMA,
        made=made,
        study=study,
        title=study.name,
        sentence=sentence_of(study, chosen) if served is None else serving_sentence(study, served),
        devices=chosen.cluster.devices,
        network=tuple(_level(chosen.cluster)),
        chip=chip,
        search=hunt.record if hunt else None,
        history=hunt.history if hunt else (),
        looked=hunt.looked if hunt else (),
        front=hunt.front if hunt else (),
        models=models,
        figures=figures_of(study, chosen) if served is None else serving_figures(study, served),
        absent=_absent(chosen, chip),
        served=answers,
    )
    return StudyAnswer(result, chosen)


def _level(cluster: Cluster) -> Iterator[str]:
    for level in cluster.levels:
        reached = f"{count_text(level.devices)} devices, {level.topology}"
        yield f"{level.name}: {reached}, {rate_text(level.bandwidth)}, {seconds_text(level.latency)}"


def _absent(chosen: Chosen, chip: ChipRecord | None) -> dict[str, str]:
    """Sections that there are not, with the reason."""
    absent = {}
    if chip is None:
        absent["chip"] = NO_FIT
    if chosen.hunt is None:
        absent |= {"gap": FIXED, "front": FIXED}
    elif not chosen.hunt.looked:
        absent |= dict.fromkeys(("gap", "front"), "no chip was worth a look: bounds removed them all")
    if chip is not None and not chip.parts:
        absent["parts"] = f"no areas are known of the parts of {chosen.cluster.chip.name}"
    return absent
