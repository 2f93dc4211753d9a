"""Proofs about the images of lanes: no iteration twice, no iteration that matters left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from intarsia.embed.check_prover import Prover, same
from intarsia.embed.check_text import iteration_text
from intarsia.embed.embedding import Flat
from intarsia.poly import Conditions, Linear, find_unreached, greater, variable


def one_to_one(prover: Prover) -> Iterator[str]:
    """No two lanes of a call have one iteration; for sums, no two lanes of all calls (where it matters)."""
    call = _alike(prover.a.loop, prover.b.loop, (p.name for p in prover.embedding.outer))
    apart = Conditions() if prover.sums else call
    if not prover.open("one to one", _doubles(prover, apart)):
        return
    images = _alike(prover.a.axis, prover.b.axis, (n.name for n in prover.embedding.operator.axes))
    both = prover.a.defined & prover.b.defined & images & call
    point = prover.first("one to one", (both & case for case in prover.ordered()))
    if point is None and prover.sums:
        needed = prover.a.needed() & prover.b.needed() & images
        point = prover.first("cover", (needed & case for case in prover.ordered()))
    if point is not None:
        yield from prover.replayed(point, "one to one")


def _doubles(prover: Prover, apart: Conditions) -> Iterator[Conditions]:
    """Two lanes with one iteration, within each group of axes that share loops."""
    for flats, loops in _groups(prover):
        both = prover.a.flats_in(flats) & prover.b.flats_in(flats) & apart
        axes = [name for flat in flats for name in flat.axes]
        both &= prover.a.axes_in(axes) & prover.b.axes_in(axes)
        both &= _alike(prover.a.axis, prover.b.axis, axes)
        for name in loops:
            yield both & greater(prover.a.loop[name], prover.b.loop[name])


def _groups(prover: Prover) -> list[tuple[tuple[Flat, ...], tuple[str, ...]]]:
    """Flats connected by the loops that they share, with those loops; loops in no flat are a group without one."""
    groups: list[tuple[tuple[Flat, ...], frozenset[str]]] = []
    for flat in prover.embedding.flats:
        flats: tuple[Flat, ...] = (flat,)
        loops = frozenset(n for affine in (flat.value, *flat.shifts) for n, _ in affine.terms)
        for group in [g for g in groups if g[1] & loops]:
            groups.remove(group)
            flats, loops = (*group[0], *flats), loops | group[1]
        groups.append((flats, loops))
    idle = {p.name for p in prover.embedding.loops} - {n for _, loops in groups for n in loops}
    long = {p.name for p in prover.embedding.loops if p.extent > 1}
    found = [(flats, tuple(sorted(loops & long))) for flats, loops in groups]
    return [*found, ((), tuple(sorted(idle & long)))]


def cover(prover: Prover) -> Iterator[str]:
    """Every iteration that can change the result is reached; each group of axes has to reach its part."""
    axes = {a.name: a.extent for a in prover.embedding.operator.axes}
    for flats, _ in _groups(prover):
        names = tuple(n for flat in flats for n in flat.axes)
        if not names:
            continue
        relation = prover.a.flats_in(flats)
        relation &= Conditions(tuple(prover.a.axis[n] - variable(f"p {n}") for n in names))
        relation = prover.a.within(relation)
        box = _box({n: axes[n] for n in names})
        left = find_unreached(box, relation, _named(names), max_operations=prover.max_operations)
        if left == "empty":
            continue
        wanted = _box(axes) & _wanted(prover)
        left = find_unreached(wanted, relation, _named(axes), max_operations=prover.max_operations)
        point = prover.decided("cover", left)
        if point is not None:
            yield f"cover: no lane of any call has {iteration_text({n: point[f'p {n}'] for n in axes})}"
            return


def _wanted(prover: Prover) -> Conditions:
    """The iterations that can change the result, over the variables ``p axis``."""
    found = Conditions()
    for place in prover.a.places:
        if place is prover.a.places[0] or (prover.sums and place.layout.tensor.pad == 0):
            assert place.match.access is not None
            forms = tuple(
                Linear(tuple((f"p {n}", c) for n, c in s.terms), s.constant) for s in place.match.access.subscripts
            )
            found &= prover.a.element_in(forms, place.layout.tensor.shape)
    return found


def _alike(forms: Mapping[str, Linear], others: Mapping[str, Linear], names: Iterable[str]) -> Conditions:
    chosen = tuple(names)
    return same((forms[n] for n in chosen), (others[n] for n in chosen))


def _named(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"p {n}" for n in names)


def _box(axes: dict[str, int]) -> Conditions:
    forms = [(variable(f"p {n}"), e) for n, e in axes.items()]
    return Conditions((), tuple(f for v, e in forms for f in (v, v.times(-1).plus(e - 1))))
