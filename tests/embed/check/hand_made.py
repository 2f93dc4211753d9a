"""Embeddings made by hand, to be proved right, to be run, and to be spoilt."""

from intarsia.embed.embedding import Embedding, Flat, Loop
from intarsia.machines import find_instruction, parse_instruction
from intarsia.operators import Affine, parse_operator

ZERO = Affine((), 0)


def affine(text):
    """``4*a+b-1`` without a parser's care."""
    terms, constant = [], 0
    for part in text.replace("-", "+-").split("+"):
        if not part:
            continue
        sign = -1 if part.startswith("-") else 1
        factor, _, name = part.lstrip("-").rpartition("*")
        if name.isdigit():
            constant += sign * int(name)
        else:
            terms.append((name, sign * int(factor or 1)))
    return Affine(tuple(terms), constant)


def flat(axes, extents, value, shifts=None):
    """A flat from texts."""
    shifts = shifts or [""] * len(axes.split())
    return Flat(tuple(axes.split()), tuple(extents), affine(value), tuple(affine(s) for s in shifts))


def loops(outer, **lanes):
    """``"a:2 b:3"`` outer, and the digits on each instruction axis, least significant first."""
    found = [Loop(n, int(e)) for n, e in (p.split(":") for p in outer.split())]
    for axis, text in lanes.items():
        found += [Loop(n, int(e), axis) for n, e in (p.split(":") for p in text.split())]
    return tuple(found)


def instruction(name):
    """From the catalogue."""
    return find_instruction(name)


def conv(pad=1, stride=1, c=20, oc=18, size=6):
    out = (size + 2 * pad - 3) // stride + 1
    return parse_operator(f"""conv: n<1 oc<{oc} oh<{out} ow<{out} ; c<{c} kh<3 kw<3
  O:int32[1, {oc}, {out}, {out}] I:int8[1, {c}, {size}, {size}] W:int8[{oc}, {c}, 3, 3] const
  O[n, oc, oh, ow] += I[n, c, {stride}*oh+kh-{pad}, {stride}*ow+kw-{pad}] * W[oc, c, kh, kw]""")


def aligned_conv(operator=None):
    """The fixed embedding: channels on lanes, everything else outside."""
    operator = operator or conv()
    e = {a.name: a.extent for a in operator.axes}
    return Embedding(
        operator,
        0,
        instruction("vta.gemm"),
        (("o", "O"), ("i", "I"), ("w", "W")),
        loops(
            f"n.0:{e['n']} oc.0:{-(-e['oc'] // 16)} oh.0:{e['oh']} ow.0:{e['ow']} c.0:{-(-e['c'] // 16)} kh.0:3 kw.0:3",
            n="oc.1:16",
            k="c.1:16",
        ),
        (
            flat("n", [e["n"]], "n.0"),
            flat("oc", [e["oc"]], "16*oc.0+oc.1"),
            flat("oh", [e["oh"]], "oh.0"),
            flat("ow", [e["ow"]], "ow.0"),
            flat("c", [e["c"]], "16*c.0+c.1"),
            flat("kh", [3], "kh.0"),
            flat("kw", [3], "kw.0"),
        ),
    )


def fused_conv(operator=None):
    """im2col: kh, kw and c flattened on k."""
    operator = operator or conv(c=3, pad=1, stride=2)
    e = {a.name: a.extent for a in operator.axes}
    count = 9 * e["c"]
    return Embedding(
        operator,
        0,
        instruction("vta.gemm"),
        (("o", "O"), ("i", "I"), ("w", "W")),
        loops(
            f"n.0:{e['n']} oc.0:{-(-e['oc'] // 16)} oh.0:{e['oh']} ow.0:{e['ow']} f.0:{-(-count // 16)}",
            n="oc.1:16",
            k="f.1:16",
        ),
        (
            flat("n", [e["n"]], "n.0"),
            flat("oc", [e["oc"]], "16*oc.0+oc.1"),
            flat("oh", [e["oh"]], "oh.0"),
            flat("ow", [e["ow"]], "ow.0"),
            flat("kh kw c", [3, 3, e["c"]], "16*f.0+f.1"),
        ),
    )


def depthwise(size=6, channels=2):
    return parse_operator(f"""dw: c<{channels} oh<{size} ow<{size} ; kh<3 kw<3
  O:int32[{channels}, {size}, {size}] I:int8[{channels}, {size}, {size}] W:int8[{channels}, 3, 3] const
  O[c, oh, ow] += I[c, oh+kh-1, ow+kw-1] * W[c, kh, kw]""")


def skewed_depthwise(operator=None, extents=(6, 6)):
    """A 4x4 patch of outputs on n, its 6x6 window flattened on k: the weights are a banded matrix."""
    operator = operator or depthwise()
    e = {a.name: a.extent for a in operator.axes}
    window = extents[0] * extents[1]
    return Embedding(
        operator,
        0,
        instruction("vta.gemm"),
        (("o", "O"), ("i", "I"), ("w", "W")),
        loops(
            f"c.0:{e['c']} oh.0:{-(-e['oh'] // 4)} ow.0:{-(-e['ow'] // 4)} t.0:{-(-window // 16)}",
            n="oh.1:4 ow.1:4",
            k="t.1:16",
        ),
        (
            flat("c", [e["c"]], "c.0"),
            flat("oh", [e["oh"]], "4*oh.0+oh.1"),
            flat("ow", [e["ow"]], "4*ow.0+ow.1"),
            flat("kh kw", extents, "16*t.0+t.1", ["-oh.1", "-ow.1"]),
        ),
    )


def matmul(m=5, n=20, k=37):
    operator = parse_operator(f"""matmul: m<{m} n<{n} ; k<{k}
  C:int32[{m}, {n}] A:int8[{m}, {k}] B:int8[{k}, {n}]
  C[m, n] += A[m, k] * B[k, n]""")
    return Embedding(
        operator,
        0,
        instruction("vta.gemm"),
        (("o", "C"), ("i", "A"), ("w", "B")),
        loops(f"m.0:{m} n.0:{-(-n // 16)} k.0:{-(-k // 16)}", n="n.1:16", k="k.1:16"),
        (flat("m", [m], "m.0"), flat("n", [n], "16*n.0+n.1"), flat("k", [k], "16*k.0+k.1")),
    )


def grouped_conv():
    """Groups and output channels on the lanes of vpdpbusd, input channels on its four."""
    operator = parse_operator("""grouped: g<6 oc<4 oh<4 ow<4 ; c<4 kh<3 kw<3
  O:int32[24, 4, 4] I:uint8[24, 6, 6] W:int8[24, 4, 3, 3] const
  O[4*g+oc, oh, ow] += I[4*g+c, oh+kh, ow+kw] * W[4*g+oc, c, kh, kw]""")
    return Embedding(
        operator,
        0,
        instruction("x86.vpdpbusd"),
        (("c", "O"), ("a", "I"), ("b", "W")),
        loops("g.0:2 oh.0:4 ow.0:4 kh.0:3 kw.0:3", l="oc.0:4 g.1:4", j="c.0:4"),
        (
            flat("g", [6], "4*g.0+g.1"),
            flat("oc", [4], "oc.0"),
            flat("oh", [4], "oh.0"),
            flat("ow", [4], "ow.0"),
            flat("c", [4], "c.0"),
            flat("kh", [3], "kh.0"),
            flat("kw", [3], "kw.0"),
        ),
    )


def pooling(taps=3):
    """Maximum pooling; more taps than three overflow the window."""
    operator = parse_operator("""pool: c<20 oh<3 ow<3 ; kh<3 kw<3
  O:int32[20, 3, 3] I:int32[20, 7, 7] pad=-2147483648
  O[c, oh, ow] max= I[c, 2*oh+kh, 2*ow+kw]""")
    return Embedding(
        operator,
        0,
        instruction("vta.alu.max"),
        (("d", "O"), ("s", "I")),
        loops(f"c.0:2 oh.0:3 ow.0:3 kh.0:{taps} kw.0:3", n="c.1:16"),
        (
            flat("c", [20], "16*c.0+c.1"),
            flat("oh", [3], "oh.0"),
            flat("ow", [3], "ow.0"),
            flat("kh", [3], "kh.0"),
            flat("kw", [3], "kw.0"),
        ),
    )


def float_matmul(dtype="float16"):
    """The warp-wide matrix product of a GPU, or one of the same shape on bfloat16."""
    name = "nvidia.mma.m16n8k16"
    chosen = find_instruction(name)
    if dtype != "float16":
        chosen = parse_instruction(str(chosen).replace("float16", dtype))
    operator = parse_operator(f"""matmul: m<18 n<9 ; k<20
  C:float32[18, 9] A:{dtype}[18, 20] B:{dtype}[20, 9]
  C[m, n] += A[m, k] * B[k, n]""")
    return Embedding(
        operator,
        0,
        chosen,
        (("d", "C"), ("a", "A"), ("b", "B")),
        loops("m.0:2 n.0:2 k.0:2", m="m.1:16", n="n.1:8", k="k.1:16"),
        (flat("m", [18], "16*m.0+m.1"), flat("n", [9], "8*n.0+n.1"), flat("k", [20], "16*k.0+k.1")),
    )


ALL = {
    "aligned conv": aligned_conv,
    "aligned conv, stride 2": lambda: aligned_conv(conv(stride=2)),
    "fused conv": fused_conv,
    "fused conv, no padding": lambda: fused_conv(conv(pad=0, c=3)),
    "skewed depthwise": skewed_depthwise,
    "matmul": matmul,
    "grouped conv": grouped_conv,
    "maximum pooling": pooling,
    "float16 matmul": float_matmul,
    "bfloat16 matmul": lambda: float_matmul("bfloat16"),
}
