"""``intarsia embed SPEC --instr NAME``: embeddings counted, the best one proved, or why there is none."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any, assert_never

from intarsia.cli.command import Command, instruction_option, json_option, spec_argument, trace_of, trace_options
from intarsia.cli.printing import print_fields, print_json
from intarsia.ground.units import count_text, seconds_text

if TYPE_CHECKING:
    from intarsia.embed import Embedding
    from intarsia.flow.answers import Counts, EmbedAnswer, Fit, Question


def question_options(parser: ArgumentParser) -> None:
    """What is asked: an operator, an instruction, a space, requirements, preferences, a limit."""
    spec_argument(parser)
    instruction_option(parser)
    parser.add_argument(
        "--space", metavar="NAME", default="fused", help="aligned, fused (default), skewed or scalar (small boxes)"
    )
    parser.add_argument(
        "--require", metavar="A,B", type=_names, default=(),
        help="dense, no-padding, no-duplication, inputs-once, constant-only, fixed",
    )  # fmt: skip
    parser.add_argument(
        "--prefer", metavar="A,B", type=_names, default=("calls", "duplicated"),
        help="calls, padded, duplicated, moved, needed, cycles; the first matters most",
    )  # fmt: skip
    parser.add_argument("--limit", metavar="SECONDS", type=float, default=60.0, help="of the search (default 60)")


def _options(parser: ArgumentParser) -> None:
    question_options(parser)
    parser.add_argument("--all", action="store_true", help="print every embedding, not only the best")
    json_option(parser)
    trace_options(parser)


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (name.strip() for name in text.split(","))))


def question_of(arguments: Namespace) -> Question:
    """The question that the options of ``question_options`` ask."""
    from intarsia import flow

    return flow.question(
        arguments.spec,
        arguments.instr,
        space=arguments.space,
        require=arguments.require,
        prefer=arguments.prefer,
        limit=arguments.limit,
    )


def _run(arguments: Namespace) -> int:
    from intarsia import flow

    answer = flow.embed_operator(question_of(arguments), listed=arguments.all, trace=trace_of(arguments))
    if arguments.json:
        print_json(answer_json(answer))
    else:
        print_answer(answer)
    return 0


def print_answer(answer: EmbedAnswer) -> None:
    """An answer as names and values, and the loop nests."""
    from intarsia.solvers import Found, Infeasible, OutOfTime

    question, outcome = answer.question, answer.outcome
    fields = [
        ("operator", str(question.operator).partition("\n")[0]),
        ("instruction", f"{question.instruction.name}, {count_text(question.instruction.lanes)} lanes"),
        ("space", ", ".join((question.space, *question.require))),
    ]
    best: Fit | None = None
    match outcome:
        case Found(best, bound, effort):
            fields.append(("outcome", "found" + (", proved optimal" if answer.optimal else "")))
        case OutOfTime(best, bound, effort):
            fields.append(("outcome", "out of time" + (", the best so far:" if best is not None else "")))
        case Infeasible(because, relaxation, effort):
            bound = ()
            fields += [("outcome", "infeasible"), *(("because", reason) for reason in because)]
            fields.append(("relaxation", relaxation))
        case _:
            assert_never(outcome)
    if not isinstance(outcome, Infeasible):
        fields.append(("embeddings", _counts_text(answer.counts)))
    fields += [(name, count_text(value)) for name, value in answer.measures]
    fields.append(("bound", ", ".join(map(count_text, bound))))
    fields.append(("seconds", seconds_text(effort.seconds)))
    print_fields(fields)
    for fit in answer.listed or ((best,) if best is not None else ()):
        print(f"\n{fit}")


def _counts_text(counts: Counts | None) -> str:
    if counts is None:
        return "not counted (only listing them one by one would tell how many meet the requirements)"
    if not counts.total:
        return "not counted (out of time)"
    least = "" if counts.complete else "at least "
    classes = "" if counts.classes is None else f", {least}{count_text(counts.classes)} modulo symmetry"
    return f"{least}{count_text(counts.total)}{classes}"


def answer_json(answer: EmbedAnswer) -> dict[str, Any]:
    """An answer as JSON; fields that do not apply are null or empty."""
    from intarsia.solvers import Found, Infeasible, OutOfTime

    question, outcome = answer.question, answer.outcome
    best: Fit | None = None
    bound: tuple[int, ...] = ()
    because: tuple[str, ...] = ()
    relaxation = ""
    match outcome:
        case Found(best, bound, effort):
            name = "found"
        case OutOfTime(best, bound, effort):
            name = "out of time"
        case Infeasible(because, relaxation, effort):
            name = "infeasible"
        case _:
            assert_never(outcome)
    counts = answer.counts
    return {
        "operator": str(question.operator),
        "instruction": question.instruction.name,
        "space": question.space,
        "require": list(question.require),
        "prefer": list(question.prefer),
        "outcome": name,
        "count": counts.total if counts else None,
        "count_modulo_symmetry": counts.classes if counts else None,
        "count_complete": counts.complete if counts else None,
        "best": None if best is None else {**dict(answer.measures), **fit_json(best)},
        "bound": list(bound),
        "optimal": answer.optimal,
        "because": list(because),
        "relaxation": relaxation,
        "seconds": effort.seconds,
        "nodes": effort.nodes,
        "workers": effort.workers,
        "seed": effort.seed,
        "listed": [fit_json(fit) for fit in answer.listed],
    }


def fit_json(fit: Fit) -> dict[str, Any]:
    """A solution as JSON: an embedding by its digits, a call of the scalar space by its lanes."""
    from intarsia.embed import Embedding

    if isinstance(fit, Embedding):
        return embedding_json(fit)
    return {"lanes": [None if max(point) < 0 else point for point in fit.phi.tolist()], "text": str(fit)}


def embedding_json(embedding: Embedding) -> dict[str, Any]:
    """An embedding as JSON: which digits lie on which instruction axis, and what each operator axis is over them."""
    axes = [axis.name for axis in embedding.instruction.semantics.axes]
    return {
        "operands": dict(embedding.operands),
        "outer": [{"loop": loop.name, "extent": loop.extent} for loop in embedding.outer],
        "digits": {
            axis: [{"loop": loop.name, "extent": loop.extent} for loop in embedding.lane_loops(axis)] for axis in axes
        },
        "axes": [
            {
                "axes": list(flat.axes),
                "extents": list(flat.extents),
                "value": str(flat.value),
                "shifts": [str(shift) for shift in flat.shifts],
            }
            for flat in embedding.flats
        ],
        "text": str(embedding),
    }


COMMAND = Command(
    "embed",
    "find, count and prove the embeddings of an operator in an instruction",
    "intarsia embed conv2d:n=1,c=3,h=224,w=224,k=64,r=7,s=7,stride=2,pad=3 --instr vta.gemm",
    _options,
    _run,
)
