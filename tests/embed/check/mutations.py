"""Random spoiling of hand-made embeddings: the form stays right, the meaning mostly does not."""

from dataclasses import replace
from math import prod

from intarsia.operators import Affine


def spoil(embedding, random):
    """One or two random changes of loops, digits, values, extents or shifts."""
    for _ in range(random.choice((1, 1, 2))):
        embedding = random.choice((_loop, _swap_loops, _coefficient, _constant, _extents, _shift, _stride))(
            embedding, random
        )
    return embedding


def _loop(embedding, random):
    at = random.randrange(len(embedding.loops))
    loop = embedding.loops[at]
    extent = max(1, loop.extent + random.choice((-1, 1)))
    return _well_formed(embedding, replace(embedding, loops=_with(embedding.loops, at, replace(loop, extent=extent))))


def _swap_loops(embedding, random):
    """A lane loop goes to another axis or outside."""
    at = random.randrange(len(embedding.loops))
    lane = random.choice([a.name for a in embedding.instruction.semantics.axes] + [""])
    moved = replace(embedding.loops[at], lane=lane)
    return _well_formed(embedding, replace(embedding, loops=_with(embedding.loops, at, moved)))


def _coefficient(embedding, random):
    def change(value):
        if not value.terms:
            return value
        at = random.randrange(len(value.terms))
        name, c = value.terms[at]
        c = random.choice((c + 1, c - 1, -c, 2 * c))
        terms = [*value.terms[:at], *([(name, c)] if c else []), *value.terms[at + 1 :]]
        return Affine(tuple(terms), value.constant)

    return _value(embedding, random, change)


def _constant(embedding, random):
    return _value(embedding, random, lambda v: Affine(v.terms, v.constant + random.choice((-1, 1))))


def _value(embedding, random, change):
    at = random.randrange(len(embedding.flats))
    flat = embedding.flats[at]
    return replace(embedding, flats=_with(embedding.flats, at, replace(flat, value=change(flat.value))))


def _extents(embedding, random):
    at = random.randrange(len(embedding.flats))
    flat = embedding.flats[at]
    axis = random.randrange(len(flat.axes))
    extents = _with(flat.extents, axis, max(1, flat.extents[axis] + random.choice((-1, 1))))
    return replace(embedding, flats=_with(embedding.flats, at, replace(flat, extents=extents)))


def _shift(embedding, random):
    at = random.randrange(len(embedding.flats))
    flat = embedding.flats[at]
    axis = random.randrange(len(flat.axes))
    loop = random.choice(embedding.loops).name
    shift = random.choice((Affine(((loop, 1),)), Affine(((loop, -1),)), Affine(()), Affine((), 1)))
    return replace(embedding, flats=_with(embedding.flats, at, replace(flat, shifts=_with(flat.shifts, axis, shift))))


def _stride(embedding, random):
    """Another operator under the same embedding: an extent of an axis by one (its tensors keep their shape)."""
    operator = embedding.operator
    at = random.randrange(len(operator.axes))
    axis = operator.axes[at]
    axes = _with(operator.axes, at, replace(axis, extent=max(1, axis.extent + random.choice((-1, 1)))))
    return replace(embedding, operator=replace(operator, axes=axes))


def _well_formed(before, after):
    for axis in after.instruction.semantics.axes:
        if prod(p.extent for p in after.lane_loops(axis.name)) > axis.extent:
            return before
    return after


def _with(items, at, item):
    return (*items[:at], item, *items[at + 1 :])
