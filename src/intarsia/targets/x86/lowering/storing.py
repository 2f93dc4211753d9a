"""Where results go: the address of every lane, what a lane must meet, and accumulators that are stored together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod

import numpy as np

from intarsia.embed import Embedding
from intarsia.embed.embedding import Ints
from intarsia.operators import DTYPES, Access, Affine
from intarsia.targets.x86.lowering.emit_store import contiguous_order
from intarsia.targets.x86.lowering.feed import Terms
from intarsia.targets.x86.lowering.memory import Address, address_of, given_box, register_digits
from intarsia.targets.x86.lowering.packed import parameter_loops, parameter_order, terms_of
from intarsia.targets.x86.lowering.registers import WORD, registers_of
from intarsia.targets.x86.lowering.store import Epilogue, Group, Limit, Store
from intarsia.targets.x86.lowering.subject import LARGEST_TABLE, Nest, Subject, live_of, parallel_flats, rounded

FOUR = 4
"""Accumulators that are stored together."""


@dataclass(frozen=True, slots=True)
class _Written:
    """Where lanes go, by item size: address, used lanes, limits of single lanes and of all lanes."""

    address: Address | None
    used: tuple[bool, ...]
    limits: tuple[Limit, ...]
    guards: tuple[Limit, ...]


def _written(embedding: Embedding, item: int) -> _Written:
    meaning, access = embedding.pairs()[0]
    assert access is not None
    used = tuple(map(bool, register_digits(embedding, meaning.tensor)[1]))
    box = replace(given_box(embedding.operator.tensor(access.tensor)), item=item)
    address = address_of(embedding, meaning.tensor, access, box)
    if address is None or not _checkable(embedding, access):
        return _Written(None, used, (), ())
    found = _limits(embedding, access, meaning.tensor)
    guards = tuple(limit for limit in found if len(set(limit.lanes)) == 1)
    return _Written(address, used, tuple(limit for limit in found if limit not in guards), guards)


def store_of(subject: Subject, nest: Nest, scratch: int, epilogue: Epilogue | None) -> tuple[Store, int] | None:
    """How results are stored, and the bytes of scratch memory with what that takes; None where they cannot be.

    Where lanes have no affine address, accumulators are kept in scratch memory and moved by a table at the end.
    """
    embedding = subject.embedding
    item = DTYPES[epilogue.dtype] if epilogue else 4
    written = subject.once(("written", item), lambda: _written(embedding, item))
    live = subject.once("live", lambda: live_of(embedding))
    if written.address is None:
        if epilogue is not None:
            return None
        offset = rounded(scratch)
        below, terms = registers_of(embedding).size, []
        for name in reversed(nest.parallel):
            terms.append((name, below))
            below *= live[name]
        if below // WORD > LARGEST_TABLE:
            return None
        return Store(None, written.used, (), offset, tuple(terms), below // WORD), offset + below
    group = _group(written.address, written.used, nest, item, live) if not written.limits else None
    if group is not None and any(n in group.loops for guard in written.guards for n, _ in guard.terms):
        group = None
    parameters: tuple[Terms, Terms] = ((), ())
    if epilogue:
        moving = subject.once(("channel", epilogue.dim), lambda: parameter_loops(embedding, epilogue.dim))
        both = 2 * registers_of(embedding).size
        parameters = terms_of(parameter_order(embedding, moving, nest.parallel, dict(nest.tile)), both)
    return (
        Store(
            written.address,
            written.used,
            written.limits,
            guards=written.guards,
            group=group,
            epilogue=epilogue,
            parameters=parameters,
        ),
        scratch,
    )


def _group(address: Address, used: tuple[bool, ...], nest: Nest, item: int, live: Mapping[str, int]) -> Group | None:
    """Four accumulators of the tile that are better stored together."""
    if not all(used) or (item > 1 and contiguous_order(address.lanes, used, item) is not None):
        return None
    lanes = len(used)
    whole = [(n, f) for n, f in nest.tile if live[n] % f == 0 and address.step(n)]
    options = [(n,) for n, f in whole if f == FOUR]
    pairs = [(m, n) for m, f in whole for n, g in whole if f == g == 2 and m != n]
    for loops in (*options, *pairs):
        sizes = (FOUR,) if len(loops) == 1 else (2, 2)
        bases = [
            sum(i * address.step(n) for i, n in zip(point, loops, strict=True))
            for point in product(*(range(size) for size in sizes))
        ]
        places = [base + lane for base in bases for lane in address.lanes]
        order = tuple(sorted(range(FOUR * lanes), key=places.__getitem__))
        runs = [[places[i] for i in order[lanes * q : lanes * (q + 1)]] for q in range(FOUR)]
        if all(run == list(range(run[0], run[0] + lanes * item, item)) for run in runs):
            return Group(loops, order, tuple(run[0] for run in runs))
    return None


def _checkable(embedding: Embedding, access: Access) -> bool:
    """Whether affine limits tell which lanes are results: axes flattened with others cannot leave the tensor."""
    fused = {axis for flat in embedding.flats if len(flat.axes) > 1 for axis in flat.axes}
    for flat in parallel_flats(embedding):
        if len(flat.axes) > 1 and any(s.terms or s.constant for s in flat.shifts):
            return False
    for size, subscript in zip(embedding.operator.tensor(access.tensor).shape, access.subscripts, strict=True):
        ends = [c * (embedding.operator.axis(name).extent - 1) for name, c in subscript.terms]
        low = subscript.constant + sum(min(0, e) for e in ends)
        high = subscript.constant + sum(max(0, e) for e in ends)
        if (low < 0 or high >= size) and any(name in fused for name, _ in subscript.terms):
            return False
    return True


def _limits(embedding: Embedding, access: Access, operand: str) -> tuple[Limit, ...]:
    """What a lane must meet: flats and shifted axes in their range, and positions inside the tensor."""
    axes: dict[str, Affine] = {}
    wanted: list[tuple[Affine, int]] = []
    for flat in parallel_flats(embedding):
        if len(flat.axes) > 1:
            wanted.append((flat.value, prod(flat.extents)))
            continue
        axes[flat.axes[0]] = _sum(((flat.value, 1), (flat.shifts[0], 1)))
        wanted.append((flat.value, flat.extents[0]))
        wanted.append((axes[flat.axes[0]], embedding.operator.axis(flat.axes[0]).extent))
    shape = embedding.operator.tensor(access.tensor).shape
    for size, subscript in zip(shape, access.subscripts, strict=True):
        if all(name in axes for name, _ in subscript.terms):
            total = _sum([(axes[name], c) for name, c in subscript.terms])
            wanted.append((Affine(total.terms, total.constant + subscript.constant), size))
    digits, _ = register_digits(embedding, operand)
    found = [_limit(embedding, digits, value, size) for value, size in wanted]
    return tuple(dict.fromkeys(limit for limit in found if limit is not None))


def _sum(parts: Sequence[tuple[Affine, int]]) -> Affine:
    total: dict[str, int] = {}
    for affine, scale in parts:
        for name, c in affine.terms:
            total[name] = total.get(name, 0) + scale * c
    return Affine(tuple((n, c) for n, c in total.items() if c), sum(scale * a.constant for a, scale in parts))


def _limit(embedding: Embedding, digits: Mapping[str, Ints], value: Affine, size: int) -> Limit | None:
    """``0 <= value < size`` for each lane, None where it always is."""
    live = live_of(embedding)
    terms = tuple((n, c) for n, c in value.terms if live.get(n, 1) > 1)
    lanes = np.zeros(registers_of(embedding).lanes, dtype=np.int64)
    for name, c in value.terms:
        if name in digits:
            lanes = lanes + c * digits[name]
    least = value.constant + sum(min(0, c * (live[n] - 1)) for n, c in terms) + int(lanes.min())
    most = value.constant + sum(max(0, c * (live[n] - 1)) for n, c in terms) + int(lanes.max())
    if least >= 0 and most < size:
        return None
    return Limit(terms, value.constant, tuple(map(int, lanes)), 0, size)
