"""Small random operators, plans of random choices, and arrays between pages that must not be touched."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Iterator
from itertools import islice
from math import prod

import numpy as np

from intarsia.embed import EmbeddingProblem, enumerate_embeddings
from intarsia.operators import parse_operator
from intarsia.targets.x86.lowering.candidates import candidates
from intarsia.targets.x86.lowering.choose import movement
from intarsia.targets.x86.lowering.packed import access_of
from intarsia.targets.x86.lowering.planning import plan_of
from intarsia.targets.x86.lowering.store import Epilogue
from intarsia.targets.x86.lowering.subject import Nest, Subject, factors_of, is_constant

PAGE = mmap.PAGESIZE
LIBC = ctypes.CDLL(None, use_errno=True)


def guarded(content, *, high):
    """A copy that touches a forbidden page: behind it if ``high``, else in front of it."""
    size = -(-content.nbytes // PAGE) * PAGE
    memory = mmap.mmap(-1, size + 2 * PAGE)
    whole = np.frombuffer(memory, dtype=np.uint8)
    for at in (0, PAGE + size):
        forbidden = ctypes.c_void_p(whole.ctypes.data + at)
        assert LIBC.mprotect(forbidden, ctypes.c_size_t(PAGE), 0) == 0
    start = PAGE + size - content.nbytes if high else PAGE
    place = whole[start : start + content.nbytes].view(content.dtype).reshape(content.shape)
    place[...] = content
    return place


def window(r):
    """Size, kernel, stride, padding and dilation of one dimension."""
    while True:
        n, k, s, p, d = (
            r.randint(1, 10),
            r.choice([1, 2, 3, 3, 5]),
            r.choice([1, 1, 2, 3]),
            r.choice([0, 0, 1, 2]),
            r.choice([1, 1, 2]),
        )
        out = (n + 2 * p - d * (k - 1) - 1) // s + 1
        if n + 2 * p >= d * (k - 1) + 1 and out > 0:
            return n, k, s, p, d, out


def read(window, out, tap):
    """The subscript of a window."""
    _, _, s, p, d, _ = window
    return (f"{s}*" if s > 1 else "") + out + "+" + (f"{d}*" if d > 1 else "") + tap + (f"-{p}" if p else "")


def random_operator(r):
    """A convolution (1-D to 3-D, grouped, depthwise), or a product, with the dtypes of vpdpbusd."""
    kind = r.choice(["conv", "conv", "group", "depthwise", "depthwise", "matmul", "batched"])
    if kind in {"matmul", "batched"}:
        return random_product(r, batch=kind == "batched")
    rank = r.choice([1, 2, 2, 2, 3])
    axes = [window(r) for _ in range(rank)]
    while prod(w[0] for w in axes) > 300:
        axes = [window(r) for _ in range(rank)]
    names = "dhw"[-rank:]
    n, last = r.choice([1, 1, 2]), r.choice([True, False])
    groups = (
        1 if kind == "conv" else r.choice([2, 3, 4, 8]) if kind == "group" else r.choice([3, 8, 16, 24, 32, 64, 128])
    )
    c = 1 if kind == "depthwise" else r.choice([1, 2, 3, 4, 5, 8, 17])
    k = 1 if kind == "depthwise" else r.choice([1, 2, 3, 8, 16, 17, 33])
    pad = r.choice([0, 0, 7])
    channel_in = "g" if kind == "depthwise" else f"{c}*g+c" if groups > 1 else "c"
    channel_out = "g" if kind == "depthwise" else f"{k}*g+oc" if groups > 1 else "oc"
    parallel = [f"n<{n}"] + ([f"g<{groups}"] if groups > 1 else []) + ([f"oc<{k}"] if kind != "depthwise" else [])
    parallel += [f"o{x}<{w[5]}" for x, w in zip(names, axes, strict=True)]
    reduction = ([f"c<{c}"] if kind != "depthwise" else []) + [f"k{x}<{w[1]}" for x, w in zip(names, axes, strict=True)]
    outs, ins = [w[5] for w in axes], [w[0] for w in axes]
    o_shape = [n, *outs, groups * k] if last else [n, groups * k, *outs]
    i_shape = [n, *ins, groups * c] if last else [n, groups * c, *ins]
    w_shape = [groups * k, c, *(w[1] for w in axes)]
    place = lambda head, rest: [head, *rest] if not last else [*rest, head]  # noqa: E731
    o_read = ["n", *place(channel_out, [f"o{x}" for x in names])]
    i_read = ["n", *place(channel_in, [read(w, f"o{x}", f"k{x}") for x, w in zip(names, axes, strict=True)])]
    w_read = [channel_out, *(["c"] if kind != "depthwise" else ["0"]), *(f"k{x}" for x in names)]
    return parse_operator(
        f"{kind}: {' '.join(parallel)} ; {' '.join(reduction)}\n"
        f"  O:int32{o_shape} I:uint8{i_shape}{f' pad={pad}' if pad else ''} W:int8{w_shape} const\n"
        f"  O[{', '.join(o_read)}] += I[{', '.join(i_read)}] * W[{', '.join(w_read)}]"
    )


def random_product(r, *, batch):
    """A matrix product, its second operand constant or not, either transposed or not."""
    m, n, k = r.randint(1, 20), r.choice([1, 5, 16, 33, 40]), r.randint(1, 21)
    constant = "" if batch or r.random() < 0.4 else " const"
    head = "b<3 " if batch else ""
    pre, at = ("3, ", "b, ") if batch else ("", "")
    a, ra = (f"[{pre}{m}, {k}]", "m, k") if r.random() < 0.7 else (f"[{pre}{k}, {m}]", "k, m")
    b, rb = (f"[{pre}{k}, {n}]", "k, n") if r.random() < 0.5 else (f"[{pre}{n}, {k}]", "n, k")
    return parse_operator(
        f"product: {head}m<{m} n<{n} ; k<{k}\n  O:int32[{pre}{m}, {n}] A:uint8{a} B:int8{b}{constant}\n"
        f"  O[{at}m, n] += A[{at}{ra}] * B[{at}{rb}]"
    )


def random_embeddings(r, operator, instruction, count):
    """Some embeddings: of those that are worth planning, and of all."""
    chosen = list(candidates(operator, instruction, 400))
    found = r.sample(chosen, min(count, len(chosen)))
    quartered = [e for e in chosen if any(loop.extent == 4 and not loop.name.endswith(".0") for loop in e.outer)]
    found += r.sample(quartered, min(1, len(quartered)))
    problem = EmbeddingProblem(operator, instruction, r.choice(["aligned", "fused"]))
    some = list(islice(enumerate_embeddings(problem, distinct=True), 600))
    scattered = [e for e in some if fused_results(e)]
    return [*found, *r.sample(some, min(1, len(some))), *r.sample(scattered, min(1, len(scattered)))]


def fused_results(embedding):
    """Whether axes that choose the result are flattened: their lanes may have no affine address."""
    role = {axis.name: axis.role for axis in embedding.operator.axes}
    return any(len(flat.axes) > 1 and role[flat.axes[0]] == "parallel" for flat in embedding.flats)


def random_nest(r, embedding):
    """Any order of the loops, and a tile of up to three of them."""
    moves = movement(embedding)
    parallel = [*moves.first, *moves.second, *moves.both, *moves.neither]
    reduction = list(moves.reduction)
    r.shuffle(parallel)
    r.shuffle(reduction)
    extents = {loop.name: loop.extent for loop in embedding.outer}
    tile, most = [], 12
    for name in r.sample(parallel, min(len(parallel), r.choice([0, 1, 2, 3]))):
        factor = r.randint(1, min(most, extents[name], 5))
        if extents[name] == 4 and most >= 4 and r.random() < 0.7:
            factor = 4
        if factor > 1:
            tile.append((name, factor))
            most //= factor
    steps = prod(extents[n] for n in reduction)
    straight = steps * prod(f for _, f in tile) <= 64
    unroll = r.choice([0, 1, 2, 3] if straight else [1, 2, 3])
    return Nest(tuple(parallel), tuple(tile), tuple(reduction), unroll, random_block(r, parallel, dict(tile), extents))


def random_block(r, parallel, tile, extents):
    """A loop and the size of its blocks, or None."""
    if not parallel or r.random() < 0.6:
        return None
    name = r.choice(parallel)
    return name, tile.get(name, 1) * r.randint(1, max(1, extents[name] // tile.get(name, 1)))


def random_plans(r, embedding, epilogue, given=None) -> Iterator:
    """Plans by every way to feed what is not constant."""
    nest = random_nest(r, embedding)
    subject = Subject(embedding, given)
    runtime = [o for o in factors_of(embedding) if not is_constant(embedding, o)]
    for way in ("direct", "padded", "interleave", "table"):
        levels = {"interleave": {0, r.randint(0, len(nest.parallel))}, "padded": {0, r.randint(0, 2)}}
        for level in levels.get(way, {0}):
            ways = dict.fromkeys(runtime, (way, level))
            if len(runtime) > 1 and r.random() < 0.5:
                ways[r.choice(runtime)] = ("table", 0)
            plan = plan_of(subject, nest, ways, epilogue)
            if plan is not None:
                yield way, plan
    woven = woven_nest(r, embedding)
    if woven is not None and len(runtime) == 1:
        plan = plan_of(subject, woven, {runtime[0]: ("woven", 0)}, epilogue)
        if plan is not None:
            yield "woven", plan


def woven_nest(r, embedding):
    """A nest whose tile may be woven where it is used, or None: four registers innermost, then positions of a row."""
    moves = movement(embedding)
    parallel = [*moves.first, *moves.second, *moves.both, *moves.neither]
    extents = {loop.name: loop.extent for loop in embedding.outer}
    four = next((n for n in moves.both if extents[n] == 4), None)
    rows = [n for n in parallel if n != four]
    if four is None or len(rows) < 2 or prod(extents[n] for n in moves.reduction) > 30:
        return None
    r.shuffle(rows)
    factor = r.randint(2, min(5, extents[rows[-1]]))
    return Nest((*rows, four), ((rows[-1], factor), (four, 4)), tuple(moves.reduction), 0)


def random_epilogue(r, operator):
    """None, or what a quantised operator does with its results."""
    if r.random() < 0.5:
        return None
    dtype = r.choice(["uint8", "int8"])
    low, high = (0, 255) if dtype == "uint8" else (-128, 127)
    if r.random() < 0.3:
        low, high = low + 20, high - 30
    zero = r.randint(low, high)
    dim = r.randrange(len(operator.outputs[0].shape))
    return Epilogue(dtype, dim, zero, low, high, small=r.random() < 0.5)


def requantised(epilogue, sums, bias, scale):
    """What an epilogue makes of the exact sums."""
    shape = [-1 if i == epilogue.dim else 1 for i in range(sums.ndim)]
    total = (sums + bias.reshape(shape)).astype(np.int32)
    real = total.astype(np.float32) * scale.reshape(shape)
    whole = np.rint(np.clip(real, -1e6, 1e6)).astype(np.int64) + epilogue.zero
    return np.clip(whole, epilogue.low, epilogue.high).astype(epilogue.dtype)


def written_name(embedding):
    """The tensor that an embedding writes."""
    return access_of(embedding, embedding.operands[0][0]).tensor
