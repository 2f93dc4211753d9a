import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from random_operators import patient

from intarsia.ground.errors import InputError
from intarsia.operators import evaluate, interpret, parse_operator, random_inputs
from intarsia.operators.library import (
    conv,
    conv1d,
    conv2d,
    conv3d,
    deconv,
    deconv2d,
    depthwise,
    einsum,
    elementwise,
    gemm,
    matmul,
    pool,
    pool2d,
    reduce,
    scores,
    values,
)


def run(op, seed=0):
    """Inputs as int64 and the one output; the operator must survive its own text."""
    assert parse_operator(str(op)) == op
    inputs = random_inputs(op, seed)
    (out,) = interpret(op, inputs).values()
    return {name: array.astype(np.int64) for name, array in inputs.items()}, out


def plain_conv(x, w, stride, pads, dilation, groups):
    """A convolution by its definition, one output position at a time."""
    x = np.pad(x, [(0, 0), (0, 0), *pads])
    kernel = w.shape[2:]
    out = [(e - d * (f - 1) - 1) // s + 1 for e, f, s, d in zip(x.shape[2:], kernel, stride, dilation, strict=True)]
    result = np.zeros((x.shape[0], w.shape[0], *out), np.int64)
    each_k, each_c = w.shape[0] // groups, w.shape[1]
    for at in np.ndindex(*out):
        window = tuple(
            slice(o * s, o * s + d * (f - 1) + 1, d) for o, s, d, f in zip(at, stride, dilation, kernel, strict=True)
        )
        for oc in range(w.shape[0]):
            first = oc // each_k * each_c
            seen = x[(slice(None), slice(first, first + each_c), *window)]
            result[(slice(None), oc, *at)] = (seen * w[oc]).reshape(len(x), -1).sum(1)
    return result


@st.composite
def convolutions(draw):
    n = draw(st.integers(1, 3))

    def small(low, high):
        return tuple(draw(st.integers(low, high)) for _ in range(n))

    return {
        "size": small(1, 6),
        "kernel": small(1, 3),
        "stride": small(1, 3),
        "dilation": small(1, 2),
        "pad": small(0, 2) + small(0, 2),
        "groups": draw(st.integers(1, 3)),
        "c": draw(st.integers(1, 2)),
        "k": draw(st.integers(1, 2)),
        "n": draw(st.integers(1, 2)),
    }


@patient
@given(convolutions())
def test_convolutions_are_the_definition(p):
    dimensions = len(p["size"])
    pads = list(zip(p["pad"][:dimensions], p["pad"][dimensions:], strict=True))
    reach = [d * (f - 1) + 1 for f, d in zip(p["kernel"], p["dilation"], strict=True)]
    assume(all(r <= e + sum(q) for r, e, q in zip(reach, p["size"], pads, strict=True)))
    op = conv("c", **(p | {"c": p["c"] * p["groups"], "k": p["k"] * p["groups"]}))
    inputs, out = run(op)
    assert np.array_equal(out, plain_conv(inputs["I"], inputs["W"], p["stride"], pads, p["dilation"], p["groups"]))


def plain_deconv(x, w, stride, pads, extra, groups):
    """A transposed convolution by scattering every input, then cutting the padding off."""
    kernel, each_c, each_k = w.shape[2:], w.shape[0] // groups, w.shape[1]
    full = [(e - 1) * s + f + o for e, s, f, o in zip(x.shape[2:], stride, kernel, extra, strict=True)]
    result = np.zeros((x.shape[0], groups * each_k, *full), np.int64)
    for c in range(w.shape[0]):
        first = c // each_c * each_k
        for at in np.ndindex(*x.shape[2:]):
            window = tuple(slice(i * s, i * s + f) for i, s, f in zip(at, stride, kernel, strict=True))
            part = x[(slice(None), c, *at)].reshape(-1, *(1,) * (1 + len(kernel))) * w[c]
            result[(slice(None), slice(first, first + each_k), *window)] += part
    cut = tuple(slice(before, e - after) for (before, after), e in zip(pads, full, strict=True))
    return result[(slice(None), slice(None), *cut)]


@patient
@given(convolutions(), st.data())
def test_transposed_convolutions_are_the_definition(p, data):
    extra = tuple(data.draw(st.integers(0, s - 1)) for s in p["stride"])
    dimensions = len(p["size"])
    pads = list(zip(p["pad"][:dimensions], p["pad"][dimensions:], strict=True))
    columns = zip(p["size"], p["kernel"], p["stride"], pads, extra, strict=True)
    assume(all((e - 1) * s + f - sum(q) + o > 0 for e, f, s, q, o in columns))
    channels = {"c": p["c"] * p["groups"], "k": p["k"] * p["groups"], "dilation": 1, "output_padding": extra}
    inputs, out = run(deconv("d", **(p | channels)))
    assert np.array_equal(out, plain_deconv(inputs["I"], inputs["W"], p["stride"], pads, extra, p["groups"]))


def test_texts():
    assert str(conv2d(c=3, h=224, w=224, k=64, r=7, s=7, stride=2, pad=3, dtypes=("uint8", "int8", "int32"))) == (
        "conv2d: n<1 oc<64 oh<112 ow<112 ; c<3 kh<7 kw<7\n"
        "  O:int32[1, 64, 112, 112] I:uint8[1, 3, 224, 224] W:int8[64, 3, 7, 7] const\n"
        "  O[n, oc, oh, ow] += I[n, c, 2*oh+kh-3, 2*ow+kw-3] * W[oc, c, kh, kw]"
    )
    assert str(conv1d(c=4, w=9, k=6, s=3, groups=2)) == (
        "conv1d: n<1 g<2 oc<3 ow<7 ; c<2 kw<3\n"
        "  O:int32[1, 6, 7] I:int8[1, 4, 9] W:int8[6, 2, 3] const\n"
        "  O[n, 3*g+oc, ow] += I[n, 2*g+c, ow+kw] * W[3*g+oc, c, kw]"
    )
    assert str(depthwise(c=4, h=9, w=9, r=3, s=3, pad=1)).splitlines()[0] == "depthwise: n<1 g<4 oh<9 ow<9 ; kh<3 kw<3"
    assert str(depthwise(c=4, h=9, w=9, r=3, s=3, m=2)).splitlines() == [
        "depthwise: n<1 g<4 m<2 oh<7 ow<7 ; kh<3 kw<3",
        "  O:int32[1, 8, 7, 7] I:int8[1, 4, 9, 9] W:int8[8, 1, 3, 3] const",
        "  O[n, 2*g+m, oh, ow] += I[n, g, oh+kh, ow+kw] * W[2*g+m, 0, kh, kw]",
    ]
    assert str(deconv2d(c=3, h=4, w=4, k=5, r=4, s=3, stride=(2, 1), pad=(1, 1))).splitlines() == [
        "deconv2d: n<1 oc<5 yh<5 ah<2 yw<4 ; c<3 jh<2 jw<3",
        "  O:int32[1, 5, 8, 4] I:int8[1, 3, 4, 4] W:int8[3, 5, 4, 3] const",
        "  O[n, oc, 2*yh+ah-1, yw] += I[n, c, yh-jh, yw-jw+1] * W[c, oc, 2*jh+ah, jw]",
    ]
    assert str(gemm(m=2, n=3, k=4, ta=True)).splitlines()[1:] == [
        "  O:int32[2, 3] A:int8[4, 2] const B:int8[4, 3]",
        "  O[m, n] += A[k, m] * B[k, n]",
    ]
    assert str(matmul(m=2, n=3, k=4, batch=(5,), tb=True)).splitlines() == [
        "matmul: b<5 m<2 n<3 ; k<4",
        "  O:int32[5, 2, 3] A:int8[5, 2, 4] B:int8[3, 4] const",
        "  O[b, m, n] += A[b, m, k] * B[n, k]",
    ]
    assert str(elementwise("add", shape=(2, 3))).splitlines()[2:] == ["  O[i, j] += A[i, j]", "  O[i, j] += B[i, j]"]


@pytest.mark.parametrize("ta", [False, True])
@pytest.mark.parametrize("tb", [False, True])
@pytest.mark.parametrize("batches", [((), ()), ((2,), ()), ((2, 1), (3,)), ((1,), (4,)), ((), (2, 3))])
def test_matrix_products(ta, tb, batches):
    inputs, out = run(matmul(m=2, n=3, k=4, ta=ta, tb=tb, batch=batches[0], batch_b=batches[1]))
    a, b = inputs["A"], inputs["B"]
    assert np.array_equal(out, (a.swapaxes(-1, -2) if ta else a) @ (b.swapaxes(-1, -2) if tb else b))


def test_constant_operands():
    def constants(op):
        return [t.name for t in op.tensors if t.constant]

    assert constants(gemm(m=1, n=1, k=1)) == ["A"]
    assert constants(matmul(m=1, n=1, k=1)) == ["B"]
    assert constants(matmul(m=1, n=1, k=1, batch=(2,))) == ["B"]
    assert constants(matmul(m=1, n=1, k=1, batch=(2,), batch_b=(2,))) == []
    assert constants(matmul(m=1, n=1, k=1, constant="none")) == []
    assert constants(conv2d(c=1, h=1, w=1, k=1, r=1, s=1)) == ["W"]
    assert constants(einsum("ij,jk", [(2, 3), (3, 2)], constant=["B"])) == ["B"]


@pytest.mark.parametrize(("combine", "best"), [("max=", np.max), ("min=", np.min), ("+=", np.sum)])
def test_pooling(combine, best):
    op = pool("p", combine, (7, 8), (3, 2), c=2, n=2, stride=(2, 3), pad=(1, 0, 2, 1), dtypes=("int8", "int8", "int32"))
    inputs, out = run(op)
    pad = {"max=": -128, "min=": 127, "+=": 0}[combine]
    x = np.pad(inputs["I"], [(0, 0), (0, 0), (1, 2), (0, 1)], constant_values=pad)
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 2), (2, 3))[:, :, ::2, ::3]
    assert np.array_equal(out, best(windows, axis=(-1, -2)))


def test_pooling_windows_lie_side_by_side_by_default():
    assert pool2d("p", "max=", c=1, h=9, w=8, r=3, s=2).outputs[0].shape == (1, 1, 3, 4)


@pytest.mark.parametrize("shapes", [((2, 3), (2, 3)), ((2, 3), (3,)), ((4, 1), (2, 1, 3)), ((), ())])
@pytest.mark.parametrize(
    ("kind", "function"), [("add", np.add), ("mul", np.multiply), ("max", np.maximum), ("min", np.minimum)]
)
def test_elementwise(kind, function, shapes):
    inputs, out = run(elementwise(kind, shape=shapes[0], shape_b=shapes[1]))
    assert np.array_equal(out, function(inputs["A"], inputs["B"]))


@pytest.mark.parametrize("axes", [(0,), (1, -1), (), (0, 1, 2)])
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize(("kind", "function"), [("sum", np.sum), ("max", np.max), ("min", np.min)])
def test_reductions(kind, function, axes, keep):
    inputs, out = run(reduce(kind, shape=(2, 3, 4), axes=axes, keep=keep))
    assert np.array_equal(out, function(inputs["I"], axis=axes, keepdims=keep))


@pytest.mark.parametrize("kv_heads", [0, 1, 2, 4])
def test_attention(kv_heads):
    inputs, out = run(scores(b=2, heads=4, kv_heads=kv_heads, q=3, k=5, d=6))
    shared = np.repeat(inputs["K"], 4 // (kv_heads or 4), axis=1)
    assert np.array_equal(out, inputs["Q"] @ shared.swapaxes(-1, -2))
    inputs, out = run(values(b=2, heads=4, kv_heads=kv_heads, q=3, k=5, d=6))
    assert np.array_equal(out, inputs["P"] @ np.repeat(inputs["V"], 4 // (kv_heads or 4), axis=1))


@pytest.mark.parametrize(
    "equation", ["bij,bjk->bik", "ij,jk", "ii->i", "ii", "ij->ji", "i,j->ij", "abc,ad,bd->cd", "ij->", ",i->i"]
)
def test_einsum(equation):
    sizes = dict(zip("abcdijk", (2, 3, 4, 5, 3, 4, 2), strict=True))
    shapes = [[sizes[x] for x in letters] for letters in equation.split("->")[0].split(",")]
    op = einsum(equation, shapes)
    inputs, out = run(op)
    assert np.array_equal(out, np.einsum(equation, *inputs.values()))
    assert np.array_equal(out, evaluate(op, random_inputs(op, 0))["O"])


SMALL = {"c": 4, "h": 5, "w": 5, "k": 4, "r": 3, "s": 3}
BAD = [
    (lambda: conv2d(**SMALL | {"c": 0}), "conv2d: c must be positive: 0; allowed: integers from 1"),
    (lambda: conv2d(**SMALL | {"h": -1}), "conv2d: h must be positive: -1; allowed: integers from 1"),
    (
        lambda: conv2d(**SMALL | {"s": 7}, pad=(0, 0, 0, 1)),
        "the padded input along w: 7 > 6; try: a smaller kernel or dilation, or more padding",
    ),
    (lambda: conv2d(**SMALL, groups=3), "conv2d: groups do not divide c: 4 / 3"),
    (lambda: conv2d(**SMALL | {"k": 6}, groups=4), "conv2d: groups do not divide k: 6 / 4"),
    (lambda: conv2d(**SMALL, stride=0), "conv2d: stride[0] must be positive: 0; allowed: integers from 1"),
    (lambda: conv2d(**SMALL, stride=(1, 2, 3)), "conv2d: stride has 3 values: 1x2x3; allowed: 1 or 2"),
    (lambda: conv2d(**SMALL, pad=-1), "conv2d: pad must not be negative: -1; allowed: integers from 0"),
    (
        lambda: conv2d(**SMALL, pad=(1, 2, 3)),
        "conv2d: pad has 3 values: 1x2x3; allowed: 1, 2 or 4 (all befores, then all afters)",
    ),
    (lambda: deconv2d(**SMALL, dilation=2), "deconv2d: dilation of a transposed convolution: 2; allowed: 1"),
    (
        lambda: deconv2d(**SMALL, stride=2, output_padding=2),
        "deconv2d: output_padding out of range: 2x2; allowed: integers from 0, below the stride 2x2",
    ),
    (lambda: deconv2d(**SMALL, pad=4), "deconv2d: output h must be positive: -1; allowed: integers from 1"),
    (lambda: gemm(m=1, n=0, k=1), "gemm: n must be positive: 0; allowed: integers from 1"),
    (lambda: gemm(m=1, n=1, k=1, constant="c"), "gemm: unknown constant operand: c; allowed: a, b, none"),
    (
        lambda: matmul(m=1, n=1, k=1, batch=(2,), batch_b=(3,)),
        "matmul: the batches do not broadcast: 2 and 3; allowed: equal extents, or 1",
    ),
    (
        lambda: elementwise("add", shape=(2, 3), shape_b=(2,)),
        "add: the shapes do not broadcast: 2x3 and 2; allowed: equal extents, or 1",
    ),
    (lambda: elementwise("add", shape=(1,) * 9), "add: too many dimensions: 9; allowed: at most 8"),
    (
        lambda: reduce("sum", shape=(2, 3), axes=(2,)),
        "reduce.sum: axes out of range or repeated: 2; allowed: different integers from -2 to 1",
    ),
    (lambda: reduce("sum", shape=(2, 3), axes=(1, -1)), "reduce.sum: axes out of range or repeated: 1x-1"),
    (lambda: scores(heads=4, kv_heads=3, q=1, k=1, d=1), "attention.scores: kv_heads do not divide heads: 4 / 3"),
    (lambda: einsum("...i->i", [(2,)]), "einsum: an ellipsis: ...i->i; try: name every dimension by a letter"),
    (lambda: einsum("i1->i", [(2,)]), "einsum: not an einsum equation: i1->i; try: bij,bjk->bik"),
    (lambda: einsum("ij->ii", [(2, 3)]), "einsum: the output repeats a letter: i"),
    (lambda: einsum("ij->k", [(2, 3)]), "einsum: the output has a letter that no operand has: k; allowed: i, j"),
    (lambda: einsum("ij,jk->ik", [(2, 3), (4, 2)]), "einsum: letter j has two extents: 3 and 4"),
    (lambda: einsum("ij->i", [(2, 3, 4)]), "einsum: operand A has 2 letters and 3 dimensions: ij"),
    (lambda: einsum("ij->i", []), "einsum: 1 operands, 0 shapes: ij->i"),
    (lambda: einsum("ij->i", [(2, 3)], constant=["B"]), "einsum: unknown constant operand: B; allowed: A"),
    (
        lambda: conv3d(c=512, d=1024, h=1024, w=8, k=1, t=1, r=1, s=1, dtypes=("int16", "int8", "int32")),
        "tensor 'I' has 8589934592 bytes, beyond 32-bit addresses; allowed: at most 4294967296 bytes",
    ),
]


@pytest.mark.parametrize(("build", "message"), BAD, ids=[message for _, message in BAD])
def test_bad_parameters_are_refused(build, message):
    with pytest.raises(InputError) as caught:
        build()
    assert message in str(caught.value)
