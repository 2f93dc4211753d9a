"""Folding windows in place: the passes give the maximum of each window, and regions give each vector its own place."""

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from intarsia.embed.fixed import fixed_embedding
from intarsia.operators import library
from intarsia.targets.vta import VtaConfig
from intarsia.targets.vta.lowering.alu_embeddings import alu_embeddings
from intarsia.targets.vta.lowering.alu_space import alu_instruction, alu_space
from intarsia.targets.vta.lowering.alu_tiles import tiles
from intarsia.targets.vta.lowering.alu_window_shape import window_region, windows

CONFIG = VtaConfig.default()


def line(size, kernel, stride, dilation):
    """One sliding dim, channels on the lanes."""
    operator = library.pool("pool", "max=", (size,), (kernel,), c=16, stride=stride, dilation=dilation)
    return alu_space((fixed_embedding(operator, alu_instruction("max=", CONFIG), dtypes="ignore"),))


@given(st.integers(2, 9), st.integers(1, 4), st.integers(1, 4), st.integers(2, 7))
def test_passes_fold_every_window(kernel, stride, dilation, outputs):
    size = stride * (outputs - 1) + dilation * (kernel - 1) + 1
    space = line(size, kernel, stride, dilation)
    shape = windows(space)
    (slide,) = shape.slides
    values = np.random.default_rng(size).integers(-128, 128, size)
    step = slide.stride  # of the layout's positions, which leave out what no window reads
    unit = stride // step
    areas = []
    for phase in slide.phases:
        index = (phase.first + np.arange(outputs + phase.halo)) * step + phase.residue
        areas.append(values[index * unit].copy())
    for fold in shape.passes:
        to, source = areas[fold.to[0]], areas[fold.source[0]]
        for o in range(outputs + fold.extra[0]):
            to[o] = max(to[o], source[o + fold.shift])
    expected = [max(values[stride * o + dilation * k] for k in range(kernel)) for o in range(outputs)]
    assert areas[0][:outputs].tolist() == expected


def test_a_window_of_seven_takes_three_passes():
    assert len(windows(line(64, 7, 1, 1)).passes) == 3
    assert len(windows(line(64, 3, 2, 1)).passes) == 2


def test_home_is_the_phase_without_a_halo():
    (slide,) = windows(line(63, 3, 2, 1)).slides
    assert [(p.residue, p.taps) for p in slide.phases] == [(1, 1), (0, 2)]


def test_sums_are_not_folded():
    operator = library.pool("pool", "+=", (9,), (3,), c=16, dtypes=("int8", "int8", "int8"))
    assert windows(alu_space(alu_embeddings(operator, CONFIG))) is None


def test_a_region_gives_each_vector_its_own_place():
    operator = library.pool2d("pool", "max=", c=50, n=3, h=11, w=9, r=3, s=2, stride=2, pad=1)
    space = alu_space(alu_embeddings(operator, CONFIG))
    sizes = {loop.name: -(-loop.extent // 2) for loop in (*space.parallel, *space.reduction)}
    region = window_region(space.sources[0], windows(space), sizes)
    offsets = [
        sum(i // p.tile * p.outer + i % p.tile * p.inner for i, p in zip(index, region.places, strict=True))
        for index in product(*(range(p.extent) for p in region.places))
    ]
    assert len(set(offsets)) == len(offsets)
    assert 0 <= min(offsets) <= max(offsets) < region.tensors


@given(st.integers(1, 9), st.integers(1, 40), st.integers(1, 15), st.integers(0, 4))
def test_tapered_tiles_cover_every_output_once(rows, columns, tile, times):
    sizes = {"i": min(2, rows), "j": min(tile, columns)}
    seen = np.zeros((rows, columns), dtype=int)
    for part in tiles({"i": rows, "j": columns}, sizes, ("i", "j"), ("j", times)):
        low, size = part.low, part.size
        assert low["j"] // sizes["j"] == (low["j"] + size["j"] - 1) // sizes["j"]
        seen[low["i"] : low["i"] + size["i"], low["j"] : low["j"] + size["j"]] += 1
    assert (seen == 1).all()
