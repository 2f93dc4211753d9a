"""Random operators for Hypothesis: small boxes, any affine accesses, reads and writes that leave their tensors."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

from intarsia.operators import Access, Affine, Axis, Operator, Statement, Tensor, greatest, least

patient = settings(deadline=None)
"""The machine may be busy: how long one example takes says nothing."""

INTEGERS = ["int8", "uint8", "int16", "int32"]
FLOATS = ["float16", "bfloat16", "float32"]
AXES = ["i", "j", "k", "oc", "kh", "x_1", "max", "const"]


@st.composite
def affines(draw, axes, must=()):
    extra = draw(st.lists(st.sampled_from(axes), max_size=2, unique=True)) if axes else []
    names = list(dict.fromkeys([*must, *extra]))
    nonzero = st.integers(-3, 3).filter(bool)
    return Affine(tuple((a, draw(nonzero)) for a in names), draw(st.integers(-3, 5)))


def pads(dtype):
    if "float" in dtype:
        return st.sampled_from([0.0, 1.5, -2.0, float("inf"), -float("inf")])
    return st.integers(int(least(dtype)), int(greatest(dtype)))


@st.composite
def tensors(draw, name, dtypes, rank=None):
    rank = draw(st.integers(0, 3)) if rank is None else rank
    dtype = draw(st.sampled_from(dtypes))
    shape = tuple(draw(st.lists(st.integers(1, 6), min_size=rank, max_size=rank)))
    return Tensor(name, dtype, shape, draw(st.just(0) | pads(dtype)), draw(st.booleans()))


@st.composite
def outputs(draw, name, dtypes, parallel):
    tensor = draw(tensors(name, dtypes, draw(st.integers(1 if parallel else 0, 3))))
    homes = [[] for _ in tensor.shape]
    for axis in parallel:
        homes[draw(st.integers(0, len(homes) - 1))].append(axis)
    return tensor, homes


@st.composite
def operators(draw, *, kinds=(INTEGERS, FLOATS), combines=("+=", "max=", "min="), most=4, longest=4):
    dtypes = draw(st.sampled_from(list(kinds)))
    names = draw(st.lists(st.sampled_from(AXES), max_size=most, unique=True))
    cut = draw(st.integers(0, len(names)))
    roles = ["parallel"] * cut + ["reduction"] * (len(names) - cut)
    axes = tuple(Axis(a, draw(st.integers(1, longest)), r) for a, r in zip(names, roles, strict=True))
    written = [draw(outputs(n, dtypes, names[:cut])) for n in ("O", "P")[: draw(st.integers(1, 2))]]
    combine = {t.name: draw(st.sampled_from(list(combines))) for t, _ in written}
    read = [draw(tensors(n, dtypes)) for n in ("A", "B", "i")[: draw(st.integers(1, 3))]]
    statements = []
    for tensor, homes in written * draw(st.integers(1, 2)):
        write = Access(tensor.name, tuple(draw(affines([], must=home)) for home in homes))
        chosen = draw(st.lists(st.sampled_from(read), min_size=1, max_size=3))
        reads = tuple(Access(t.name, tuple(draw(affines(names)) for _ in t.shape)) for t in chosen)
        statements.append(Statement(write, combine[tensor.name], reads))
    used = {a.tensor for s in statements for a in s.reads}
    all_tensors = (*(t for t, _ in written), *(t for t in read if t.name in used))
    return Operator("op", axes, all_tensors, tuple(statements))
