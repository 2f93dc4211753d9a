"""``intarsia plan MODEL --cluster NAMExN --global-batch N``: the best plan, and why it is the best."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from intarsia.cli.choices import end_of_progress, only_option, restrictions, told_on_terminal
from intarsia.cli.command import Command, json_option, output_path
from intarsia.cli.energy import energy_fields
from intarsia.cli.predict import predict_json
from intarsia.cli.printing import print_fields, print_json, print_table, ranks_text
from intarsia.cli.strategy_options import cluster_options
from intarsia.ground import refuse_unwritable
from intarsia.ground.units import bytes_text, count_text, percent_text, ratio_text, seconds_text

if TYPE_CHECKING:
    from intarsia.flow.planning import PlanAnswer
    from intarsia.place.plan import Plan, Price
    from intarsia.place.strategy import Strategy

PREDICTED = (
    "ranks", "seconds", "interval", "parts", "tokens_per_second", "samples_per_second", "mfu", "device_hours",
    "energy", "bytes_per_device", "stage", "capacity", "fits",
)  # fmt: skip
COLUMNS = ("tensor", "pipeline", "data", "context", "expert", "microbatch", "chunks", "zero", "order", "recompute")


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a name (`intarsia models`), a config.json, an .onnx file")
    cluster_options(parser)
    parser.add_argument("--global-batch", metavar="N", type=int, required=True, help="sequences of an iteration")
    parser.add_argument("--seq", metavar="S", type=int, default=0, help="tokens (default: the model's own)")
    only_option(parser)
    parser.add_argument("--limit", metavar="S", type=float, default=600.0, help="seconds of search (default 600)")
    parser.add_argument("--brief", action="store_true", help="no runners-up, no price of each choice")
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=output_path("-o"), help="write plan.json, launch files and a trace"
    )
    json_option(parser)


def _run(arguments: Namespace) -> int:
    from intarsia.flow.planning import plan_training
    from intarsia.report import write_outputs

    if arguments.output is not None:
        refuse_unwritable(arguments.output / "plan.json")
    answer = plan_training(
        arguments.model,
        arguments.cluster,
        arguments.global_batch,
        sequence=arguments.seq,
        only=restrictions(arguments.only),
        calibration=arguments.calibration,
        limit=arguments.limit,
        compare=not arguments.brief,
        told=told_on_terminal,
    )
    notes: dict[str, tuple[str, ...]] = {}
    plan = answer.plan
    if arguments.output is not None and plan is not None and answer.file is not None:
        stages = plan.prediction.time.stages
        notes = write_outputs(arguments.output, answer.file, answer.model, answer.cluster, stages).notes
    if arguments.json:
        print_json(plan_json(answer))
        return 0
    _print(answer)
    if arguments.output is not None and plan is not None:
        print()
        print_fields([("written", str(arguments.output)), *((name, text) for name in notes for text in notes[name])])
    return 0


def _print(answer: PlanAnswer) -> None:
    end_of_progress()
    plan = answer.plan
    head = [
        ("model", f"{answer.model.name}, {count_text(answer.model.parameters)} parameters"),
        ("cluster", f"{answer.cluster.name}, {answer.cluster.devices} devices"),
    ]
    if plan is None:
        if answer.because:
            because = [("because", text) for text in answer.because]
            print_fields([*head, ("outcome", "nothing fits"), *because, ("try", answer.relaxation)])
        else:
            bound = f"no plan is below {seconds_text(answer.bound)}" if answer.bound else ""
            print_fields(
                [*head, ("outcome", "out of time, no plan yet"), ("bound", bound), ("try", "a larger --limit")]
            )
        return
    _print_plan(answer, plan, head)


def _print_plan(answer: PlanAnswer, plan: Plan, head: list[tuple[str, str]]) -> None:
    found = plan.prediction
    low, high = found.interval
    proof = "no plan is faster" if answer.proved else f"no plan is below {seconds_text(plan.bound)}"
    memory = found.memory[found.fullest]
    time = found.time
    parts = {
        "compute": time.compute,
        "communication": time.communication,
        "bubble": time.bubble,
        "optimizer": time.optimizer,
    }
    print_fields(
        [
            *head,
            ("iteration", f"{seconds_text(found.seconds)} ({seconds_text(low)} to {seconds_text(high)}); {proof}"),
            *(
                (f"  {name}", f"{seconds_text(part)}  {percent_text(part, found.seconds)}")
                for name, part in parts.items()
            ),
            ("utilisation", f"{percent_text(found.mfu, 1)} of the peak (MFU)"),
            *energy_fields(answer.energy, answer.cluster.chip.name),
            ("memory", f"{bytes_text(memory.total)} of {bytes_text(found.capacity)}, stage {found.fullest}"),
            ("  kinds", ", ".join(f"{name} {bytes_text(size)}" for name, size in memory.kinds().items() if size)),
            ("ranks", ranks_text(answer.predicted.ranks) if answer.predicted else ""),
            ("stages", _stages(plan)),
            ("idle", f"{plan.idle} devices" if plan.idle else ""),
            ("search", _search(plan, answer.outcome.effort.seconds)),
            *(("note", note) for note in answer.notes),
        ]
    )
    print()
    rows = [("best", seconds_text(plan.seconds), *_degrees(plan.strategy, _recompute(plan.split.recompute)))]
    rows += [
        (f"{index}.", seconds_text(c.seconds), *_degrees(c.strategy, _recompute(c.split.recompute)))
        for index, c in enumerate(plan.runners_up, 2)
    ]
    print_table(("plan", "seconds", *COLUMNS), rows, right=("seconds", *COLUMNS[:8]))
    if plan.tie:
        print("\nthe runner-up lies within the prediction's interval: measure both")
    if plan.prices:
        _print_prices(plan)


def _print_prices(plan: Plan) -> None:
    print("\nwhat each choice costs: the best plan with it, relative to the best (≥ where only a bound is known)")
    by_choice: dict[str, list[str]] = {}
    for price in plan.prices:
        if price.best is None and price.bound == float("inf"):
            text = "none fits"
        else:
            text = ("" if price.proved else "≤ " if price.best else "≥ ") + ratio_text(price.times)
        by_choice.setdefault(price.choice, []).append(f"{price.value}: {text}")
    for choice, texts in by_choice.items():
        print(f"  {choice:<18} {', '.join(texts)}")


def _search(plan: Plan, seconds: float) -> str:
    removed = plan.removed
    parts = (
        f"{removed.strategies:,} strategies of {removed.variants} variants",
        f"{removed.states:,} cannot hold their states",
        f"{removed.room + removed.unsplit:,} fit in no split",
        f"{removed.slower:,} bounded away",
        f"{removed.solved} solved",
        f"{seconds:.1f} s",
    )
    return ", ".join(parts)


def _stages(plan: Plan) -> str:
    """Numbers of layers of equal stages that follow each other."""
    sizes = [sum(counts) for counts in plan.split.counts]
    runs: list[list[int]] = []
    for size in sizes:
        if runs and runs[-1][0] == size:
            runs[-1][1] += 1
        else:
            runs.append([size, 1])
    return ", ".join(f"{many} × {size} layers" if many > 1 else f"{size} layers" for size, many in runs)


def _recompute(modes: tuple[str, ...]) -> str:
    kinds = dict.fromkeys(str(mode) for mode in modes)
    return (
        ", ".join(f"{kind} {sum(str(m) == kind for m in modes)}" for kind in kinds)
        if len(kinds) > 1
        else next(iter(kinds))
    )


def _degrees(strategy: Strategy, recompute: str) -> tuple[str, ...]:
    sp = "+sp" if strategy.sequence_parallel else ""
    return (
        f"{strategy.tensor}{sp}",
        str(strategy.pipeline),
        str(strategy.data),
        str(strategy.context),
        str(strategy.expert),
        str(strategy.microbatch),
        str(strategy.interleave),
        str(strategy.zero),
        str(strategy.order),
        recompute,
    )


def plan_json(answer: PlanAnswer) -> dict[str, Any]:
    """An answer as JSON; without a plan its fields are null or empty."""
    from dataclasses import asdict

    plan, predicted = answer.plan, answer.predicted
    outcome = "infeasible" if answer.because else "found" if answer.proved else "out of time"
    said = predict_json(predicted) if predicted else dict.fromkeys(PREDICTED)
    said |= {"notes": list(answer.notes), "model": answer.model.name, "parameters": answer.model.parameters}
    said |= {"cluster": answer.cluster.name, "devices": answer.cluster.devices}
    return {
        "outcome": outcome,
        "optimal": answer.proved,
        "because": list(answer.because),
        "relaxation": answer.relaxation or None,
        "bound": _finite(answer.bound),
        "gap": plan.gap if plan else None,
        "search_seconds": answer.outcome.effort.seconds,
        **said,
        "strategy": asdict(plan.strategy) if plan else None,
        "stages": _stages_json(answer, plan) if plan else [],
        "idle": plan.idle if plan else None,
        "removed": asdict(plan.removed) if plan else None,
        "runners_up": [{"seconds": c.seconds, "strategy": asdict(c.strategy)} for c in plan.runners_up] if plan else [],
        "tie": plan.tie if plan else None,
        "prices": [_price_json(price) for price in plan.prices] if plan else [],
    }


def _stages_json(answer: PlanAnswer, plan: Plan) -> list[dict[str, Any]]:
    names = [layer.name for layer in answer.model.layers(plan.strategy.variant)]
    return [
        {
            "layers": {name: count for name, count in zip(names, counts, strict=True) if count},
            "recompute": str(mode),
            "bytes_per_device": memory.total,
        }
        for counts, mode, memory in zip(plan.split.counts, plan.split.recompute, plan.prediction.memory, strict=True)
    ]


def _price_json(price: Price) -> dict[str, Any]:
    return {
        "choice": price.choice,
        "value": price.value,
        "seconds": price.best.seconds if price.best else None,
        "bound": _finite(price.bound),
        "times": _finite(price.times),
        "proved": price.proved,
    }


def _finite(value: float) -> float | None:
    return value if value < float("inf") else None


COMMAND = Command(
    "plan",
    "find the fastest plan for training a model on a cluster, with proof",
    "intarsia plan gpt3-175b --cluster a100x1024 --global-batch 1536 --seq 2048 -o plan",
    _options,
    _run,
    usage=("intarsia plan MODEL --cluster NAMExN --global-batch N ...",),
)
