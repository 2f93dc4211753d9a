"""The code that stores accumulators: epilogue, order of the lanes, masks where a lane is no result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from intarsia.targets.x86.lowering.plan import Plan
from intarsia.targets.x86.lowering.store import Epilogue, Group, Limit
from intarsia.targets.x86.lowering.text import Text, Value

LANES = 16
FLOATS = f"<{LANES} x float>"
WORDS = f"<{LANES} x i32>"
KINDS = {"int32": "i32", "float32": "float", "int8": "i8", "uint8": "i8"}
ROUND = "llvm.x86.avx512.mask.cvtps2dq.512"
PACK_SIGNED = "llvm.x86.avx512.packssdw.512"
PACK = {"uint8": "llvm.x86.avx512.packuswb.512", "int8": "llvm.x86.avx512.packsswb.512"}
NARROW = {"uint8": "llvm.x86.avx512.mask.pmovus.db.512", "int8": "llvm.x86.avx512.mask.pmovs.db.512"}
SIGNED = (-128, 127)
DECLARED = "\n".join(
    [
        *(
            f"declare void @llvm.masked.{what}.v16{short}.{pointer}(<16 x {kind}>, {given}, i32, <16 x i1>)"
            for kind, short in (("i32", "i32"), ("float", "f32"), ("i8", "i8"))
            for what, pointer, given in (("store", "p0", "ptr"), ("scatter", "v16p0", "<16 x ptr>"))
        ),
        f"declare {WORDS} @{ROUND}({FLOATS}, {WORDS}, i16, i32)",
        f"declare <32 x i16> @{PACK_SIGNED}({WORDS}, {WORDS})",
        *(f"declare <16 x i8> @{name}({WORDS}, <16 x i8>, i16)" for name in NARROW.values()),
        *(f"declare <64 x i8> @{name}(<32 x i16>, <32 x i16>)" for name in PACK.values()),
        *(f"declare {WORDS} @llvm.{n}.v16i32({WORDS}, {WORDS})" for n in ("smin", "smax")),
        *(f"declare <64 x i8> @llvm.{n}.v64i8(<64 x i8>, <64 x i8>)" for n in ("umin", "umax", "smin", "smax")),
        "declare <32 x i16> @llvm.sadd.sat.v32i16(<32 x i16>, <32 x i16>)",
        f"declare {FLOATS} @llvm.maxnum.v16f32({FLOATS}, {FLOATS})",
        f"declare {FLOATS} @llvm.minnum.v16f32({FLOATS}, {FLOATS})",
    ]
)


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
    return Parameters(text.new(f"load {WORDS}, ptr {place}, align 64"), text.at(place, 64))


class Storing:
    """Stores the accumulators at one corner of the tile."""

    def __init__(self, text: Text, plan: Plan, kind: str, counters: Mapping[str, Value]) -> None:
        self.text, self.plan, self.kind, self.counters = text, plan, kind, counters
        self.store = plan.store

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
        values = [value if p is None else _finished(text, epilogue, value, p) for _, value, p in group]
        if store_group is not None:
            self._together(store_group, place, values)
            return
        kind = self.kind
        if epilogue is not None and epilogue.dtype in PACK:
            values = [_narrowed(text, epilogue, values[0])]
            kind = "<16 x i8>"
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
            text.line(f"store {kind} {value}, ptr {place}, align 64")
            return
        element = kind.split(" x ")[1].rstrip(">")
        item = 1 if element == "i8" else 4
        suffix = {"i8": "i8", "i32": "i32", "float": "f32"}[element]
        order = contiguous_order(store.address.lanes, store.used, item)
        if order is None:
            self._scatter(within, place, kind, suffix, value, item)
            return
        if order != tuple(range(LANES)):
            mask = ", ".join("i32 poison" if i < 0 else f"i32 {i}" for i in order)
            value = text.new(f"shufflevector {kind} {value}, {kind} poison, <16 x i32> <{mask}>")
        live = self._mask([i >= 0 for i in order], [max(i, 0) for i in order], within)
        if live is None:
            text.line(f"store {kind} {value}, ptr {place}, align {item}")
            return
        text.line(
            f"call void @llvm.masked.store.v16{suffix}.p0({kind} {value}, ptr {place}, i32 {item}, <16 x i1> {live})"
        )

    def _scatter(self, within: Mapping[str, int], place: str, kind: str, suffix: str, value: str, item: int) -> None:
        assert self.store.address is not None
        offsets = "<" + ", ".join(f"i64 {lane}" for lane in self.store.address.lanes) + ">"
        pointers = self.text.new(f"getelementptr inbounds i8, ptr {place}, <16 x i64> {offsets}")
        live = self._mask(list(self.store.used), list(range(LANES)), within)
        mask = live or "<" + ", ".join(["i1 true"] * LANES) + ">"
        self.text.line(
            f"call void @llvm.masked.scatter.v16{suffix}.v16p0({kind} {value}, <16 x ptr> {pointers}, i32 {item}, "
            f"<16 x i1> {mask})"
        )

    def _together(self, group: Group, place: str, values: list[str]) -> None:
        """Four registers, put in the order of their addresses."""
        text, epilogue = self.text, self.store.epilogue
        if epilogue is not None and epilogue.dtype in PACK:
            whole = _packed(text, epilogue, values)
            picked = [_place_in_pack(i) for i in group.order]
            if picked != list(range(64)):
                mask = ", ".join(f"i32 {i}" for i in picked)
                whole = text.new(f"shufflevector <64 x i8> {whole}, <64 x i8> poison, <64 x i32> <{mask}>")
            self._pieces(place, whole, group.starts)
            return
        for q, start in enumerate(group.starts):
            wanted = group.order[LANES * q : LANES * (q + 1)]
            joined = _gathered(text, self.kind, values, wanted)
            text.line(f"store {self.kind} {joined}, ptr {text.at(place, start)}, align 4")

    def _pieces(self, place: str, whole: str, starts: Sequence[int]) -> None:
        size = next(s for s in (4, 2, 1) if all(starts[i] - starts[i - i % s] == 16 * (i % s) for i in range(4)))
        for i in range(0, 4, size):
            mask = ", ".join(f"i32 {16 * i + j}" for j in range(16 * size))
            part = whole
            if size < 4:
                part = self.text.new(f"shufflevector <64 x i8> {whole}, <64 x i8> poison, <{16 * size} x i32> <{mask}>")
            self.text.line(f"store <{16 * size} x i8> {part}, ptr {self.text.at(place, starts[i])}, align 1")

    def _mask(self, used: Sequence[bool], order: Sequence[int], within: Mapping[str, int]) -> str | None:
        """Which lanes are stored, None for all."""
        text = self.text
        live = None if all(used) else _bits(used)
        for limit in self.store.limits:
            base = _position(text, limit, self.counters, within)
            test = _test(text, limit, base, [limit.lanes[i] for i in order])
            if test is not None:
                live = test if live is None else text.new(f"and <16 x i1> {live}, {test}")
        return live


def _position(text: Text, limit: Limit, counters: Mapping[str, Value], within: Mapping[str, int]) -> Value:
    steps = dict(limit.terms)
    constant = limit.constant + sum(steps.get(n, 0) * k for n, k in within.items())
    return text.sum([(v, steps.get(n, 0)) for n, v in counters.items()], constant)


def contiguous_order(lanes: Sequence[int], used: Sequence[bool], item: int) -> tuple[int, ...] | None:
    """For each of 16 elements behind each other the lane that it holds, -1 for none; None if lanes lie apart."""
    order = [-1] * LANES
    for lane, (offset, live) in enumerate(zip(lanes, used, strict=True)):
        if not live:
            continue
        place, rest = divmod(offset, item)
        if rest or place >= LANES or order[place] >= 0:
            return None
        order[place] = lane
    return tuple(order)


def _bits(values: Sequence[bool]) -> str:
    return "<" + ", ".join(f"i1 {str(v).lower()}" for v in values) + ">"


def _test(text: Text, limit: Limit, base: Value, lanes: list[int]) -> str | None:
    if isinstance(base, int):
        inside = [limit.low <= base + lane < limit.high for lane in lanes]
        return None if all(inside) else _bits(inside)
    short = text.new(f"trunc i64 {base} to i32")
    numbers = "<" + ", ".join(f"i32 {lane - limit.low}" for lane in lanes) + ">"
    position = text.new(f"add {WORDS} {_spread(text, 'i32', short)}, {numbers}")
    return text.new(f"icmp ult {WORDS} {position}, {_same('i32', limit.high - limit.low)}")


def _spread(text: Text, kind: str, value: str) -> str:
    first = text.new(f"insertelement <16 x {kind}> poison, {kind} {value}, i64 0")
    return text.new(f"shufflevector <16 x {kind}> {first}, <16 x {kind}> poison, {WORDS} zeroinitializer")


def _same(kind: str, value: float) -> str:
    return "<" + ", ".join([f"{kind} {value}"] * LANES) + ">"


def _place_in_pack(index: int) -> int:
    """Where packs put lane ``index % 16`` of accumulator ``index // 16``: within each quarter, by accumulator."""
    accumulator, lane = divmod(index, LANES)
    return 16 * (lane // 4) + 4 * accumulator + lane % 4


def _gathered(text: Text, kind: str, values: list[str], wanted: Sequence[int]) -> str:
    """One register of lanes of four: picked from each pair, then joined."""
    halves = []
    for pair in (0, 2):
        picks = [i - LANES * pair if LANES * pair <= i < LANES * (pair + 2) else -1 for i in wanted]
        mask = ", ".join("i32 poison" if i < 0 else f"i32 {i}" for i in picks)
        halves.append(text.new(f"shufflevector {kind} {values[pair]}, {kind} {values[pair + 1]}, <16 x i32> <{mask}>"))
    chosen = ", ".join(f"i32 {i if w < 2 * LANES else LANES + i}" for i, w in enumerate(wanted))
    return text.new(f"shufflevector {kind} {halves[0]}, {kind} {halves[1]}, <16 x i32> <{chosen}>")


def _finished(text: Text, epilogue: Epilogue | None, value: str, parameters: Parameters) -> str:
    """The result as int32 (of a value to which the bias was added already), within the limits of its dtype."""
    if epilogue is None or not epilogue.scaled:
        return value
    scale = text.new(f"load {FLOATS}, ptr {parameters.scale}, align 64")
    real = text.new(f"sitofp {WORDS} {value} to {FLOATS}")
    real = text.new(f"fmul {FLOATS} {real}, {scale}")
    if epilogue.small:
        return text.new(f"call {WORDS} @{ROUND}({FLOATS} {real}, {WORDS} zeroinitializer, i16 -1, i32 4)")
    for name, bound in (("maxnum", epilogue.low), ("minnum", epilogue.high)):
        limit = _same("float", float(bound - epilogue.zero))
        real = text.new(f"call {FLOATS} @llvm.{name}.v16f32({FLOATS} {real}, {FLOATS} {limit})")
    return text.new(f"call {WORDS} @{ROUND}({FLOATS} {real}, {WORDS} zeroinitializer, i16 -1, i32 4)")


def _narrowed(text: Text, epilogue: Epilogue, value: str) -> str:
    """A rounded register as 16 bytes: zero point added, clipped.

    Not by ``trunc``: LLVM 22 turns a masked store of truncated lanes, all but one off, into one of four bytes.
    """
    value = text.new(f"add {WORDS} {value}, {_same('i32', epilogue.zero)}") if epilogue.zero else value
    bounds = [("smax", epilogue.low)] if epilogue.dtype == "uint8" or epilogue.low > SIGNED[0] else []
    bounds += [("smin", epilogue.high)] if epilogue.high < (255 if epilogue.dtype == "uint8" else SIGNED[1]) else []
    for name, bound in bounds:
        value = text.new(f"call {WORDS} @llvm.{name}.v16i32({WORDS} {value}, {WORDS} {_same('i32', bound)})")
    return text.new(f"call <16 x i8> @{NARROW[epilogue.dtype]}({WORDS} {value}, <16 x i8> zeroinitializer, i16 -1)")


def _packed(text: Text, epilogue: Epilogue, values: list[str]) -> str:
    """Four rounded registers as 64 bytes, quarter by quarter: zero point added, clipped."""
    pairs = []
    for i in (0, 2):
        pair = text.new(f"call <32 x i16> @{PACK_SIGNED}({WORDS} {values[i]}, {WORDS} {values[i + 1]})")
        if epilogue.zero:
            zero = "<" + ", ".join([f"i16 {epilogue.zero}"] * 32) + ">"
            pair = text.new(f"call <32 x i16> @llvm.sadd.sat.v32i16(<32 x i16> {pair}, <32 x i16> {zero})")
        pairs.append(pair)
    whole = text.new(f"call <64 x i8> @{PACK[epilogue.dtype]}(<32 x i16> {pairs[0]}, <32 x i16> {pairs[1]})")
    letter, range_of = ("u", (0, 255)) if epilogue.dtype == "uint8" else ("s", (-128, 127))
    for name, bound, natural in (("max", epilogue.low, range_of[0]), ("min", epilogue.high, range_of[1])):
        if bound != natural:
            limit = "<" + ", ".join([f"i8 {bound}"] * 64) + ">"
            whole = text.new(f"call <64 x i8> @llvm.{letter}{name}.v64i8(<64 x i8> {whole}, <64 x i8> {limit})")
    return whole
