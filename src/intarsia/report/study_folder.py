"""The folder of a study: the result, the report, and for each model its plan, launch files and traces."""

from __future__ import annotations

from pathlib import Path

from intarsia.flow.study import RESULT, StudyAnswer, result_text
from intarsia.ground import folder
from intarsia.report.html import report_html
from intarsia.report.machine_files import CHIP, CLUSTER, chip_text, cluster_text
from intarsia.report.outputs import write_outputs
from intarsia.report.schedule_trace import gantt_trace

REPORT, SCHEDULE, SPACE = "report.html", "schedule.json", "space.toml"


def write_study(path: Path, answer: StudyAnswer) -> None:
    """Writes the folder, whole or not at all; other files in it stay, older plans do not.

    Args:
        path: the folder.
        answer: the study's.

    Raises:
        InputError: the folder cannot be written.
    """
    with folder(path, seal=RESULT) as staged:
        (staged / RESULT).write_text(result_text(answer.result), encoding="utf-8")
        (staged / REPORT).write_text(report_html(answer.result), encoding="utf-8")
        (staged / "README.txt").write_text(_readme(answer), encoding="utf-8")
        (staged / "plans").mkdir()
        hunt = answer.chosen.hunt
        if hunt is not None and hunt.file:
            (staged / SPACE).write_text(hunt.file, encoding="utf-8")
        if answer.result.chip is not None:
            cluster = answer.chosen.cluster
            (staged / CHIP).write_text(chip_text(cluster.chip), encoding="utf-8")
            (staged / CLUSTER).write_text(cluster_text(cluster), encoding="utf-8")
            _write_plans(staged, path.resolve(), answer)


def _write_plans(staged: Path, path: Path, answer: StudyAnswer) -> None:
    cluster = answer.chosen.cluster
    records = answer.result.models
    for (planned, place, plan), record in zip(answer.plans(str(path / CLUSTER)), records, strict=True):
        write_outputs(staged / place, plan, planned.model, cluster, planned.plan.prediction.time.stages)
        if record.schedule is not None:
            trace = gantt_trace(record.schedule, name=f"{record.name} on {cluster.chip.name}")
            (staged / place / SCHEDULE).write_text(trace, encoding="utf-8")


def _readme(answer: StudyAnswer) -> str:
    result = answer.result
    lines = [
        result.sentence,
        "",
        f"{REPORT}: all of it to look at, in one file.",
        f"{RESULT}: all figures, {result.schema}; `intarsia compare` sets two side by side.",
    ]
    if result.models:
        lines += [f"{CHIP}, {CLUSTER}: what was planned for; `intarsia plan … --cluster {CLUSTER}` reads them."]
        lines += [
            f"{one.folder}: plan.json, launch files, trace.json (an iteration) and {SCHEDULE} (a layer on the cores); "
            f"open the two at ui.perfetto.dev."
            for one in result.models
        ]
    if result.served is not None:
        again = next(one.made for one in result.figures if one.section == "deployment")
        lines += [f"{CHIP}, {CLUSTER}: what serves, as files: `{again}` finds the deployment again."]
    if answer.chosen.hunt is not None and answer.chosen.hunt.file:
        lines.append(f"{SPACE}: the space of chips that was searched.")
    return "\n".join(lines) + "\n"
