"""The code that stores accumulators: order of the lanes, masks where a lane is no result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from intarsia.targets.x86.lowering.emit_finish import narrowed, packed, place_in_pack, same, scaled
from intarsia.targets.x86.lowering.plan import Plan
from intarsia.targets.x86.lowering.registers import Registers
from intarsia.targets.x86.lowering.store import Group, Limit
from intarsia.targets.x86.lowering.text import Text, Value


@dataclass(frozen=True, slots=True)
class Parameters:
    """Bias of an accumulator's lanes, and where their scale is."""

    bias: str
    scale: str


def parameters_at(
    text: Text, plan: Plan, counters: Mapping[str, Value], within: Mapping[str, int]
) -> Parameters | None:
    """Bias and the place of the scale at a point of the tile, None without epilogue."""
    store = plan.store
    if store.epilogue is None:
        return None
    outer, inner = (dict(terms) for terms in store.parameters)
    constant = sum(inner.get(n, 0) * k for n, k in within.items())
    place = text.at("%parameters", text.sum([(counters[n], outer.get(n, 0)) for n in plan.parallel], constant))
    size = plan.registers.size
    return Parameters(text.new(f"load {plan.registers.words}, ptr {place}, align {size}"), text.at(place, size))


class Storing:
    """Stores the accumulators at one corner of the tile."""

    def __init__(self, text: Text, plan: Plan, kind: str, counters: Mapping[str, Value]) -> None:
        self.text, self.plan, self.kind, self.counters = text, plan, kind, counters
        self.store, self.registers = plan.store, plan.registers
        self.lanes = plan.registers.lanes

    def emit(self, group: Sequence[tuple[Mapping[str, int], str, Parameters | None]]) -> None:
        """Store one accumulator, or the four of a group (point within the tile, value, parameters)."""
        guard = self._guard(group[0][0])
        if guard is None:
            self._emit(group)
        elif guard != "false":
            self.text.when(guard, lambda: self._emit(group))

    def _guard(self, within: Mapping[str, int]) -> str | None:
        """Whether the accumulator holds results at all, None if it is known to."""
        found: str | None = None
        for limit in self.store.guards:
            base = _position(self.text, limit, self.counters, within)
            if isinstance(base, int):
                if limit.low <= base + limit.lanes[0] < limit.high:
                    continue
                return "false"
            place = self.text.add(base, limit.lanes[0] - limit.low)
            test = self.text.new(f"icmp ult i64 {place}, {limit.high - limit.low}")
            found = test if found is None else self.text.new(f"and i1 {found}, {test}")
        return found

    def _emit(self, group: Sequence[tuple[Mapping[str, int], str, Parameters | None]]) -> None:
        text, epilogue, store_group = self.text, self.store.epilogue, self.store.group
        place = self._place(group[0][0])
        values = [
            scaled(text, self.registers, epilogue, value, p.scale) if epilogue and p and epilogue.scaled else value
            for _, value, p in group
        ]
        if store_group is not None:
            self._together(store_group, place, values)
            return
        kind = self.kind
        if epilogue is not None and epilogue.scaled:
            values = [narrowed(text, self.registers, epilogue, values[0])]
            kind = f"<{self.lanes} x i8>"
        self._vector(group[0][0], place, kind, values[0])

    def _place(self, within: Mapping[str, int]) -> str:
        store = self.store
        steps = dict(store.address.terms if store.address else store.terms)
        constant = store.address.constant if store.address else store.offset
        constant += sum(steps.get(n, 0) * k for n, k in within.items())
        offset = self.text.sum([(self.counters[n], steps.get(n, 0)) for n in self.plan.parallel], constant)
        return self.text.at("%out" if store.address else "%scratch", offset)

    def _vector(self, within: Mapping[str, int], place: str, kind: str, value: str) -> None:
        text, store = self.text, self.store
        if store.address is None:
            text.line(f"store {kind} {value}, ptr {place}, align {self.registers.size}")
            return
        element = kind.split(" x ")[1].rstrip(">")
        item = 1 if element == "i8" else 4
        suffix = {"i8": "i8", "i32": "i32", "float": "f32"}[element]
        order = contiguous_order(store.address.lanes, store.used, item)
        if order is None:
            self._scatter(within, place, kind, suffix, value, item)
            return
        if order != tuple(range(self.lanes)):
            mask = ", ".join("i32 poison" if i < 0 else f"i32 {i}" for i in order)
            value = text.new(f"shufflevector {kind} {value}, {kind} poison, {self.registers.words} <{mask}>")
        live = self._mask([i >= 0 for i in order], [max(i, 0) for i in order], within)
        whole = f"store {kind} {value}, ptr {place}, align {item}"
        if live is None:
            text.line(whole)
            return
        count = self.lanes
        masked = (
            f"call void @llvm.masked.store.v{count}{suffix}.p0({kind} {value}, ptr {place}, i32 {item}, "
            f"<{count} x i1> {live})"
        )
        if self.registers.size == 64 or item > 1 or live.startswith("<"):
            text.line(masked)
            return
        # AVX2 has no masks for bytes: they are stored one by one, where not all of them are.
        bits = text.new(f"bitcast <{count} x i1> {live} to i{count}")
        for test, stored in (("eq", whole), ("ne", masked)):
            text.when(text.new(f"icmp {test} i{count} {bits}, -1"), partial(text.line, stored))

    def _scatter(self, within: Mapping[str, int], place: str, kind: str, suffix: str, value: str, item: int) -> None:
        assert self.store.address is not None
        offsets = "<" + ", ".join(f"i64 {lane}" for lane in self.store.address.lanes) + ">"
        lanes = self.lanes
        pointers = self.text.new(f"getelementptr inbounds i8, ptr {place}, <{lanes} x i64> {offsets}")
        live = self._mask(list(self.store.used), list(range(lanes)), within)
        mask = live or "<" + ", ".join(["i1 true"] * lanes) + ">"
        self.text.line(
            f"call void @llvm.masked.scatter.v{lanes}{suffix}.v{lanes}p0({kind} {value}, <{lanes} x ptr> {pointers}, "
            f"i32 {item}, <{lanes} x i1> {mask})"
        )

    def _together(self, group: Group, place: str, values: list[str]) -> None:
        """Four registers, put in the order of their addresses."""
        text, epilogue, registers = self.text, self.store.epilogue, self.registers
        if epilogue is not None and epilogue.scaled:
            whole, kind = packed(text, registers, epilogue, values), registers.bytes
            picked = [place_in_pack(registers, i) for i in group.order]
            if picked != list(range(registers.size)):
                mask = ", ".join(f"i32 {i}" for i in picked)
                whole = text.new(f"shufflevector {kind} {whole}, {kind} poison, <{registers.size} x i32> <{mask}>")
            self._pieces(place, whole, group.starts)
            return
        for q, start in enumerate(group.starts):
            wanted = group.order[self.lanes * q : self.lanes * (q + 1)]
            joined = _gathered(text, registers, self.kind, values, wanted)
            text.line(f"store {self.kind} {joined}, ptr {text.at(place, start)}, align 4")

    def _pieces(self, place: str, whole: str, starts: Sequence[int]) -> None:
        lanes, kind = self.lanes, self.registers.bytes
        size = next(s for s in (4, 2, 1) if all(starts[i] - starts[i - i % s] == lanes * (i % s) for i in range(4)))
        for i in range(0, 4, size):
            mask = ", ".join(f"i32 {lanes * i + j}" for j in range(lanes * size))
            part = whole
            if size < 4:
                part = self.text.new(f"shufflevector {kind} {whole}, {kind} poison, <{lanes * size} x i32> <{mask}>")
            self.text.line(f"store <{lanes * size} x i8> {part}, ptr {self.text.at(place, starts[i])}, align 1")

    def _mask(self, used: Sequence[bool], order: Sequence[int], within: Mapping[str, int]) -> str | None:
        """Which lanes are stored, None for all."""
        text = self.text
        live = None if all(used) else _bits(used)
        for limit in self.store.limits:
            base = _position(text, limit, self.counters, within)
            test = _test(text, self.registers, limit, base, [limit.lanes[i] for i in order])
            if test is not None:
                live = test if live is None else text.new(f"and <{self.lanes} x i1> {live}, {test}")
        return live


def _position(text: Text, limit: Limit, counters: Mapping[str, Value], within: Mapping[str, int]) -> Value:
    steps = dict(limit.terms)
    constant = limit.constant + sum(steps.get(n, 0) * k for n, k in within.items())
    return text.sum([(v, steps.get(n, 0)) for n, v in counters.items()], constant)


def contiguous_order(lanes: Sequence[int], used: Sequence[bool], item: int) -> tuple[int, ...] | None:
    """For each of as many elements behind each other the lane that it holds, -1 for none; None if lanes lie apart."""
    order = [-1] * len(lanes)
    for lane, (offset, live) in enumerate(zip(lanes, used, strict=True)):
        if not live:
            continue
        place, rest = divmod(offset, item)
        if rest or place >= len(lanes) or order[place] >= 0:
            return None
        order[place] = lane
    return tuple(order)


def _bits(values: Sequence[bool]) -> str:
    return "<" + ", ".join(f"i1 {str(v).lower()}" for v in values) + ">"


def _test(text: Text, registers: Registers, limit: Limit, base: Value, lanes: list[int]) -> str | None:
    if isinstance(base, int):
        inside = [limit.low <= base + lane < limit.high for lane in lanes]
        return None if all(inside) else _bits(inside)
    short = text.new(f"trunc i64 {base} to i32")
    numbers = "<" + ", ".join(f"i32 {lane - limit.low}" for lane in lanes) + ">"
    words = registers.words
    first = text.new(f"insertelement {words} poison, i32 {short}, i64 0")
    spread = text.new(f"shufflevector {words} {first}, {words} poison, {words} zeroinitializer")
    position = text.new(f"add {words} {spread}, {numbers}")
    return text.new(f"icmp ult {words} {position}, {same(registers, 'i32', limit.high - limit.low)}")


def _gathered(text: Text, registers: Registers, kind: str, values: list[str], wanted: Sequence[int]) -> str:
    """One register of lanes of four: picked from each pair, then joined."""
    halves, lanes, words = [], registers.lanes, registers.words
    for pair in (0, 2):
        picks = [i - lanes * pair if lanes * pair <= i < lanes * (pair + 2) else -1 for i in wanted]
        mask = ", ".join("i32 poison" if i < 0 else f"i32 {i}" for i in picks)
        halves.append(text.new(f"shufflevector {kind} {values[pair]}, {kind} {values[pair + 1]}, {words} <{mask}>"))
    chosen = ", ".join(f"i32 {i if w < 2 * lanes else lanes + i}" for i, w in enumerate(wanted))
    return text.new(f"shufflevector {kind} {halves[0]}, {kind} {halves[1]}, {words} <{chosen}>")
