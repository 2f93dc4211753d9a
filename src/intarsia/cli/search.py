"""``intarsia search MODEL… --cluster NAMExN --global-batch N``: the chip and the plans, and why nothing is better."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from math import inf
from typing import TYPE_CHECKING, Any

from intarsia.cli.chip_search import audit_options, chip_json, chip_options, ending, proof_json, taken_text
from intarsia.cli.choices import budgets, end_of_progress, only_option, restrictions, told_on_terminal
from intarsia.cli.command import Command, json_option
from intarsia.cli.energy import energy_fields, energy_json
from intarsia.cli.printing import print_fields, print_json
from intarsia.ground.units import count_text, seconds_text

if TYPE_CHECKING:
    from intarsia.flow.searching import SearchAnswer, Unfit
    from intarsia.machines.template import Point
    from intarsia.place.plan import Plan

UNITS = {"area": "mm²", "watt": "W", "watts": "W", "dollar": "$", "dollars": "$"}


def _options(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("models", metavar="MODEL", nargs="+", help="names (`intarsia models`), config.json files, .onnx files")
    add("--cluster", metavar="NAMExN,N", required=True, help="devices and network: tpuv4x1024; several to choose from")
    add("--global-batch", metavar="N", type=int, required=True, help="sequences of an iteration")
    add("--seq", metavar="S", type=int, default=0, help="tokens (default: each model's own)")
    add("--space", metavar="NAME|FILE", default="phaze", help="of chips: phaze (default), wide, a TOML file")
    chip_options(add)
    add("--total", metavar="WHAT=N", action="append", default=[], help="of all chips: area_mm2, watts, dollars")
    add("--front", metavar="WHAT", default="", help="every chip that none beats with as little area, watts, dollars")
    add("--tolerance", metavar="F", type=float, default=0.0, help="of the front, a fraction (default 0)")
    add("--several", metavar="HOW", default="geomean", help="models count by geomean (default) or worst")
    add("--costs", metavar="WHOSE", default="embedded", help="of products: embedded (default) or padded")
    only_option(parser)
    audit_options(add)
    add("--workers", metavar="N", type=int, default=0, help="processes (default: one to each core)")
    add("--ray", metavar="ADDRESS", default="", help="of a Ray cluster: local, auto, HOST:PORT, ray://HOST:PORT")
    add("--fresh", action="store_true", help="evaluate again what an earlier run has stored")
    json_option(parser)


def _run(arguments: Namespace) -> int:
    from intarsia.flow.search_question import Wanted
    from intarsia.flow.searching import search_chip

    wanted = Wanted(
        objective=arguments.objective,
        several=arguments.several,
        costs=arguments.costs,
        total=budgets(arguments.total, "--total"),
        front=arguments.front,
        tolerance=arguments.tolerance,
    )
    answer = search_chip(
        arguments.models,
        arguments.cluster,
        arguments.global_batch,
        wanted,
        space=arguments.space,
        hbm_gib=arguments.hbm,
        sequence=arguments.seq,
        only=restrictions(arguments.only),
        audited=arguments.audit,
        seed=arguments.seed,
        workers=arguments.workers,
        ray=arguments.ray,
        fresh=arguments.fresh,
        told=told_on_terminal,
    )
    end_of_progress()
    if arguments.json:
        print_json(search_json(answer))
    else:
        _print(answer)
    return 0


def _print(answer: SearchAnswer) -> None:
    found, proof, question = answer.searched, answer.searched.certificate, answer.question
    fields = [
        ("models", ", ".join(f"{its.model.name} ({count_text(its.model.parameters)})" for its in question.trainings)),
        ("cluster", _clusters(answer)),
        ("space", f"{question.space.name}, {count_text(proof.points)} {_pairs(answer)}"),
    ]
    if answer.unfit is not None:
        nearest = _pair(answer, answer.unfit.nearest.point, answer.unfit.nearest.devices)
        because = [("because", text) for text in answer.unfit.because]
        fields += [("outcome", "nothing fits on any chip"), ("for example", nearest), *because]
        fields.append(("try", answer.unfit.relaxation))
    if found.point is not None:
        point = found.point
        optimum = _pair(answer, point, found.devices)
        fields += [("optimum", optimum), ("a chip takes", taken_text(point))]
        of_each = zip(question.trainings, found.seconds, answer.plans, answer.energies, strict=True)
        for its, seconds, plan, energy in of_each:
            fields.append((its.model.name, f"{seconds_text(seconds)} an iteration; {_ranks(plan)}"))
            fields += energy_fields(energy, str(point))
        fields += _score(answer)
    print_fields([*fields, *ending(proof, "bounds for all chips", seconds_text(found.wall), answer.audit)])
    if question.objective.front != "chip" and found.front:
        _print_front(answer)


def _clusters(answer: SearchAnswer) -> str:
    listed = ", ".join(count_text(one.devices) for one in answer.question.clusters)
    total = {name: value for name, value in asdict(answer.question.total).items() if value < inf}
    within = "".join(f"; {value:,.6g} {UNITS[name]} in all at most" for name, value in total.items())
    return f"{answer.question.cluster.name}, {listed} devices{within}"


def _pair(answer: SearchAnswer, point: Point, devices: int) -> str:
    """A chip, and how many of it where that was to be chosen, too."""
    return f"{count_text(devices)} of {point}" if answer.question.sizes else str(point)


def _pairs(answer: SearchAnswer) -> str:
    """What was chosen from, by its name."""
    if not answer.question.sizes:
        return "chips"
    sizes = ", ".join(
        f"{count_text(points)} in {count_text(size)}" for size, points in answer.searched.certificate.sizes
    )
    return f"pairs of a chip and a cluster ({sizes})"


def _print_front(answer: SearchAnswer) -> None:
    """The front as a table, the least cost first."""
    found, objective = answer.searched, answer.question.objective
    near = f", each at most {objective.tolerance:.2%} above the best" if objective.tolerance else ""
    print(f"\nthe front: {len(found.front)} chips that none beats with as little {objective.front}{near};")
    print(f"gaps to {found.widest:.2%}, schedules included")
    for step in found.front:
        its = step.looked
        value = seconds_text(its.score) if _plain(answer) else f"{its.score:.6g}"
        pair = _pair(answer, its.point, its.devices)
        print(f"{step.cost:>12,.1f} {UNITS[objective.front]:<4} {value:>10}  gap {step.gap:.2%}  {pair}")


def _plain(answer: SearchAnswer) -> bool:
    """Whether the score is simply seconds."""
    return len(answer.question.trainings) == 1 and answer.question.objective.per == "chip"


def _ranks(plan: Plan) -> str:
    its = plan.strategy
    return f"tensor {its.tensor}, pipeline {its.pipeline}, data {its.data}, microbatch {its.microbatch}"


def _score(answer: SearchAnswer) -> list[tuple[str, str]]:
    """The objective, where it is not simply seconds, and its bound."""
    found, objective = answer.searched, answer.question.objective
    bound, gap = found.certificate.bound, f"gap {found.gap:.2%}, schedules included"
    if _plain(answer):
        return [("bound", f"{seconds_text(bound)}: {gap}")]
    models = (
        f"{objective.several} of seconds over those of the TPUv4-like chip" if len(found.seconds) > 1 else "seconds"
    )
    unit = f" × {UNITS[objective.per]} of all chips" if objective.per != "chip" else ""
    return [("score", f"{found.score:.6g} ({models}{unit})"), ("bound", f"{bound:.6g}: {gap}")]


def search_json(answer: SearchAnswer) -> dict[str, Any]:
    """An answer as JSON."""
    from intarsia.flow.searching import speeds

    found, proof, question = answer.searched, answer.searched.certificate, answer.question
    point = found.point
    return {
        **_unfit_json(answer.unfit),
        "models": [its.model.name for its in question.trainings],
        "clusters": [{"name": one.name, "devices": one.devices} for one in question.clusters],
        "total": {name: value for name, value in asdict(question.total).items() if value < inf},
        "space": question.space.name,
        "objective": {"per": question.objective.per, "several": question.objective.several},
        "costs": question.mapping,
        "combinations": question.space.combinations,
        **proof_json(proof, answer.audit),
        "sizes": {str(devices): points for devices, points in proof.sizes},
        "optimum": None
        if point is None
        else {
            **chip_json(point),
            "devices": found.devices,
            "score": found.score,
            "models": [
                {
                    "model": its.model.name,
                    "seconds": seconds,
                    "sequences_per_second": speed,
                    "energy": energy_json(energy),
                    "strategy": asdict(plan.strategy),
                }
                for its, seconds, speed, plan, energy in zip(
                    question.trainings, found.seconds, speeds(answer), answer.plans, answer.energies, strict=True
                )
            ],
        },
        "front": _front_json(answer),
        "bound": None if point is None else proof.bound,
        "gap": found.gap,
        "seconds": found.wall,
    }


def _unfit_json(unfit: Unfit | None) -> dict[str, Any]:
    if unfit is None:
        return {"outcome": "found", "because": [], "relaxation": None, "nearest": None}
    return {
        "outcome": "infeasible",
        "because": list(unfit.because),
        "relaxation": unfit.relaxation,
        "nearest": {**chip_json(unfit.nearest.point), "devices": unfit.nearest.devices},
    }


def _front_json(answer: SearchAnswer) -> dict[str, Any] | None:
    objective = answer.question.objective
    if objective.front == "chip":
        return None
    chips = [
        {
            **asdict(step.looked.point),
            "devices": step.looked.devices,
            "cost": step.cost,
            "score": step.looked.score,
            "seconds": step.looked.seconds,
            "bound": step.bound,
            "gap": step.gap,
        }
        for step in answer.searched.front
    ]
    return {"of": objective.front, "tolerance": objective.tolerance, "chips": chips}


COMMAND = Command(
    "search",
    "the chip of a space and the plans on it, together, with a certificate",
    "intarsia search gpt3-175b --space phaze --cluster tpuv4x1024 --global-batch 4096 --seq 2048",
    _options,
    _run,
    usage=("intarsia search MODEL... --cluster NAMExN,N --global-batch N ...",),
)
