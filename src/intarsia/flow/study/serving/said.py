"""The answer of a study that serves in a sentence, the commands that say it again, and how its figures were made."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from intarsia.flow.study.figures import AREAS, MONEY, assumed, interval
from intarsia.flow.study.file import Study
from intarsia.flow.study.result import Figure
from intarsia.flow.study.serving.deployed import Deployed
from intarsia.flow.study.serving.trials import degrees_text
from intarsia.ground.units import count_text, seconds_text

LEAST = 1e-4
"""A gap below this is told as this."""


def sentence_of(study: Study, found: Deployed) -> str:
    """What was found, with its proof; or what is in the way."""
    chosen, plan, keys = found.chosen, found.plan, found.keys
    devices = f"{count_text(chosen.cluster.devices)} devices"
    if plan is None:
        where = "of any chip of the space" if chosen.hunt is not None else f"with {chosen.cluster.chip.name}"
        because = "; ".join(chosen.because)
        return f"Nothing serves {found.answer.model.name} so on {devices} {where}: {because}."
    pace = plan.pace
    times = [f"the first after {seconds_text(pace.ttft)}"] if pace.ttft else []
    times += [f"{seconds_text(pace.tpot)} between two"] if pace.tpot else []
    asked = f"prompts of {count_text(keys.prompt)} and answers of {count_text(keys.output)} tokens"
    served = (
        f"{found.answer.model.name} makes {count_text(round(pace.tokens_per_second))} tokens a second, "
        f"{', '.join(times)}, for {asked} ({degrees_text(plan.deployment)})"
    )
    hunt = chosen.hunt
    if hunt is None or hunt.record is None:
        return f"On {devices} with {chosen.cluster.chip.name}, {served}; no deployment makes more."
    record = hunt.record
    by = f" by {study.objective.replace('-', ' ')}" if study.objective not in {"", "throughput"} else ""
    more = record.bound / record.value - 1
    share = f"more than {100 * more:.2g} %" if more >= LEAST else f"{100 * LEAST:g} %"
    proof = f"no chip of the space makes {share} more" + (by and f",{by}")
    chips = f"{count_text(record.points)} chips of the space {record.space}"
    return f"Of {chips}, the best{by} for {devices} has {hunt.point}: {served}; {proof}."


def serve_command(study: Study, found: Deployed) -> str:
    """The search, or the deployment on the given chip."""
    if not study.space:
        return again_command(study, found, "cluster.json" if study.chip else quote(study.cluster))
    words = [again_command(study, found, quote(study.cluster))]
    words += ["--space", "space.toml" if study.budget else quote(study.space)]
    words += [f"--hbm {','.join(map(str, study.hbm_gib))}"] if study.hbm_gib else []
    words += [f"--objective {study.objective}"] if study.objective else []
    words += [f"--audit {study.audit} --seed {study.seed}"] if study.audit else []
    return " ".join(words)


def again_command(study: Study, found: Deployed, cluster: str) -> str:
    """The deployment on one chip."""
    return " ".join(["intarsia serve", quote(study.models[0]), f"--cluster {cluster}", *_asked(study, found)])


def _asked(study: Study, found: Deployed) -> list[str]:
    keys = found.keys
    words = [f"--prompt {keys.prompt}", f"--output {keys.output}"]
    words += [f"--{name} {limit:g}" for name, limit in (("ttft", keys.ttft), ("tpot", keys.tpot)) if limit is not None]
    words += [f"--phase {keys.phase}"] if keys.phase != "both" else []
    words += [f"--dtype {keys.dtype}"] if keys.dtype != "bf16" else []
    words += [f"--kv-dtype {keys.kv_dtype}"] if keys.kv_dtype != "bf16" else []
    return words + [f"--only {name}={','.join(map(str, values))}" for name, values in study.choose.items()]


def figures_of(study: Study, found: Deployed) -> tuple[Figure, ...]:
    """One for each section."""
    return tuple(_figures(study, found))


def _figures(study: Study, found: Deployed) -> Iterator[Figure]:
    chosen = found.chosen
    searched, again = serve_command(study, found), again_command(study, found, "cluster.json")
    steady = "a replica in steady state; waiting for a free place is not counted (docs/decisions/0014)"
    rests = (steady, *interval(chosen), *assumed(chosen))
    yield Figure("chip", "machines.template: Point.parts()", (AREAS, MONEY, *assumed(chosen)))
    best = "best: the most of a chip with deployments that were found; bound: what no chip of the space is above"
    yield Figure("gap", searched, (best, "time is that of this run"))
    seen = "only chips that were looked at are shown: bounds removed the others, which have no deployment of their own"
    yield Figure("front", searched, (seen, AREAS, MONEY, *interval(chosen)))
    yield Figure("deployment", again, rests)
    alone = "each limit was dropped alone, memory was doubled alone, and the best deployment searched anew"
    yield Figure("limits", again, (alone, *rests))
    yield Figure("memory", again, ("weights, cache and buffers of a device of each stage", *assumed(chosen)))
    slowest = "the slowest stage of a replica: a step for each token behind the first, a prompt for each place"
    yield Figure("round", again, (slowest, *rests))
    same = "efficiencies are those of the chip that was not changed"
    step = "a field of the template goes one step of its space; memory and network are halved and doubled"
    yield Figure("sensitivity", again, (step, "a clock is 1/6 slower and faster", same, *rests))
    theirs = "as many chips, each in its own catalogue's network, with its own memory, efficiencies and deployment"
    devices = chosen.cluster.devices
    yield Figure("baselines", again_command(study, found, f"NAMEx{devices}"), (theirs, steady))
