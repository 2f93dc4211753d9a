"""Proofs about registers: what a vector holds, and where an element of the result is."""

from __future__ import annotations

from collections.abc import Iterator

from intarsia.embed.check_prover import Prover, same
from intarsia.embed.relations import sees
from intarsia.poly import Conditions, greater


def contents(prover: Prover) -> Iterator[str]:
    """A register of a vector is one element, by the packing rule and for live lanes."""
    for i, (a, b) in enumerate(zip(prover.a.places, prover.b.places, strict=True)):
        name = "operands" if i else "one home"
        home = same(a.home, b.home)
        more = [greater(x, y) for x, y in zip(a.element, b.element, strict=True) if x.terms]
        if not prover.open(name, (a.seen & b.seen & home & case for case in more)):
            continue
        less = [greater(y, x) for x, y in zip(a.element, b.element, strict=True) if x.terms]
        live = prover.a.live & prover.b.live & home
        point = prover.first(name, (live & inside & case for case in more for inside in (a.inside, b.inside)))
        if point is not None:
            yield from prover.replayed(point, name)
            continue
        held = a.seen & prover.b.live & home
        cases = (held & inside & case for case in (*more, *less) for inside in (a.inside, b.inside))
        point = prover.first("layout", cases)
        if point is not None:
            yield (
                f"layout: by the packing rule a register of {a.match.operand.name} holds "
                f"{prover.element(a, prover.a, point)} as {prover.spot(prover.a, point)} has it, "
                f"{prover.spot(prover.b, point)} asks for {prover.element(b, prover.b, point)}"
            )


def one_home(prover: Prover) -> Iterator[str]:
    """An element of the result is in one register, for live lanes and in what is unpacked."""
    a, b = prover.a.places[0], prover.b.places[0]
    shared = same(a.element, b.element)
    more = [greater(x, y) for x, y in zip(a.home, b.home, strict=True) if x.terms]
    if not prover.open("one home", (a.seen & b.seen & shared & case for case in more)):
        return
    less = [greater(y, x) for x, y in zip(a.home, b.home, strict=True) if x.terms]
    live = prover.a.live & prover.b.live & shared
    point = prover.first("one home", (live & case for case in more))
    if point is not None:
        yield from prover.replayed(point, "one home")
        return
    point = prover.first("one home", (a.seen & prover.b.live & shared & case for case in (*more, *less)))
    if point is not None:
        yield (
            f"one home: {prover.element(b, prover.b, point)} is accumulated by {prover.spot(prover.b, point)}, "
            f"the layout has it in the register of {prover.spot(prover.a, point)} too"
        )


def zeros(prover: Prover) -> Iterator[str]:
    """What the packing rule makes zero feeds no live lane that needs another value."""
    for a, b in zip(prover.a.places, prover.b.places, strict=True):
        home = same(a.home, b.home)
        for reason in prover.a.reasons():
            if not sees(a, reason):
                continue
            shared = reason.conditions & home
            if not prover.open("layout", [shared & b.seen]):
                continue
            harmless = b.layout.tensor.pad == 0
            point = prover.find("layout", shared & prover.b.live & (b.inside if harmless else Conditions()))
            if point is not None:
                yield (
                    f"layout: a register of {a.match.operand.name} is zero as {reason.text} for "
                    f"{prover.spot(prover.a, point)}, {prover.spot(prover.b, point)} asks for "
                    f"{prover.element(b, prover.b, point)}"
                )
