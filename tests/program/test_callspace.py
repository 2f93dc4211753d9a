"""Which calls matter, which vectors do they read, and is what is left out padding only?"""

import random
from dataclasses import replace

import numpy as np
import pytest
from fuzz_embeddings import random_embedding
from fuzz_operators import random_contraction
from hand_made import aligned_conv, conv, flat, fused_conv, loops, skewed_depthwise

from intarsia.embed.check import check
from intarsia.embed.embedding import Embedding, batches, iterations, lane_positions
from intarsia.embed.embedding import evaluate as value_of
from intarsia.embed.fixed import fixed_embedding
from intarsia.embed.layout import gather
from intarsia.machines import find_instruction
from intarsia.operators import library
from intarsia.program import call_space


def calls_that_matter(embedding):
    """By brute force: the indices of the calls with a lane whose factors all lie inside their tensors."""
    found = set()
    names = [loop.name for loop in embedding.outer]
    for outer in batches(embedding, 4096):
        axes, defined = iterations(embedding, outer)
        live = defined.copy()
        for read in embedding.body.reads:
            shape = embedding.operator.tensor(read.tensor).shape
            for size, subscript in zip(shape, read.subscripts, strict=True):
                position = np.broadcast_to(value_of(subscript, axes), live.shape)
                live &= (position >= 0) & (position < size)
        calls = np.flatnonzero(live.any(axis=1))
        found |= (
            set(zip(*(outer[n][calls].tolist() for n in names), strict=True))
            if names
            else {()}
            if len(calls)
            else set()
        )
    return found


def calls_of(space):
    """The indices of the calls that a call space runs."""
    names = [loop.name for loop in space.embedding.outer]
    live = [loop.name for loop in (*space.reduction, *space.parallel)]
    found = set()
    for point, low, high in zip(space.ranges.points, space.ranges.low, space.ranges.high, strict=True):
        spans = [range(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True)]
        grid = (
            np.array(np.meshgrid(*spans, indexing="ij")).reshape(len(spans), -1).T if spans else np.zeros((1, 0), int)
        )
        for outputs in grid.tolist():
            at = dict(zip(live, (*point.tolist(), *outputs), strict=True))
            found.add(tuple(at.get(n, 0) for n in names))
    return found


GEMM = find_instruction("vta.gemm:1x4x8")
SIZES = {"h": 6, "w": 5, "r": 3, "s": 3}
SEPARABLE = {
    "conv": library.conv2d(c=5, k=9, pad=1, **SIZES),
    "conv, stride 2, wide padding": library.conv2d(c=5, k=9, pad=3, stride=2, **SIZES),
    "conv, asymmetric padding": library.conv2d(c=5, k=9, pad=(0, 2, 3, 1), stride=(1, 2), **SIZES),
    "conv, dilated": library.conv2d(c=5, k=9, pad=2, dilation=2, **SIZES),
    "conv, batch": library.conv2d(n=3, c=5, k=9, pad=2, **SIZES),
    "conv3d": library.conv3d(c=2, k=3, d=3, t=3, pad=1, **SIZES),
    "conv1d": library.conv1d(c=5, k=9, w=11, s=5, pad=4),
    "grouped": library.conv2d(c=6, k=9, groups=3, pad=1, **SIZES),
    "depthwise": library.depthwise(c=5, pad=1, **SIZES),
    "padding beyond the image": library.conv2d(c=2, k=3, pad=4, stride=3, h=2, w=2, r=3, s=3),
    "padding only": library.conv2d(c=2, k=9, pad=(2, 0, 0, 0), stride=9, h=3, w=3, r=2, s=2),
    "gemm": library.gemm(m=9, n=10, k=11),
    "matmul, batched": library.matmul(m=5, n=9, k=7, batch=(2, 3)),
    "attention": library.scores(heads=4, kv_heads=2, q=5, k=6, d=7),
}


@pytest.mark.parametrize("name", SEPARABLE)
def test_exactly_the_calls_that_matter(name):
    embedding = fixed_embedding(SEPARABLE[name], GEMM)
    space = call_space(embedding)
    assert calls_of(space) == calls_that_matter(embedding)
    assert space.needed == len(calls_that_matter(embedding))


def test_a_fifth_of_the_calls_of_a_small_image_reads_only_padding():
    space = call_space(aligned_conv(conv(c=16, oc=16, size=7)))
    assert (space.embedding.calls, space.needed) == (49 * 9, 19 * 19)


@pytest.mark.parametrize("seed", range(70))
def test_no_call_that_matters_is_left_out(seed):
    """Any embedding that the check accepts: mixed radix, flattened, skewed, backwards."""
    chance = random.Random(seed)
    embedding = None
    while embedding is None or embedding.calls > 20_000:
        embedding = random_embedding(chance, random_contraction(chance), GEMM)
    space = call_space(embedding)
    wanted, found = calls_that_matter(embedding), calls_of(space)
    assert wanted <= found
    assert space.needed == len(found) <= embedding.calls


@pytest.mark.parametrize("seed", range(150, 185))
def test_every_call_that_runs_reads_vectors_that_are_packed(seed):
    """Positions inside the dims and inside what is live: outside of it nothing is in memory."""
    chance = random.Random(seed)
    embedding = None
    while embedding is None or embedding.calls > 5000:
        embedding = random_embedding(chance, random_contraction(chance), GEMM)
    space = call_space(embedding)
    calls = np.array(sorted(calls_of(space)), dtype=np.int64).reshape(-1, len(embedding.outer))
    index = {loop.name: calls[:, i] for i, loop in enumerate(embedding.outer)}
    for operand in (space.written, *space.factors):
        for dim, moves, start, (first, last) in zip(
            operand.layout.dims, operand.moves, operand.starts, operand.live, strict=True
        ):
            position = start + sum((c * index[name] for name, c in moves), np.zeros(len(calls), dtype=np.int64))
            exact = np.broadcast_to(value_of(dim.value, index), position.shape)
            assert np.array_equal(position * dim.step + dim.origin, exact)
            assert (position >= 0).all()
            assert (position < dim.extent).all()
            if operand is not space.written:
                assert (position >= first).all()
                assert (position <= last).all()


@pytest.mark.parametrize("seed", range(220, 245))
def test_vectors_that_are_not_live_hold_nothing(seed):
    chance = random.Random(seed)
    embedding = None
    while embedding is None or embedding.calls > 5000:
        embedding = random_embedding(chance, random_contraction(chance), GEMM)
    for factor in call_space(embedding).factors:
        _, holds = gather(embedding, factor.access, factor.layout)
        grid = holds.any(axis=1).reshape([d.extent for d in factor.layout.dims])
        for axis, (first, last) in enumerate(factor.live):
            line = grid.any(axis=tuple(a for a in range(grid.ndim) if a != axis))
            assert not line[:first].any()
            assert not line[last + 1 :].any()


def test_loops_choose_the_result_or_accumulate():
    space = call_space(aligned_conv(conv(c=20, oc=18, size=3)))
    assert [loop.name for loop in space.parallel] == ["oc.0", "oh.0", "ow.0"]
    assert [loop.name for loop in space.reduction] == ["c.0", "kh.0", "kw.0"]


def test_taps_and_outputs_share_the_rows_of_the_image():
    image = call_space(aligned_conv(conv(c=20, oc=18, size=5, stride=2))).factors[0]
    sliding = [d for d in range(len(image.layout.dims)) if image.sliding(d)]
    assert [image.moves[d] for d in sliding] == [(("oh.0", 2), ("kh.0", 1)), (("ow.0", 2), ("kw.0", 1))]
    assert [image.live[d] for d in sliding] == [(1, 5), (1, 5)]


def test_a_skewed_window_is_one_vector_for_each_patch():
    space = call_space(skewed_depthwise())
    assert len(space.factors[0].layout.dims) >= 2
    assert calls_that_matter(space.embedding) <= calls_of(space)


def test_calls_of_an_im2col_that_read_only_padding_are_left_out():
    """A kernel row to a call: the rows above and below the image need none."""
    operator = conv(c=1, oc=4, size=4)
    embedding = replace(
        fused_conv(operator),
        loops=loops("n.0:1 oc.0:1 oh.0:4 ow.0:4 f.0:3", n="oc.1:4", k="f.1:3"),
        flats=(
            flat("n", [1], "n.0"),
            flat("oc", [4], "4*oc.0+oc.1"),
            flat("oh", [4], "oh.0"),
            flat("ow", [4], "ow.0"),
            flat("kh kw c", [3, 3, 1], "3*f.0+f.1"),
        ),
    )
    assert check(embedding).good
    space = call_space(embedding)
    assert space.needed == len(calls_that_matter(embedding)) == 4 * (3 * 4 - 2)


@pytest.mark.parametrize("channels", ["c.0", "-c.0+2"])
def test_channels_that_run_backwards_beside_flattened_axes(channels):
    """Of three blocks of channels one is beyond the last: it is left out, and not its mirror image."""
    embedding = Embedding(
        conv(c=2, oc=4, size=3),
        0,
        find_instruction("vta.gemm"),
        (("o", "O"), ("i", "I"), ("w", "W")),
        loops("oh.0:3 ow.0:3 c.0:3 kh.0:3 kw.0:3", n="f.1:4"),
        (
            flat("oc n", [4, 1], "f.1"),
            flat("oh", [3], "oh.0"),
            flat("ow", [3], "ow.0"),
            flat("c", [2], channels),
            flat("kh", [3], "kh.0"),
            flat("kw", [3], "kw.0"),
        ),
    )
    assert check(embedding).good
    assert calls_of(call_space(embedding)) == calls_that_matter(embedding)


def conv_split(outer, value):
    """A 1-D convolution whose outputs are counted by two outer loops that overshoot the image."""
    operator = library.conv1d(c=1, k=4, w=6, s=2)
    return Embedding(
        operator,
        0,
        find_instruction("vta.gemm"),
        (("o", "O"), ("i", "I"), ("w", "W")),
        loops(f"{outer} kw.0:2", n="oc.1:4"),
        (
            flat("n", [1], ""),
            flat("oc", [4], "oc.1"),
            flat("ow", [5], value),
            flat("c", [1], ""),
            flat("kw", [2], "kw.0"),
        ),
    )


def test_a_dim_that_two_parallel_loops_move_is_not_trimmed():
    """ow = ow.0 + 4*ow.1 reaches 7 while the image ends at 5: the call reads zeros that must be there."""
    embedding = conv_split("ow.0:4 ow.1:2", "ow.0+4*ow.1")
    assert check(embedding).good
    image = call_space(embedding).factors[0]
    (dim,) = [d for d, moves in enumerate(image.moves) if len(moves) == 3]
    assert image.live[dim] == (0, image.layout.dims[dim].extent - 1)


def test_a_loop_that_runs_backwards_slides():
    embedding = conv_split("ow.0:5", "-ow.0+4")
    assert check(embedding).good
    space = call_space(embedding)
    written = space.written
    (dim,) = [d for d, moves in enumerate(written.moves) if moves == (("ow.0", -1),)]
    assert written.sliding(dim)
    assert calls_of(space) == calls_that_matter(embedding)


def test_an_operand_without_dims_is_one_vector():
    embedding = fixed_embedding(library.gemm(m=1, n=4, k=4), find_instruction("vta.gemm:1x4x4"))
    space = call_space(embedding)
    assert [f.layout.vectors for f in space.factors] == [1, 1]
    assert (space.needed, space.parallel, space.reduction) == (1, (), ())
    _, _, used = lane_positions(embedding)
    assert used.any()
