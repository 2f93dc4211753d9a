"""What a sliding maximum or minimum looks like: phases, passes, regions, planes; see ``alu_window`` for how it runs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import gcd, prod

import numpy as np
from numpy.typing import NDArray

from intarsia.program import OperandSpace
from intarsia.targets.vta.lowering.alu_space import AluSpace
from intarsia.targets.vta.lowering.tiling import Place, Region

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Phase:
    """Positions ``stride * m + residue``: output o needs m = o + first, and ``taps`` of them ``gap`` apart."""

    residue: int
    first: int
    taps: int
    gap: int

    @property
    def halo(self) -> int:
        """How many more positions than outputs a tile has."""
        return (self.taps - 1) * self.gap


@dataclass(frozen=True, slots=True)
class Slide:
    """A dim of the input along which windows slide; ``phases`` has home first."""

    dim: int
    loop: str
    stride: int
    phases: tuple[Phase, ...]


@dataclass(frozen=True, slots=True)
class Pass:
    """One fold: ``to[o] max= source[o + shift]`` along slide ``along``.

    Attributes:
        to, source: a phase number for each slide.
        extra: for each slide, how many more positions than outputs take part.
        open: the slides that are not folded yet, in which positions may be padding.
    """

    to: tuple[int, ...]
    source: tuple[int, ...]
    along: int
    shift: int
    extra: tuple[int, ...]
    open: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Windows:
    """The geometry of an operator that can be folded in place.

    Attributes:
        slides: the sliding dims of the only statement's input, or none.
        order: parallel loops as an area is laid out, those that slide first.
        passes: the folds, in their order.
    """

    slides: tuple[Slide, ...]
    order: tuple[str, ...]
    passes: tuple[Pass, ...]

    @property
    def combinations(self) -> list[tuple[int, ...]]:
        """A phase number for each slide: home last."""
        return list(product(*(range(len(s.phases)) for s in self.slides)))[::-1]

    def halo(self, combination: tuple[int, ...]) -> dict[str, int]:
        """By sliding loop how many more positions than outputs an area has."""
        return {s.loop: s.phases[p].halo for s, p in zip(self.slides, combination, strict=True)}


def windows(space: AluSpace) -> Windows | None:
    """The geometry, None where inputs cannot be folded in place: sums, and dims moved in other ways."""
    if space.combine == "+=":
        return None
    parallel = {loop.name for loop in space.parallel}
    extent = {loop.name: loop.extent for loop in (*space.parallel, *space.reduction)}
    slides: list[Slide] = []
    for source in space.sources:
        moved = [name for moves in source.moves for name, _ in moves]
        if len(moved) != len(set(moved)) or any(start for start in source.starts):
            return None
        for dim, moves in enumerate(source.moves):
            mine = [(n, c) for n, c in moves if n in parallel]
            taps = [(n, c) for n, c in moves if n not in parallel]
            if len(mine) > 1 or len(taps) > 1 or any(c < 1 for _, c in moves):
                return None
            if mine and taps:
                slides.append(_slide(dim, mine[0], taps[0][1], extent[taps[0][0]]))
            elif any(c != 1 for _, c in moves):
                return None
    if slides and len(space.sources) > 1:
        return None
    first = [s.loop for s in slides]
    order = (*first, *(loop.name for loop in space.parallel if loop.name not in first))
    return Windows(tuple(slides), order, tuple(_passes(tuple(slides))))


def _slide(dim: int, parallel: tuple[str, int], dilation: int, taps: int) -> Slide:
    loop, stride = parallel
    gap = dilation // gcd(stride, dilation)
    members: dict[int, list[int]] = {}
    for k in range(taps):
        members.setdefault(dilation * k % stride, []).append(dilation * k // stride)
    phases = [Phase(residue, m[0], len(m), gap) for residue, m in members.items()]
    return Slide(dim, loop, stride, tuple(sorted(phases, key=lambda p: p.taps)))


def _passes(slides: tuple[Slide, ...]) -> list[Pass]:
    found: list[Pass] = []
    for d in reversed(range(len(slides))):
        phases = [range(len(s.phases)) if e < d else range(1) for e, s in enumerate(slides)]
        for others in product(*phases):
            halo = [slides[e].phases[others[e]].halo if e < d else 0 for e in range(len(slides))]
            for number, phase in enumerate(slides[d].phases):
                to = (*others[:d], number, *others[d + 1 :])
                width = 1
                while width < phase.taps:
                    step = min(width, phase.taps - width)
                    width += step
                    extra = [*halo]
                    extra[d] = (phase.taps - width) * phase.gap
                    found.append(Pass(to, to, d, step * phase.gap, tuple(extra), tuple(range(d))))
                if number:
                    found.append(Pass(others, to, d, 0, tuple(halo), tuple(range(d))))
    return found


def window_region(source: OperandSpace, shape: Windows, sizes: dict[str, int]) -> Region:
    """An input in device memory: blocks of tiles, in them the planes, the phases, their positions, the other dims."""
    dims = source.layout.dims
    sliding = {s.dim: s.stride for s in shape.slides}
    tile = {d: sizes[m[0][0]] if m else 1 for d, m in enumerate(source.moves) if d not in sliding}
    plain = _plain(source, shape)
    planes = [d for d in tile if d not in plain]
    inner: dict[int, int] = {}
    outer: dict[int, int] = {}
    at = 1
    for d in reversed(plain):
        inner[d] = at
        at *= tile[d]
    for d in reversed(sliding):
        outer[d] = at
        at *= -(-dims[d].extent // sliding[d])
    for d in reversed(sliding):
        inner[d] = at
        at *= sliding[d]
    for d in reversed(planes):
        inner[d] = at
        at *= tile[d]
    for d in reversed(list(tile)):
        outer[d] = at
        at *= -(-dims[d].extent // tile[d])
    both = {**tile, **sliding}
    places = tuple(Place(dims[d].extent, 0, both[d], outer[d], inner[d]) for d in range(len(dims)))
    return Region((*planes, *sliding, *plain), places, at)


def _plain(source: OperandSpace, shape: Windows) -> list[int]:
    """Dims moved by a parallel loop alone, in the order of an area."""
    mover = {m[0][0]: d for d, m in enumerate(source.moves) if m}
    sliding = {s.loop for s in shape.slides}
    return [mover[n] for n in shape.order if n in mover and n not in sliding]


def area(shape: Windows, combination: tuple[int, ...], size: dict[str, int]) -> list[int]:
    """Positions of an area along each loop of the order."""
    halo = shape.halo(combination)
    return [size[n] + halo.get(n, 0) for n in shape.order]


def planes(space: AluSpace, source: OperandSpace, sizes: dict[str, int]) -> list[tuple[str, int]]:
    """(loop, planes in a step) of the reduction loops that do not slide and move an input."""
    parallel = {loop.name for loop in space.parallel}
    alone = [moves[0][0] for moves in source.moves if len(moves) == 1 and moves[0][0] not in parallel]
    return [(name, sizes[name]) for name in alone]


@dataclass(frozen=True, slots=True)
class Floor:
    """How the accumulators are divided: ``slots`` home areas, the other phases' areas, the planes being folded."""

    slots: int
    home: int
    areas: dict[tuple[int, ...], int]
    fold: int
    tensors: int


def floor_of(space: AluSpace, shape: Windows, sizes: dict[str, int], slots: int) -> Floor:
    """The division for full tiles."""
    combinations = shape.combinations
    home = prod(area(shape, combinations[-1], sizes))
    at = home * slots
    areas = {}
    for combination in combinations[:-1]:
        areas[combination] = at
        at += prod(area(shape, combination, sizes))
    extent = {loop.name: loop.extent for loop in space.reduction}
    deepest = 0
    for source in space.sources:
        parts = planes(space, source, sizes)
        single = len(space.sources) == 1 and all(size == extent[name] for name, size in parts)
        deepest = max(deepest, prod(size for _, size in parts) - (1 if single else 0))
    largest = max(prod(area(shape, c, sizes)) for c in combinations)
    return Floor(slots, home, areas, at, at + deepest * largest)


def largest_load(space: AluSpace, shape: Windows, statement: int, sizes: dict[str, int]) -> int:
    """Input tensors of the largest step of a statement."""
    source = space.sources[statement]
    moving = source.loops
    found = 0
    for combination in shape.combinations:
        counts = zip(shape.order, area(shape, combination, sizes), strict=True)
        found = max(found, prod(count for name, count in counts if name in moving))
    return found * prod(size for _, size in planes(space, source, sizes))


def window_operations(
    space: AluSpace, shape: Windows, size: dict[str, Ints], *, whole: bool = False
) -> tuple[Ints, int]:
    """(cycles of the core for a tile of these sizes, instructions), for many sizes at once.

    Lines of padding are counted as if they were folded too, unless the tile is the ``whole`` output.
    """
    depth = sum(prod(extent for _, extent in planes(space, s, _extents(space))) for s in space.sources)
    total: Ints = np.zeros(1, dtype=np.int64)
    count = 0
    for combination in shape.combinations:
        halo = shape.halo(combination)
        tensors: Ints = np.ones(1, dtype=np.int64)
        for name in shape.order:
            tensors = tensors * (size[name] + halo.get(name, 0))
        total = total + tensors * (2 * depth + 2 * (depth - 1))
        count += 2 + (3 * depth.bit_length() if depth > 1 else 0)
    for fold in shape.passes:
        tensors = np.ones(1, dtype=np.int64)
        for i, name in enumerate(shape.order):
            many = size[name] + (fold.extra[i] if i < len(fold.extra) else 0)
            if whole and i in fold.open:
                many = np.minimum(many, _living(space, shape.slides[i], fold.source[i]))
            tensors = tensors * many
        total = total + 2 * tensors
        count += 1
    return total, count


def _living(space: AluSpace, slide: Slide, number: int) -> int:
    """Positions of a phase that hold elements."""
    first, last = space.sources[0].live[slide.dim]
    phase = slide.phases[number]
    return max(0, (last - phase.residue) // slide.stride + (phase.residue - first) // slide.stride + 1)


def _extents(space: AluSpace) -> dict[str, int]:
    return {loop.name: loop.extent for loop in space.reduction}
