"""``intarsia search MODEL --cluster NAMExN --global-batch N``: the chip and the plan, and why nothing is better."""

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


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a name (`intarsia models`), a config.json, an .onnx file")
    parser.add_argument("--cluster", metavar="NAMExN", required=True, help="devices and network, such as tpuv4x1024")
    parser.add_argument("--global-batch", metavar="N", type=int, required=True, help="sequences of an iteration")
    parser.add_argument("--seq", metavar="S", type=int, default=0, help="tokens (default: the model's own)")
    parser.add_argument("--space", metavar="NAME", default="phaze", help="of chips: phaze (default)")
    parser.add_argument("--hbm", metavar="GIB,GIB", type=_sizes, default=(), help="capacities (default 80)")
    only_option(parser)
    parser.add_argument("--audit", metavar="N", type=int, default=0, help="evaluate N removed chips in full as well")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of the audit's draw (default 0)")
    parser.add_argument("--workers", metavar="N", type=int, default=0, help="processes (default: one to each core)")
    parser.add_argument("--fresh", action="store_true", help="evaluate again what an earlier run has stored")
    json_option(parser)


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no list of GiB, such as 32,64,80") from None


def _run(arguments: Namespace) -> int:
    from intarsia.flow.searching import search_chip

    answer = search_chip(
        arguments.model,
        arguments.cluster,
        arguments.global_batch,
        space=arguments.space,
        hbm_gib=arguments.hbm,
        sequence=arguments.seq,
        only=restrictions(arguments.only),
        audited=arguments.audit,
        seed=arguments.seed,
        workers=arguments.workers,
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
        ("model", f"{question.model.name}, {count_text(question.model.parameters)} parameters"),
        ("cluster", f"{question.cluster.name}, {question.cluster.devices} devices"),
        ("space", f"{question.space.name}, {count_text(proof.points)} chips"),
    ]
    if found.point is None or answer.plan is None:
        fields += [("outcome", "nothing fits on any chip"), ("try", "more devices, or more HBM")]
    else:
        its = answer.plan.strategy
        ranks = f"tensor {its.tensor}, pipeline {its.pipeline}, data {its.data}, microbatch {its.microbatch}"
        fields += [
            ("optimum", str(found.point)),
            ("area", f"{found.point.area:.1f} of {question.space.budget:.1f} mm²"),
            ("seconds", f"{seconds_text(found.seconds)} an iteration"),
            ("bound", f"{seconds_text(proof.bound)}: gap {found.gap:.2%}, schedules included"),
            ("plan", ranks),
        ]
    fields += [
        ("removed", f"{count_text(proof.bounded)} by bounds for all chips, {count_text(proof.cut)} when looked at"),
        ("evaluated", f"{count_text(proof.evaluated)} in full"),
        ("search", seconds_text(found.wall)),
    ]
    if answer.audit is not None:
        fields.append(("audit", f"{answer.audit.checked} removed chips evaluated, {len(answer.audit.beaten)} better"))
    print_fields(fields)


def search_json(answer: SearchAnswer) -> dict[str, Any]:
    """An answer as JSON."""
    from intarsia.flow.searching import speed

    found, proof = answer.searched, answer.searched.certificate
    point = found.point
    return {
        "model": answer.question.model.name,
        "space": answer.question.space.name,
        "combinations": answer.question.space.combinations,
        "points": proof.points,
        "optimum": None
        if point is None
        else {
            "tensor_cores": point.tensor_cores,
            "vector_cores": point.vector_cores,
            "width": point.width,
            "depth": point.depth,
            "buffer_mib": point.buffer_mib,
            "hbm_gib": point.hbm_gib,
            "area_mm2": point.area,
            "seconds": found.seconds,
            "sequences_per_second": speed(answer),
            "strategy": None if answer.plan is None else asdict(answer.plan.strategy),
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
    "the chip of a space and the plan on it, together, with a certificate",
    "intarsia search gpt3-175b --space phaze --cluster tpuv4x1024 --global-batch 4096 --seq 2048",
    _options,
    _run,
)
