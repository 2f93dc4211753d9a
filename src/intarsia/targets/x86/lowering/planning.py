"""From an embedding and choices (order, tile, feeds) to a plan, or None where a choice cannot serve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, assert_never

from intarsia.targets.x86.lowering.feed import Feed
from intarsia.targets.x86.lowering.feeding import constant_feed, constant_width, direct, harmless, padded, tabled
from intarsia.targets.x86.lowering.packed import access_of
from intarsia.targets.x86.lowering.plan import Plan
from intarsia.targets.x86.lowering.skipping import skips_of
from intarsia.targets.x86.lowering.stages import Stage
from intarsia.targets.x86.lowering.store import Epilogue
from intarsia.targets.x86.lowering.storing import store_of
from intarsia.targets.x86.lowering.subject import Fed, Nest, Subject, Way, factors_of, is_constant, rounded
from intarsia.targets.x86.lowering.weaving import interleaved
from intarsia.targets.x86.lowering.woven import woven

Ways: TypeAlias = Mapping[str, tuple[Way, int]]
"""For each factor that is not constant how it is fed and, for ``interleave``, how many parallel loops are outside, for
``padded`` how many lines rows are apart."""


def plan_of(subject: Subject, nest: Nest, ways: Ways, epilogue: Epilogue | None = None) -> Plan | None:
    """The plan of some choices.

    Args:
        subject: an embedding of two factors, each with a tensor.
        nest: order and tile.
        ways: for each factor that is not constant how it is fed and, for ``interleave``, at which level.
        epilogue: what happens to results.

    Returns:
        None where a factor cannot be fed so.
    """
    embedding = subject.embedding
    scratch = 0
    feeds: list[Feed] = []
    stages: list[Stage] = []
    for operand in subject.once("factors", lambda: factors_of(embedding)):
        fed = _constant(subject, operand, nest) or _fed(subject, operand, nest, ways, scratch)
        if fed is None:
            return None
        feeds.append(fed.feed)
        stages += fed.stages
        scratch = rounded(scratch + fed.scratch)
    stored = store_of(subject, nest, scratch, epilogue)
    if stored is None:
        return None
    store, scratch = stored
    unroll = nest.unroll if nest.reduction else 1
    skips = subject.once(("skips", nest.reduction, nest.tile), lambda: skips_of(embedding, nest)) if unroll else ()
    if nest.reduction and any(skip.loop == nest.reduction[-1] for skip in skips):
        unroll = 1
    return Plan(
        embedding,
        nest.parallel,
        nest.tile,
        nest.reduction,
        unroll,
        tuple(feeds),
        tuple(stages),
        store,
        scratch,
        skips,
        nest.block,
    )


def _constant(subject: Subject, operand: str, nest: Nest) -> Fed | None:
    """The feed of a factor that is packed before the run, None for others."""
    embedding = subject.embedding
    if not subject.once(("constant", operand), lambda: is_constant(embedding, operand)):
        return None
    width = subject.once(("width", operand), lambda: constant_width(embedding, operand))
    return Fed(constant_feed(subject, operand, nest, width), (), 0)


def _fed(subject: Subject, operand: str, nest: Nest, ways: Ways, offset: int) -> Fed | None:
    """The feed of a factor that is known only when the kernel runs; its scratch memory begins at an offset."""
    embedding, (way, level) = subject.embedding, ways[operand]
    access = subject.once(("access", operand), lambda: access_of(embedding, operand))
    given = subject.given.get(access.tensor, "")
    if way == "table":
        return subject.once((way, operand, offset), lambda: tabled(embedding, operand, access, offset, given))
    if not subject.once(("harmless", operand, tuple(ways.items())), lambda: harmless(embedding, operand, ways)):
        return None
    match way:
        case "direct":
            return subject.once((way, operand), lambda: direct(embedding, operand, access, given))
        case "padded":
            key = (way, operand, offset, level)
            return subject.once(key, lambda: padded(embedding, operand, access, offset, given, level))
        case "interleave":
            outside = nest.parallel[:level]
            if any(name in outside for name, _ in nest.tile):
                return None
            inside = (way, operand, offset, outside)
            return subject.once(inside, lambda: interleaved(embedding, operand, access, outside, offset, given))
        case "woven":
            whole = (way, operand, offset, nest.parallel, nest.tile, nest.unroll, nest.block)
            return subject.once(whole, lambda: woven(embedding, operand, access, nest, offset, given))
        case _:
            assert_never(way)
