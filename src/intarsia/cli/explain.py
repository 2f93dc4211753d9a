"""``intarsia explain SPEC --instr NAME``: the nests before and after, what may lie on what, and why not."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from intarsia.cli.command import Command, json_option, trace_of, trace_options
from intarsia.cli.embed import answer_json, print_answer, question_of, question_options
from intarsia.cli.printing import print_json, print_table, print_wrapped

if TYPE_CHECKING:
    from intarsia.flow.answers import Assigned, Explanation


def _options(parser: ArgumentParser) -> None:
    question_options(parser)
    json_option(parser)
    trace_options(parser)


def _run(arguments: Namespace) -> int:
    from intarsia import flow

    found = flow.explain(question_of(arguments), trace=trace_of(arguments))
    if arguments.json:
        print_json(_json(found))
    else:
        _print(found)
    return 0


def _print(found: Explanation) -> None:
    print(f"{found.before}\n\nin\n\n{found.answer.question.instruction}\n")
    for assigned in found.assigned:
        _print_assigned(assigned)
    print_answer(found.answer)


def _print_assigned(found: Assigned) -> None:
    print("operands " + ", ".join(f"{operand}={tensor or 1}" for operand, tensor in found.operands) + "\n")
    lanes = list(dict.fromkeys(service.lane for service in found.services))
    axes = list(dict.fromkeys(service.axis for service in found.services))
    why = {(service.axis, service.lane): service.why_not for service in found.services}
    rows = [
        (axis, *(why[axis, lane].partition(":")[0] or "may lie" for lane in lanes), _padded(found, axis))
        for axis in axes
    ]
    if rows:
        print_table(("axis", *(f"on {lane}" for lane in lanes), "padded"), rows)
        print()
    for service in found.services:
        if service.why_not:
            print_wrapped(f"{service.axis} not on {service.lane}: ", service.why_not)
    print()


def _padded(found: Assigned, axis: str) -> str:
    return "harmless" if axis in found.guarded else "would do harm"


def _json(found: Explanation) -> dict[str, Any]:
    every = [_assigned_json(assigned) for assigned in found.assigned]
    first = every[0] if every else {"operands": {}, "services": [], "guarded": []}
    return {**first, "assignments": every, "before": found.before, "answer": answer_json(found.answer)}


def _assigned_json(found: Assigned) -> dict[str, Any]:
    services = [{"axis": s.axis, "lane": s.lane, "why_not": s.why_not or None} for s in found.services]
    return {"operands": dict(found.operands), "services": services, "guarded": list(found.guarded)}


COMMAND = Command(
    "explain",
    "show which axis may lie on which lanes, what forbids the rest, and the loop nests",
    "intarsia explain depthwise:n=1,c=32,h=56,w=56,r=3,s=3,pad=1 --instr vta.gemm --require dense",
    _options,
    _run,
)
