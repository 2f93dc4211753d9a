"""Random embeddings of any operator in any instruction: mixed radix, flattened, skewed, reversed, translated.

They are drawn, not searched: nothing is taken from the search, and ``check`` says which are right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from random import Random

from intarsia.embed.check import check
from intarsia.embed.embedding import Embedding, Flat, Loop, access_pairs
from intarsia.machines import Instruction
from intarsia.operators import Access, Affine, Operator

ZERO = Affine(())
LANES = 1 << 18
"""Lanes of all calls of an embedding: what is larger takes long to check and to run."""


def random_embedding(random: Random, operator: Operator, instruction: Instruction, tries: int = 8) -> Embedding | None:
    """A random embedding of the first statement that ``check`` accepts, None if none was found."""
    for embedding in random_drafts(random, operator, instruction, tries):
        if embedding.calls * instruction.lanes <= LANES and check(embedding).good:
            return embedding
    return None


def random_drafts(random: Random, operator: Operator, instruction: Instruction, tries: int) -> Iterator[Embedding]:
    """Random embeddings, most of them right."""
    operands = _assignment(random, operator, instruction)
    for _ in range(tries if operands else 0):
        yield _Draft(random, operator, instruction, operands).embedding()


def _assignment(random: Random, operator: Operator, instruction: Instruction) -> tuple[tuple[str, str | None], ...]:
    body, meaning = operator.statements[0], instruction.semantics.statements[0]
    held: list[str | None] = [read.tensor for read in body.reads]
    held += [None] * (len(meaning.reads) - len(held))
    if body.combine != meaning.combine or len(held) != len(meaning.reads):
        return ()
    dtype = {t.name: t.dtype for t in operator.tensors}
    wanted = [instruction.semantics.tensor(read.tensor).dtype for read in meaning.reads]
    for _ in range(6):
        random.shuffle(held)
        if all(t is None or dtype[t] == d for t, d in zip(held, wanted, strict=True)):
            reads = [(read.tensor, t) for read, t in zip(meaning.reads, held, strict=True)]
            return ((meaning.write.tensor, body.write.tensor), *reads)
    return ()


def _moves(access: Access, step: dict[str, int]) -> bool:
    return any(sum(c * step.get(name, 0) for name, c in s.terms) for s in access.subscripts)


@dataclass(slots=True)
class _Skew:
    """Axis ``taken`` gives a digit to ``lane``; ``paying`` moves against it by ``rate``, so that a factor stays put."""

    taken: str
    paying: str
    rate: int
    lane: str


@dataclass(slots=True)
class _Draft:
    random: Random
    operator: Operator
    instruction: Instruction
    operands: tuple[tuple[str, str | None], ...]
    outer: list[Loop] = field(default_factory=list)
    lanes: list[Loop] = field(default_factory=list)
    room: dict[str, int] = field(default_factory=dict)
    shift: dict[str, Affine] = field(default_factory=dict)
    extent: dict[str, int] = field(default_factory=dict)

    def embedding(self) -> Embedding:
        random = self.random
        self.room = {a.name: a.extent for a in self.instruction.semantics.axes}
        self.extent = {a.name: a.extent for a in self.operator.axes}
        self.shift = dict.fromkeys(self.extent, ZERO)
        skews = [s for s in self._skews() if random.random() < 0.7] if random.random() < 0.5 else []
        flats = [self._skewed(skew) for skew in self._distinct(skews)]
        flats += [self._flat(group) for group in self._groups({f.axes[0] for f in flats})]
        random.shuffle(self.outer)
        random.shuffle(self.lanes)
        loops = (*self.outer, *self.lanes)
        return Embedding(self.operator, 0, self.instruction, self.operands, loops, tuple(flats))

    def _pairs(self) -> list[tuple[Access, Access]]:
        pairs = access_pairs(self.operator, 0, self.instruction, self.operands)
        return [(m, a) for m, a in pairs if a is not None]

    def _allowed(self, step: dict[str, int]) -> list[str]:
        """Instruction axes that a step of the operator may lie on: factors that stay, and the result both ways."""
        (written, write), *factors = self._pairs()
        return [
            lane
            for lane in self.room
            if _moves(written, {lane: 1}) == _moves(write, step)
            and all(_moves(m, {lane: 1}) or not _moves(a, step) for m, a in factors)
        ]

    def _skews(self) -> Iterator[_Skew]:
        """(ow+1, kw-1) and its like: both in one subscript of a factor, one parallel and one summed."""
        role = {a.name: a.role for a in self.operator.axes}
        for _, access in self._pairs()[1:]:
            for subscript in access.subscripts:
                for taken, a in subscript.terms:
                    for paying, b in subscript.terms:
                        if role[taken] == "reduction" or role[paying] == "parallel" or a % b:
                            continue
                        step = {taken: 1, paying: -a // b}
                        for lane in self._allowed(step):
                            if lane not in self._allowed({taken: 1}):
                                yield _Skew(taken, paying, a // b, lane)

    def _distinct(self, skews: list[_Skew]) -> list[_Skew]:
        seen: set[str] = set()
        kept = []
        for skew in skews:
            if not seen & {skew.taken, skew.paying}:
                seen |= {skew.taken, skew.paying}
                kept.append(skew)
        return kept

    def _skewed(self, skew: _Skew) -> Flat:
        """Digits of the axis that is taken; the axis that pays counts to more and is shifted."""
        extent = self.extent[skew.taken]
        factor = self.random.randint(1, max(1, min(self.room[skew.lane], extent, 6)))
        self.room[skew.lane] //= factor
        digit = f"{skew.taken}.s"
        self.lanes.append(Loop(digit, factor, skew.lane))
        self.outer.append(Loop(f"{skew.taken}.0", -(-extent // factor)))
        self.extent[skew.paying] += abs(skew.rate) * (factor - 1)
        constant = 0 if skew.rate > 0 else skew.rate * (factor - 1)
        self.shift[skew.paying] = Affine(((digit, -skew.rate),), constant)
        value = Affine(((f"{skew.taken}.0", factor), (digit, 1)))
        return Flat((skew.taken,), (extent,), value, (ZERO,))

    def _groups(self, done: set[str]) -> list[tuple[str, ...]]:
        """The other axes, some neighbours of one role flattened together, in any order."""
        axes = [a for a in self.operator.axes if a.name not in done]
        if self.random.random() < 0.3:
            self.random.shuffle(axes)
        groups: list[tuple[str, ...]] = []
        role = ""
        for axis in axes:
            if groups and axis.role == role and len(groups[-1]) < 4 and self.random.random() < 0.3:
                groups[-1] = (*groups[-1], axis.name)
            else:
                groups.append((axis.name,))
            role = axis.role
        self.random.shuffle(groups)
        return groups

    def _flat(self, axes: tuple[str, ...]) -> Flat:
        random = self.random
        extents = tuple(self.extent[a] for a in axes)
        total, below = prod(extents), 1
        name = ".".join(axes)
        terms: list[tuple[str, int]] = []
        constant = 0

        def add(extent: int, lane: str) -> None:
            nonlocal below, constant
            loop = Loop(f"{name}.{len(terms)}", extent, lane)
            (self.lanes if lane else self.outer).append(loop)
            backwards = random.random() < 0.04
            terms.append((loop.name, -below if backwards else below))
            constant += below * (extent - 1) if backwards else 0
            below *= extent

        for _ in range(random.choice((0, 1, 1, 1, 2))):
            lanes = [x for x in self._allowed_for(axes) if self.room[x] > 1]
            if not lanes or below >= total:
                break
            if random.random() < 0.2:
                add(random.randint(2, 3), "")
            lane = random.choice(lanes)
            most = max(1, min(self.room[lane], -(-total // below)))
            factor = most if random.random() < 0.6 else random.randint(1, most)
            self.room[lane] //= factor
            add(factor, lane)
        top = -(-total // below)
        if top > 1 or random.random() < 0.7:
            add(top, "")
        if random.random() < 0.03:
            constant += random.choice((-1, 1))
        return Flat(axes, extents, Affine(tuple(terms), constant), tuple(self.shift[a] for a in axes))

    def _allowed_for(self, axes: tuple[str, ...]) -> list[str]:
        """Instruction axes that each of the axes may lie on, if it has more than one value."""
        sets = [set(self._allowed({a: 1})) for a in axes if self.extent[a] > 1]
        return [lane for lane in self.room if all(lane in s for s in sets)]
