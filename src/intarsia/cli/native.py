"""``intarsia run SPEC --target x86``: the operator as native code, checked and timed beside the processor's peak."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from intarsia.cli.command import trace_of
from intarsia.cli.native_model import run_native_model
from intarsia.cli.printing import print_fields, print_json, print_table
from intarsia.ground import InputError
from intarsia.ground.units import percent_text, seconds_text

if TYPE_CHECKING:
    from intarsia.flow import NativeOptions
    from intarsia.flow.native.answers import NativeAnswer, Peak

WRONG = 1


def native_options(parser: ArgumentParser) -> None:
    """``--threads``, ``--measure``, ``--features``."""
    parser.add_argument("--threads", metavar="N", type=int, help="of x86: that share the work (default 1)")
    parser.add_argument(
        "--measure", metavar="K", type=int, help="of x86: measure the K plans predicted to be fastest, take the best"
    )
    parser.add_argument(
        "--features", metavar="LEVEL",
        help="of x86: what code may use: avx2, avx-vnni, avx512, avx512-vnni, avx512-bf16 (default: all there is)",
    )  # fmt: skip


def options_of(arguments: Namespace) -> NativeOptions:
    """What they say."""
    from intarsia.flow import NativeOptions

    threads = 1 if arguments.threads is None else arguments.threads
    return NativeOptions(threads, arguments.measure or 0, arguments.features, arguments.seed)


def refuse_native(arguments: Namespace) -> None:
    """Refuse options that only x86 has."""
    for name in ("threads", "measure", "features"):
        if getattr(arguments, name) is not None:
            raise InputError("only x86 has it", where=f"--{name}", hint="--target x86")


def run_native(arguments: Namespace) -> int:
    """Run on x86 and print."""
    for name, given in (("config", arguments.config), ("instr", arguments.instr), ("timeline", arguments.timeline)):
        if given is not None:
            raise InputError("x86 does not have it", where=f"--{name}", value=str(given))
    if arguments.fixed:
        raise InputError("x86 has no fixed embedding", where="--fixed")
    if arguments.spec.endswith(".onnx"):
        return run_native_model(arguments, options_of(arguments))
    from intarsia import flow

    answer = flow.run_native(arguments.spec, options_of(arguments), trace=trace_of(arguments))
    if arguments.json:
        print_json(native_json(answer))
    else:
        print_native(answer)
    return 0 if answer.correct else WRONG


def print_native(answer: NativeAnswer) -> None:
    """An answer as fields, and the plan under them."""
    times = answer.times
    print_fields(
        [
            ("operator", answer.operator.partition("\n")[0]),
            ("processor", f"{answer.processor}, {answer.threads} thread{'s' if answer.threads > 1 else ''}"),
            ("features", answer.features),
            ("correct", "yes" if answer.correct else "NO"),
            ("seconds", f"{seconds_text(times.least)} (median {seconds_text(times.middle)}, {times.runs} runs)"),
            ("of the peak", "" if answer.part is None else percent_text(answer.part, 1)),
            ("peak", _peak_text(answer.peak)),
            ("embedding", answer.words),
            *(("note", note) for note in answer.notes),
        ]
    )
    if answer.ranked:
        print()
        rows = [(f"{i}", f"{r.cycles:,.0f}", seconds_text(r.seconds)) for i, r in enumerate(answer.ranked, 1)]
        print_table(("plan", "cycles predicted", "measured"), rows, right=("plan", "cycles predicted", "measured"))
        tau = "-" if answer.tau is None else f"{answer.tau:.2f}"
        print(f"tau {tau}, regret {percent_text(answer.regret or 0.0, 1)}")
    print(f"\n{answer.plan}" if answer.plan else "")


def _peak_text(peak: Peak | None) -> str:
    return "" if peak is None else f"{peak.calls:.3g} {peak.instruction} of {peak.lanes} lanes a second, measured now"


def native_json(answer: NativeAnswer) -> dict[str, Any]:
    """An answer as JSON."""
    return {
        "operator": answer.operator,
        "target": "x86",
        "processor": answer.processor,
        "correct": answer.correct,
        "threads": answer.threads,
        "seed": answer.seed,
        "features": answer.features,
        "seconds": answer.times.least,
        "median": answer.times.middle,
        "runs": answer.times.runs,
        "percent_of_peak": None if answer.part is None else 100 * answer.part,
        "peak": peak_json(answer.peak),
        "embedding": answer.words,
        "plan": answer.plan,
        "predicted_cycles": answer.cycles,
        "measured": [{"predicted_cycles": r.cycles, "seconds": r.seconds} for r in answer.ranked],
        "tau": answer.tau,
        "regret": answer.regret,
        "notes": list(answer.notes),
    }


def peak_json(peak: Peak | None) -> dict[str, Any] | None:
    """A measured peak as JSON."""
    if peak is None:
        return None
    return {"instruction": peak.instruction, "calls_per_second": peak.calls, "lanes": peak.lanes}
