"""The answer of a study in a sentence."""

from __future__ import annotations

from intarsia.flow.study.chosen import Chosen
from intarsia.flow.study.file import Study
from intarsia.flow.study.result import SearchRecord
from intarsia.flow.study.trials import degrees_text
from intarsia.ground.units import count_text, seconds_text

LEAST = 1e-4
"""A gap below this is told as this."""


def sentence_of(study: Study, chosen: Chosen) -> str:
    """What was found, with its proof; or that nothing fits, and why."""
    devices = f"{count_text(chosen.cluster.devices)} devices"
    if not chosen.planned:
        return f"Nothing fits on {devices} of {chosen.cluster.name}: {'; '.join(chosen.because)}."
    trained = " and ".join(
        f"{one.model.name} takes {seconds_text(one.plan.seconds)} an iteration of {count_text(study.global_batch)} "
        f"{'sequences' if one.sequence else 'images'} ({degrees_text(one.plan.strategy, one.plan.split)})"
        for one in chosen.planned
    )
    if chosen.hunt is None or chosen.hunt.record is None:
        proof = "no plan is faster" if all(one.plan.optimal for one in chosen.planned) else "not proved in time"
        return f"On {devices} with {chosen.cluster.chip.name}, {trained}; {proof}."
    found = chosen.hunt.record
    sizes = f" in {' or '.join(map(count_text, map(int, found.sizes)))} devices" if len(found.sizes) > 1 else ""
    chips = f"{count_text(found.points)} chips of the space {found.space}{sizes}"
    by = f" by {study.objective.replace('-', ' ')}" if study.objective not in {"", "throughput"} else ""
    return f"Of {chips}, the best{by} for {devices} has {chosen.point}: {trained}; {_proof(found)}."


def _proof(found: SearchRecord) -> str:
    if not found.gap:
        return "no chip of the space is better"
    what = "of that" if found.unit == "s" else f"of its {found.objective}"
    share = f"more than {100 * found.gap:.2g} %" if found.gap >= LEAST else f"{100 * LEAST:g} %"
    return f"no chip of the space saves {share} {what}"
