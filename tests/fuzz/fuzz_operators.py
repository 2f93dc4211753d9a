"""Random operators of the library, small enough to interpret, and random VTA cores; all from one ``random.Random``."""

from __future__ import annotations

from random import Random

from intarsia.ground import InputError
from intarsia.operators import Operator, library
from intarsia.targets.vta.config import VtaConfig

Dtypes = tuple[str, str, str]
INT8: Dtypes = ("int8", "int8", "int32")
LARGEST = 60_000
"""Iterations of an operator."""

EQUATIONS = (
    "ij,jk->ik",
    "bij,bjk->bik",
    "ij,kj->ki",
    "i,j->ij",
    "bij,kj->ibk",
    "abij,bjk->aik",
    "ijk,ijk->i",
    "i,i->i",
)


def random_contraction(random: Random, dtypes: Dtypes = INT8) -> Operator:
    """A sum of products of two tensors: convolutions of all kinds, matrix products, attention, einsum."""
    makers = (
        _conv1d,
        _conv2d,
        _conv2d,
        _conv3d,
        _grouped,
        _depthwise,
        _deconv1d,
        _deconv2d,
        _gemm,
        _matmul,
        _attention,
    )
    while True:
        try:
            operator = random.choice((*makers, _einsum))(random, dtypes)
        except InputError:  # a kernel larger than its image
            continue
        if operator.iterations <= LARGEST:
            return operator


def random_combination(random: Random, combine: str, dtypes: Dtypes) -> Operator:
    """Pooling, a reduction or an elementwise operator that combines one tensor at a time."""
    kind = {"+=": "add", "max=": "max", "min=": "min"}[combine]
    if random.random() < 0.5:
        shape = tuple(random.randint(1, 9) for _ in range(random.randint(1, 3)))
        shape_b = tuple(random.choice((e, 1)) for e in shape)
        return library.elementwise(kind, shape=shape, shape_b=shape_b, dtypes=dtypes)
    if random.random() < 0.5:
        shape = tuple(random.randint(1, 9) for _ in range(random.randint(2, 3)))
        axes = tuple(random.sample(range(len(shape)), random.randint(1, len(shape) - 1)))
        return library.reduce("sum" if kind == "add" else kind, shape=shape, axes=axes, dtypes=dtypes)
    while True:
        (h, r, sh, ph), (w, s, sw, pw) = _window(random), _window(random)
        try:
            return library.pool2d(
                "pool", combine, c=_channels(random), h=h, w=w, r=r, s=s, stride=(sh, sw), pad=(ph, pw), dtypes=dtypes
            )
        except InputError:
            continue


def random_config(random: Random) -> VtaConfig:
    """A core: the default, or any sizes that can be encoded, mostly with small buffers."""
    if random.random() < 0.15:
        return VtaConfig.default()
    while True:
        batch, block_in, block_out = random.choice((0, 0, 0, 1, 4)), random.randint(0, 5), random.randint(0, 5)
        inp, wgt = batch + block_in, block_in + block_out
        acc = batch + block_out + 2
        try:
            return VtaConfig(
                log_batch=batch,
                log_block_in=block_in,
                log_block_out=block_out,
                log_uop_buffer=random.choice((3, 5, 6, 7, 8, 10, 13)),
                log_inp_buffer=inp + random.randint(2, 10),
                log_wgt_buffer=wgt + random.randint(2, 10),
                log_acc_buffer=acc + random.randint(2, 11),
                target=random.choice(("sim", "zcu104")),
            )
        except InputError:
            continue


def _channels(random: Random) -> int:
    return random.choice((1, 1, 2, 3, random.randint(1, 9), random.randint(1, 40)))


def _window(random: Random) -> tuple[int, int, int, int]:
    """Extent of an image, of a kernel, stride and padding."""
    return random.randint(1, 9), random.randint(1, 4), random.choice((1, 1, 2, 3)), random.randint(0, 2)


def _conv1d(random: Random, dtypes: Dtypes) -> Operator:
    w, s, stride, pad = _window(random)
    sizes = {"n": random.choice((1, 1, 2, 5)), "c": _channels(random), "k": _channels(random)}
    dilation = random.choice((1, 1, 2, 3))
    return library.conv1d(**sizes, w=w + 12, s=s, stride=stride, pad=pad, dilation=dilation, dtypes=dtypes)


def _conv2d(random: Random, dtypes: Dtypes) -> Operator:
    (h, r, sh, ph), (w, s, sw, pw) = _window(random), _window(random)
    pad = random.choice(((ph, pw), (ph, pw, random.randint(0, 2), random.randint(0, 2))))
    return library.conv2d(
        n=random.choice((1, 1, 2, 3)),
        c=_channels(random),
        k=_channels(random),
        h=h,
        w=w,
        r=r,
        s=s,
        stride=(sh, sw),
        pad=pad,
        dilation=(random.choice((1, 1, 2)), random.choice((1, 1, 2))),
        dtypes=dtypes,
    )


def _conv3d(random: Random, dtypes: Dtypes) -> Operator:
    (d, t, sd, pd), (h, r, sh, ph), (w, s, sw, pw) = (_window(random) for _ in range(3))
    return library.conv3d(
        c=random.randint(1, 6),
        k=_channels(random),
        d=min(d, 4),
        h=min(h, 6),
        w=min(w, 6),
        t=min(t, 2),
        r=r,
        s=s,
        stride=(sd, sh, sw),
        pad=(pd, ph, pw),
        dtypes=dtypes,
    )


def _grouped(random: Random, dtypes: Dtypes) -> Operator:
    (h, r, sh, ph), (w, s, sw, pw) = _window(random), _window(random)
    groups = random.randint(2, 6)
    return library.conv2d(
        n=random.choice((1, 2)),
        c=groups * random.randint(1, 5),
        k=groups * random.randint(1, 5),
        groups=groups,
        h=h,
        w=w,
        r=r,
        s=s,
        stride=(sh, sw),
        pad=(ph, pw),
        dtypes=dtypes,
    )


def _depthwise(random: Random, dtypes: Dtypes) -> Operator:
    (h, r, sh, ph), (w, s, sw, pw) = _window(random), _window(random)
    return library.depthwise(
        n=random.choice((1, 2)),
        c=_channels(random),
        m=random.choice((1, 1, 3)),
        h=h,
        w=w,
        r=r,
        s=s,
        stride=(sh, sw),
        pad=(ph, pw),
        dtypes=dtypes,
    )


def _deconv1d(random: Random, dtypes: Dtypes) -> Operator:
    w, s, stride, pad = _window(random)
    return library.deconv1d(c=_channels(random), k=_channels(random), w=w, s=s, stride=stride, pad=pad, dtypes=dtypes)


def _deconv2d(random: Random, dtypes: Dtypes) -> Operator:
    (h, r, sh, ph), (w, s, sw, pw) = _window(random), _window(random)
    groups = random.choice((1, 1, 2))
    return library.deconv2d(
        c=groups * random.randint(1, 12),
        k=groups * random.randint(1, 12),
        groups=groups,
        h=h,
        w=w,
        r=r,
        s=s,
        stride=(sh, sw),
        pad=(ph, pw),
        dtypes=dtypes,
    )


def _gemm(random: Random, dtypes: Dtypes) -> Operator:
    m, n, k = (random.randint(1, 40) for _ in range(3))
    return library.gemm(m=m, n=n, k=k, ta=random.random() < 0.5, tb=random.random() < 0.5, dtypes=dtypes)


def _matmul(random: Random, dtypes: Dtypes) -> Operator:
    m, n, k = (random.randint(1, 25) for _ in range(3))
    batch = tuple(random.randint(1, 3) for _ in range(random.randint(0, 2)))
    batch_b = tuple(random.choice((e, 1)) for e in batch) if random.random() < 0.5 else ()
    transposed = {"ta": random.random() < 0.5, "tb": random.random() < 0.5}
    return library.matmul(m=m, n=n, k=k, batch=batch, batch_b=batch_b, **transposed, dtypes=dtypes)


def _attention(random: Random, dtypes: Dtypes) -> Operator:
    shared = random.randint(1, 2)
    product = random.choice((library.scores, library.values))
    q, k, d = (random.randint(1, 14) for _ in range(3))
    return product(heads=shared * random.randint(1, 3), kv_heads=shared, q=q, k=k, d=d, dtypes=dtypes)


def _einsum(random: Random, dtypes: Dtypes) -> Operator:
    equation = random.choice(EQUATIONS)
    operands = equation.split("->")[0].split(",")
    extent = {letter: random.randint(1, 12) for letter in sorted(set("".join(operands)))}
    shapes = [[extent[letter] for letter in operand] for operand in operands]
    constant = random.choice(((), ("B",), ("A",)))
    return library.einsum(equation, shapes, dtypes[:2], out=dtypes[2], constant=constant)
