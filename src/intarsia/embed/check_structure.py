"""What must hold before calls can be looked at: the embedding is well formed and its operands can hold the tensors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import prod

from intarsia.embed.embedding import Embedding, Flat
from intarsia.embed.layout import Layout
from intarsia.operators import DTYPES, Access, Operator

_SIGNIFICAND = {"float16": (11, 5), "bfloat16": (8, 8), "float32": (24, 8)}
"""Bits of significand and of exponent."""


def structure(embedding: Embedding, *, ignore_dtypes: bool = False) -> tuple[str, ...]:
    """Violations of form; while there is one, calls have no meaning."""
    found = [f"structure: {text}" for text in _form(embedding)]
    found = found or [f"operands: {text}" for text in _operands(embedding)]
    if not found and not ignore_dtypes:
        found = [f"operands: {text}" for text in _dtypes(embedding)]
    return tuple(found)


def layout_form(embedding: Embedding, layouts: tuple[Layout, ...]) -> tuple[str, ...]:
    """Violations of the form of the layouts: one for every operand that holds a tensor, over outer loops only."""
    held = tuple((o, t) for o, t in embedding.operands if t is not None)
    if sorted((y.operand, y.tensor.name) for y in layouts) != sorted(held):
        given = ", ".join(f"{y.tensor.name} in {y.operand}" for y in layouts)
        wanted = ", ".join(f"{t} in {o}" for o, t in held)
        return (f"layout: layouts are given for {given}, the embedding has {wanted}",)
    outer = {loop.name for loop in embedding.outer}
    found: list[str] = []
    for layout in layouts:
        shape = embedding.instruction.semantics.tensor(layout.operand).shape
        if layout.registers != shape:
            found.append(f"layout: {layout} has registers {layout.registers}, operand {layout.operand} has {shape}")
        for dim in layout.dims:
            strange = [name for name, _ in dim.value.terms if name not in outer]
            if strange or dim.step < 1 or dim.extent < 1:
                found.append(f"layout: dim {dim.name} of {layout.tensor.name} is {dim.value}, not over outer loops")
    return tuple(found)


def _form(embedding: Embedding) -> Iterator[str]:
    operator, instruction = embedding.operator, embedding.instruction
    if not 0 <= embedding.statement < len(operator.statements):
        yield f"{operator.name} has no statement {embedding.statement}"
        return
    if len(instruction.semantics.statements) != 1 or not instruction.semantics.axes:
        yield f"{instruction.name} is not one statement over at least one axis"
        return
    names = [loop.name for loop in embedding.loops]
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield f"loop {name} is declared twice"
    lanes = {a.name: a.extent for a in instruction.semantics.axes}
    for loop in embedding.loops:
        if loop.extent < 1:
            yield f"loop {loop.name} has extent {loop.extent}"
        if loop.lane and loop.lane not in lanes:
            yield f"loop {loop.name} lies on axis {loop.lane}, which {instruction.name} does not have"
    for axis, extent in lanes.items():
        used = prod(loop.extent for loop in embedding.lane_loops(axis))
        if used > extent:
            yield f"the digits on axis {axis} of {instruction.name} count to {used}, its extent is {extent}"
    for access in (embedding.meaning.write, *embedding.meaning.reads):
        if not _inside(instruction.semantics, access):
            yield f"{instruction.name} goes outside its operand with {access}"
    yield from _flats(embedding, set(names))


def _inside(semantics: Operator, access: Access) -> bool:
    """Whether an access stays inside its tensor for all points of the box."""
    for size, subscript in zip(semantics.tensor(access.tensor).shape, access.subscripts, strict=True):
        ends = [c * (semantics.axis(axis).extent - 1) for axis, c in subscript.terms]
        low = subscript.constant + sum(e for e in ends if e < 0)
        if low < 0 or subscript.constant + sum(e for e in ends if e > 0) >= size:
            return False
    return True


def _flats(embedding: Embedding, loops: set[str]) -> Iterator[str]:
    counted = Counter(axis for flat in embedding.flats for axis in flat.axes)
    axes = {a.name for a in embedding.operator.axes}
    for axis in sorted(axes | set(counted)):
        if axis not in axes:
            yield f"axis {axis} is not an axis of {embedding.operator.name}"
        elif counted[axis] != 1:
            yield f"axis {axis} of {embedding.operator.name} is given by {counted[axis]} flats instead of one"
    for flat in embedding.flats:
        yield from _flat(flat, loops)
        outer = {loop.name for loop in embedding.outer}
        for loop in (n for shift in flat.shifts for n, _ in shift.terms if n in outer):
            yield f"flat {'.'.join(flat.axes)} is shifted by outer loop {loop}; only lane digits skew"


def _flat(flat: Flat, loops: set[str]) -> Iterator[str]:
    name = ".".join(flat.axes)
    if not flat.axes or len(flat.extents) != len(flat.axes) or len(flat.shifts) != len(flat.axes):
        yield f"flat {name} has {len(flat.extents)} extents and {len(flat.shifts)} shifts for {len(flat.axes)} axes"
    if any(extent < 1 for extent in flat.extents):
        yield f"flat {name} has extents {flat.extents}"
    for affine in (flat.value, *flat.shifts):
        for unknown in (n for n, _ in affine.terms if n not in loops):
            yield f"flat {name} counts with loop {unknown}, which does not exist"


def _operands(embedding: Embedding) -> Iterator[str]:
    operator, instruction = embedding.operator, embedding.instruction
    body, meaning = embedding.body, embedding.meaning
    assigned = dict(embedding.operands)
    needed = [meaning.write.tensor, *(r.tensor for r in meaning.reads)]
    if sorted(o for o, _ in embedding.operands) != sorted(needed):
        yield f"{instruction.name} has operands {', '.join(needed)}, assigned are {', '.join(map(str, assigned))}"
        return
    if assigned[meaning.write.tensor] != body.write.tensor:
        yield f"{body.write.tensor} is written, {meaning.write.tensor} holds {assigned[meaning.write.tensor]}"
    given = sorted(t for o, t in assigned.items() if t is not None and o != meaning.write.tensor)
    wanted = sorted(r.tensor for r in body.reads)
    if given != wanted:
        yield f"{operator.name} reads {', '.join(wanted)}, the factors hold {', '.join(given) or 'nothing'}"
        return
    if body.combine != meaning.combine:
        yield f"{operator.name} combines with {body.combine}, {instruction.name} with {meaning.combine}"


def _dtypes(embedding: Embedding) -> Iterator[str]:
    written = embedding.meaning.write.tensor
    for operand, name in embedding.operands:
        if name is None:
            continue
        held, holder = embedding.operator.tensor(name), embedding.instruction.semantics.tensor(operand)
        if operand == written and not _accumulates(holder.dtype, held.dtype):
            yield f"{name} accumulates in {held.dtype}, {operand} of {embedding.instruction.name} in {holder.dtype}"
        if operand != written and not _represents(holder.dtype, held.dtype):
            yield (
                f"{name} is {held.dtype}, {operand} of {embedding.instruction.name} is {holder.dtype}: "
                f"it cannot hold every {held.dtype}"
            )


def _represents(holder: str, held: str) -> bool:
    """Every value of ``held`` is a value of ``holder``."""
    if "float" in holder or "float" in held:
        if "float" not in holder or "float" not in held:
            return False
        (bits, exponent), (least, range_) = _SIGNIFICAND[holder], _SIGNIFICAND[held]
        return bits >= least and exponent >= range_
    low, high = bounds(holder)
    least, most = bounds(held)
    return low <= least and most <= high


def _accumulates(holder: str, held: str) -> bool:
    """What ``holder`` accumulates determines what ``held`` would: as wide at least (integers wrap)."""
    if "float" in holder or "float" in held:
        return _represents(holder, held)
    return DTYPES[holder] >= DTYPES[held] and (holder == held or _represents(holder, held))


def bounds(dtype: str) -> tuple[int, int]:
    """Least and greatest value of an integer dtype."""
    bits = 8 * DTYPES[dtype]
    return (0, 2**bits - 1) if dtype.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
