"""Command lines that say again what a result says."""

from __future__ import annotations

from collections import Counter
from shlex import quote

from intarsia.flow.study.chosen import Chosen
from intarsia.flow.study.file import Study
from intarsia.machines.chips import Mapping


def search_command(study: Study) -> str:
    """The search of the chip; empty for one that was given."""
    if not study.space:
        return ""
    words = [
        "intarsia search",
        *map(quote, study.models),
        "--space",
        "space.toml" if study.budget else quote(study.space),
    ]
    words += [f"--cluster {quote(study.cluster)}", *_asked(study)]
    words += [f"--hbm {','.join(map(str, study.hbm_gib))}"] if study.hbm_gib else []
    words += [f"--objective {study.objective}"] if study.objective else []
    words += [f"--several {study.several}"] if study.several else []
    words += [f"--total {name}={value:g}" for name, value in study.total.items()]
    words += [f"--front {study.front}"] if study.front else []
    words += [f"--tolerance {study.tolerance:g}"] if study.tolerance else []
    words += [f"--costs {study.costs}"] if study.costs != Mapping.EMBEDDED else []
    words += [f"--audit {study.audit} --seed {study.seed}"] if study.audit else []
    return " ".join(words)


def plan_command(study: Study, chosen: Chosen) -> str:
    """The plan of the first model on another chip."""
    cluster = f"NAMEx{chosen.cluster.devices}"
    return " ".join(["intarsia plan", quote(study.models[0]), f"--cluster {cluster}", *_asked(study), "--brief"])


def schedule_command(study: Study, chosen: Chosen) -> str:
    """The schedule of the first model's layer."""
    if not chosen.planned:
        return ""
    plan = chosen.planned[0].plan
    its, usual = plan.strategy, Counter(plan.split.recompute).most_common(1)[0][0]
    words = ["intarsia schedule", quote(study.models[0]), "--chip chip.json", f"--microbatch {its.microbatch}"]
    words += [f"--seq {its.sequence}"] if its.sequence else []
    words += [f"--tensor {its.tensor}", f"--recompute {usual}", f"--attention {its.attention}"]
    return " ".join(words)


def _asked(study: Study) -> list[str]:
    words = [f"--global-batch {study.global_batch}"]
    words += [f"--seq {study.sequence}"] if study.sequence else []
    return words + [f"--only {name}={','.join(map(str, values))}" for name, values in study.choose.items()]
