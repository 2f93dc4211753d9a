"""``intarsia search MODEL… --cluster NAMExN --global-batch N``: the chip and the plans, and why nothing is better."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from intarsia.cli.choices import end_of_progress, only_option, restrictions, told_on_terminal
from intarsia.cli.command import Command, json_option
from intarsia.cli.printing import print_fields, print_json
from intarsia.ground.units import count_text, seconds_text

if TYPE_CHECKING:
    from intarsia.flow.searching import SearchAnswer
    from intarsia.place.plan import Plan


def _options(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("models", metavar="MODEL", nargs="+", help="names (`intarsia models`), config.json files, .onnx files")
    add("--cluster", metavar="NAMExN", required=True, help="devices and network, such as tpuv4x1024")
    add("--global-batch", metavar="N", type=int, required=True, help="sequences of an iteration")
    add("--seq", metavar="S", type=int, default=0, help="tokens (default: each model's own)")
    add("--space", metavar="NAME|FILE", default="phaze", help="of chips: phaze (default), wide, a TOML file")
    add("--hbm", metavar="GIB,GIB", type=_sizes, default=(), help="capacities of phaze (default 80)")
    add(
        "--objective", metavar="WHAT", default="throughput",
        help="throughput (default), throughput-per-area, throughput-per-watt, throughput-per-dollar",
    )  # fmt: skip
    add("--several", metavar="HOW", default="geomean", help="models count by geomean (default) or worst")
    add("--costs", metavar="WHOSE", default="embedded", help="of products: embedded (default) or padded")
    only_option(parser)
    add("--audit", metavar="N", type=int, default=0, help="evaluate N removed chips in full as well")
    add("--seed", metavar="N", type=int, default=0, help="of the audit's draw (default 0)")
    add("--workers", metavar="N", type=int, default=0, help="processes (default: one to each core)")
    add("--ray", metavar="ADDRESS", default="", help="of a Ray cluster: local, auto, HOST:PORT, ray://HOST:PORT")
    add("--fresh", action="store_true", help="evaluate again what an earlier run has stored")
    json_option(parser)


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no list of GiB, such as 32,64,80") from None


def _run(arguments: Namespace) -> int:
    from intarsia.flow.searching import search_chip

    answer = search_chip(
        arguments.models,
        arguments.cluster,
        arguments.global_batch,
        space=arguments.space,
        hbm_gib=arguments.hbm,
        sequence=arguments.seq,
        only=restrictions(arguments.only),
        objective=arguments.objective,
        several=arguments.several,
        costs=arguments.costs,
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
        ("cluster", f"{question.cluster.name}, {question.cluster.devices} devices"),
        ("space", f"{question.space.name}, {count_text(proof.points)} chips"),
    ]
    if found.point is None:
        fields += [("outcome", "nothing fits on any chip"), ("try", "more devices, or more HBM")]
    else:
        point = found.point
        used = f"{point.area:.1f} mm², {point.watts:.0f} W at most, ${point.dollars:,.0f}"
        fields += [("optimum", str(point)), ("it takes", used)]
        for its, seconds, plan in zip(question.trainings, found.seconds, answer.plans, strict=True):
            fields.append((its.model.name, f"{seconds_text(seconds)} an iteration; {_ranks(plan)}"))
        fields += _score(answer)
    fields += [
        ("removed", f"{count_text(proof.bounded)} by bounds for all chips, {count_text(proof.cut)} when looked at"),
        ("evaluated", f"{count_text(proof.evaluated)} in full"),
        ("search", seconds_text(found.wall)),
    ]
    if answer.audit is not None:
        fields.append(("audit", f"{answer.audit.checked} removed chips evaluated, {len(answer.audit.beaten)} better"))
    print_fields(fields)


def _ranks(plan: Plan) -> str:
    its = plan.strategy
    return f"tensor {its.tensor}, pipeline {its.pipeline}, data {its.data}, microbatch {its.microbatch}"


def _score(answer: SearchAnswer) -> list[tuple[str, str]]:
    """The objective, where it is not simply seconds, and its bound."""
    found, objective = answer.searched, answer.question.objective
    bound, gap = found.certificate.bound, f"gap {found.gap:.2%}, schedules included"
    if len(found.seconds) == 1 and objective.per == "chip":
        return [("bound", f"{seconds_text(bound)}: {gap}")]
    models = (
        f"{objective.several} of seconds over those of the TPUv4-like chip" if len(found.seconds) > 1 else "seconds"
    )
    unit = {"chip": "", "area": " × mm²", "watt": " × watts", "dollar": " × dollars"}[objective.per]
    return [("score", f"{found.score:.6g} ({models}{unit})"), ("bound", f"{bound:.6g}: {gap}")]


def search_json(answer: SearchAnswer) -> dict[str, Any]:
    """An answer as JSON."""
    from intarsia.flow.searching import speeds

    found, proof, question = answer.searched, answer.searched.certificate, answer.question
    point = found.point
    return {
        "models": [its.model.name for its in question.trainings],
        "space": question.space.name,
        "objective": {"per": question.objective.per, "several": question.objective.several},
        "costs": question.mapping,
        "combinations": question.space.combinations,
        "points": proof.points,
        "optimum": None
        if point is None
        else {
            **asdict(point),
            "area_mm2": point.area,
            "watts": point.watts,
            "dollars": point.dollars,
            "score": found.score,
            "models": [
                {
                    "model": its.model.name,
                    "seconds": seconds,
                    "sequences_per_second": speed,
                    "strategy": asdict(plan.strategy),
                }
                for its, seconds, speed, plan in zip(
                    question.trainings, found.seconds, speeds(answer), answer.plans, strict=True
                )
            ],
        },
        "bound": None if point is None else proof.bound,
        "gap": found.gap,
        "evaluated": proof.evaluated,
        "removed": {"bounds": proof.bounded, "cut": proof.cut},
        "seconds": found.wall,
        "audit": None
        if answer.audit is None
        else {"checked": answer.audit.checked, "beaten": [str(one) for one in answer.audit.beaten]},
    }


COMMAND = Command(
    "search",
    "the chip of a space and the plans on it, together, with a certificate",
    "intarsia search gpt3-175b --space phaze --cluster tpuv4x1024 --global-batch 4096 --seq 2048",
    _options,
    _run,
)
