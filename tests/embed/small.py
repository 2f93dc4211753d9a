"""Small operators and instructions that the tests of the axis level share."""

from __future__ import annotations

import random

from intarsia.machines import parse_instruction
from intarsia.operators import parse_operator


def gemm_unit(b, n, k):
    """o[b, n] += i[b, k] * w[n, k]."""
    return parse_instruction(
        f"instruction gemm\ngemm: b<{b} n<{n} ; k<{k}\n"
        f"  o:int32[{b}, {n}] i:int8[{b}, {k}] w:int8[{n}, {k}]\n"
        "  o[b, n] += i[b, k] * w[n, k]\nmemory o=a i=b w=c\ncycles 1\nsource test"
    )


def raw_lanes(l, j):
    """c[l] += a[l, j] * b[l, j]."""
    return parse_instruction(
        f"instruction lanes\nlanes: l<{l} ; j<{j}\n"
        f"  c:int32[{l}] a:int8[{l}, {j}] b:int8[{l}, {j}]\n"
        "  c[l] += a[l, j] * b[l, j]\nmemory c=a a=b b=c\ncycles 1\nsource test"
    )


def elementwise(a, b):
    """o[a, b] += i[a, b] * w[a, b]: two axes that any parallel axis may serve."""
    return parse_instruction(
        f"instruction lanes\nlanes: a<{a} b<{b}\n"
        f"  o:int32[{a}, {b}] i:int8[{a}, {b}] w:int8[{a}, {b}]\n"
        "  o[a, b] += i[a, b] * w[a, b]\nmemory o=a i=b w=c\ncycles 1\nsource test"
    )


def matmul(m, n, k):
    return parse_operator(
        f"mm: m<{m} n<{n} ; k<{k}\n O:int32[{m}, {n}] A:int8[{m}, {k}] B:int8[{k}, {n}] const\n"
        " O[m, n] += A[m, k] * B[k, n]"
    )


def conv1(n, oc, o, c, k, stride=1, dilation=1, pad=0):
    """A one-dimensional convolution."""
    size = (o - 1) * stride + (k - 1) * dilation + 1 - 2 * pad
    at = f"{stride}*o+{dilation}*k" + (f"-{pad}" if pad else "")
    return parse_operator(
        f"conv1: n<{n} oc<{oc} o<{o} ; c<{c} k<{k}\n"
        f" O:int32[{n}, {oc}, {o}] I:int8[{n}, {c}, {max(1, size)}] W:int8[{oc}, {c}, {k}] const\n"
        f" O[n, oc, o] += I[n, c, {at}] * W[oc, c, k]"
    )


def conv2(n, oc, h, w, c, r, s, stride=1, pad=0):
    ih, iw = (h - 1) * stride + r - 2 * pad, (w - 1) * stride + s - 2 * pad
    tail = f"-{pad}" if pad else ""
    return parse_operator(
        f"conv2: n<{n} oc<{oc} oh<{h} ow<{w} ; c<{c} kh<{r} kw<{s}\n"
        f" O:int32[{n}, {oc}, {h}, {w}] I:int8[{n}, {c}, {ih}, {iw}] W:int8[{oc}, {c}, {r}, {s}] const\n"
        f" O[n, oc, oh, ow] += I[n, c, {stride}*oh+kh{tail}, {stride}*ow+kw{tail}] * W[oc, c, kh, kw]"
    )


def depthwise(c, h, w, r, s):
    return parse_operator(
        f"dw: c<{c} oh<{h} ow<{w} ; kh<{r} kw<{s}\n"
        f" O:int32[{c}, {h}, {w}] I:int8[{c}, {h + r - 1}, {w + s - 1}] W:int8[{c}, {r}, {s}] const\n"
        " O[c, oh, ow] += I[c, oh+kh, ow+kw] * W[c, kh, kw]"
    )


def random_operator(rng: random.Random, most: int):
    """A random operator of at most so many iterations."""
    while True:
        kind = rng.choice(("matmul", "conv1", "depthwise", "conv2"))
        r = rng.randint
        match kind:
            case "matmul":
                found = matmul(r(1, 4), r(1, 4), r(1, 4))
            case "conv1":
                found = conv1(r(1, 2), r(1, 3), r(2, 4), r(1, 3), r(1, 3), r(1, 2), r(1, 2), r(0, 1))
            case "depthwise":
                found = depthwise(r(1, 2), r(1, 3), r(1, 3), r(1, 2), r(1, 3))
            case _:
                found = conv2(1, r(1, 2), r(1, 3), r(1, 3), r(1, 2), r(1, 2), r(1, 2), r(1, 2))
        if 1 < found.iterations <= most and all(d > 0 for t in found.tensors for d in t.shape):
            return found


def random_instruction(rng: random.Random, most: int):
    """A random instruction of at most so many lanes."""
    while True:
        r = rng.randint
        match rng.choice(("gemm", "lanes", "elementwise")):
            case "gemm":
                found = gemm_unit(r(1, 2), r(1, 4), r(1, 4))
            case "lanes":
                found = raw_lanes(r(1, 6), r(1, 4))
            case _:
                found = elementwise(r(1, 4), r(1, 4))
        if 1 < found.lanes <= most:
            return found
