"""Slow twins: measures from every lane of every call, and the minimum over a listing."""

from __future__ import annotations

from itertools import product
from math import prod

from intarsia.embed import enumerate_embeddings
from intarsia.embed.constraints import Rules
from intarsia.embed.digits import Chain, chains
from intarsia.embed.measures import value
from intarsia.embed.operands import assignments
from intarsia.embed.requirements import satisfied
from intarsia.embed.shape import Shape, build, complete
from intarsia.embed.space import space_of
from intarsia.operators import DTYPES


def at(affine, values):
    return affine.constant + sum(c * values[name] for name, c in affine.terms)


def calls(embedding):
    """The outer loops of every call."""
    outer = embedding.outer
    for digits in product(*(range(loop.extent) for loop in outer)):
        yield dict(zip((loop.name for loop in outer), digits, strict=True))


def lanes(embedding):
    """(position on each instruction axis, digits) of every lane that the digits reach."""
    axes = embedding.instruction.semantics.axes
    for place in product(*(range(a.extent) for a in axes)):
        digits, reached = {}, True
        for axis, position in zip(axes, place, strict=True):
            rest = position
            for loop in embedding.lane_loops(axis.name):
                digits[loop.name], rest = rest % loop.extent, rest // loop.extent
            reached = reached and rest == 0
        if reached:
            yield dict(zip((a.name for a in axes), place, strict=True)), digits


def image(embedding, loops):
    """Axis values at these loops, and the flats and axes that are out of range."""
    found, wrong = {}, set()
    for flat in embedding.flats:
        rest = at(flat.value, loops)
        if not 0 <= rest < prod(flat.extents):
            wrong.add(flat.axes)
        for place in reversed(range(len(flat.axes))):
            name, extent = flat.axes[place], flat.extents[place]
            digit, rest = (rest, 0) if place == 0 else (rest % extent, rest // extent)
            found[name] = digit + at(flat.shifts[place], loops)
            if not 0 <= found[name] < embedding.operator.axis(name).extent:
                wrong.add(name)
    return found, wrong


def padded(embedding):
    """Lanes of all calls without an iteration."""
    total = 0
    for outer in calls(embedding):
        live = sum(not image(embedding, {**outer, **digits})[1] for _, digits in lanes(embedding))
        total += embedding.instruction.lanes - live
    return total


def vector_of(embedding, access, outer):
    """What tells the vectors of an operand apart: a sliding subscript's position, the loops behind a flattened axis."""
    flats = {name: flat for flat in embedding.flats for name in flat.axes}
    key = []
    for subscript in access.subscripts:
        behind = [flats[name] for name, _ in subscript.terms]
        if any(len(flat.axes) > 1 for flat in behind):
            key.append(tuple(outer.get(name) for flat in behind for name, _ in flat.value.terms))
            continue
        loops = {loop.name: outer.get(loop.name, 0) for loop in embedding.loops}
        key.append(sum(c * at(flats[name].value, loops) for name, c in subscript.terms))
    return tuple(key)


def packed(embedding, meaning, access):
    """(vector, register) -> element or None, of every vector that a call reads."""
    tensor = embedding.operator.tensor(access.tensor)
    flats = {name: flat for flat in embedding.flats for name in flat.axes}
    looked = {s.terms[0][0] for s in access.subscripts if len(s.terms) == 1}
    looked |= {f.axes for s in access.subscripts for name, _ in s.terms if len((f := flats[name]).axes) > 1}
    found = {}
    for outer in calls(embedding):
        vector = vector_of(embedding, access, outer)
        for place, digits in lanes(embedding):
            values, wrong = image(embedding, {**outer, **digits})
            element = tuple(at(s, values) for s in access.subscripts)
            inside = all(0 <= e < size for e, size in zip(element, tensor.shape, strict=True))
            register = tuple(at(s, place) for s in meaning.subscripts)
            held = element if inside and not wrong & looked else None
            assert found.setdefault((vector, register), held) == held, "one register, two elements"
    return found


def duplicated(embedding, *, constants=True):
    """Bytes packed more than once, in vectors that a call reads."""
    total = 0
    for meaning, access in embedding.pairs()[1:]:
        if access is None or (embedding.operator.tensor(access.tensor).constant and not constants):
            continue
        table = packed(embedding, meaning, access)
        held = [e for e in table.values() if e is not None]
        total += (len(held) - len(set(held))) * DTYPES[embedding.operator.tensor(access.tensor).dtype]
    return total


def vectors(embedding, access):
    """The vectors of an operand that calls read."""
    return len({vector_of(embedding, access, outer) for outer in calls(embedding)})


def moved(embedding):
    """Bytes of all registers of all vectors that calls read."""
    total = 0
    for meaning, access in embedding.pairs():
        if access is not None:
            registers = prod(embedding.instruction.semantics.tensor(meaning.tensor).shape)
            total += vectors(embedding, access) * registers * DTYPES[embedding.operator.tensor(access.tensor).dtype]
    return total


def needed(embedding):
    """Calls of which some lane is in range, is kept, and reads no padding of zero."""
    operator, body = embedding.operator, embedding.body
    limiting = [body.write, *(r for r in body.reads if body.combine == "+=" and operator.tensor(r.tensor).pad == 0)]

    def works(loops):
        values, wrong = image(embedding, loops)
        return not wrong and all(
            0 <= at(s, values) < size
            for access in limiting
            for s, size in zip(access.subscripts, operator.tensor(access.tensor).shape, strict=True)
        )

    reached = [digits for _, digits in lanes(embedding)]
    return sum(any(works({**outer, **digits}) for digits in reached) for outer in calls(embedding))


def best_of_listing(problem, objective, **options):
    """The least value over every embedding, None if there is none."""
    return min((value(e, objective) for e in enumerate_embeddings(problem, **options)), default=None)


def best_of_layouts(problem, objective):
    """The least value over every shape and every way to flatten it.

    Axes flattened without need make no new calls, so that a listing leaves them out, but their layout is another one.
    """
    found = []
    for operands in assignments(problem):
        rules = Rules(problem, operands)
        space = space_of(rules)
        for parts in product(*(space.groupings(part) for part in space.parts)):
            groups = [group for part in parts for group in part]
            options = [[Chain(g, tuple(space.extents[n] for n in g), d) for d in chains_of(space, g)] for g in groups]
            for chosen in product(*options):
                taken = {a: prod(c.factor(a) for c in chosen) for a in space.rooms}
                if any(taken[a] > room for a, room in space.rooms.items()):
                    continue
                embedding = build(problem, Shape(operands, complete(problem, chosen)))
                if satisfied(rules, embedding):
                    found.append(value(embedding, objective))
    return min(found, default=None)


def chains_of(space, group):
    return chains(space.extent(group), space.capacities(group), exact=space.exact(group), merged=True)
