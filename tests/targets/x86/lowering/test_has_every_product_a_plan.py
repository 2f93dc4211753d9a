"""Products and convolutions of any size have a plan for every instruction, whatever tiles its registers allow."""

import native_levels as levels
import numpy as np
import pytest

from intarsia.operators import evaluate, parse_operator, random_inputs
from intarsia.targets.x86.callable import compiled
from intarsia.targets.x86.lowering import Bound, Kernel, choose, plans

ROWS, COLUMNS = (1, 2, 3, 4, 5, 9, 17), (1, 8, 24, 35, 64, 200)


def product(m, n, k=7):
    return parse_operator(
        f"product: m<{m} n<{n} ; k<{k}\n  O:int32[{m}, {n}] I:uint8[{m}, {k}] W:int8[{k}, {n}] const\n"
        "  O[m, n] += I[m, k] * W[k, n]"
    )


def row(out, channels):
    return parse_operator(
        f"row: oc<{channels} ow<{out} ; c<5 kw<3\n"
        f"  O:int32[{out}, {channels}] I:uint8[{out + 2}, 5] W:int8[{channels}, 5, 3] const\n"
        "  O[ow, oc] += I[ow+kw, c] * W[oc, c, kw]"
    )


@pytest.mark.skipif(not levels.HAS_ZMM, reason="the processor lacks AVX512-VNNI")
def test_groups_whose_channels_fill_no_register_have_code(tmp_path):
    """Lanes beyond a group's channels are another group's, which the check refuses: twelfth comes what it does not."""
    operator = parse_operator(
        "group: g<3 oc<33 oh<8 ow<8 ; c<4 kh<3 kw<3\n"
        "  O:int32[8, 8, 99] I:uint8[8, 8, 12] W:int8[99, 4, 3, 3] const\n"
        "  O[oh, ow, 33*g+oc] += I[oh+kh-1, ow+kw-1, 4*g+c] * W[33*g+oc, c, kh, kw]"
    )
    inputs = random_inputs(operator, 0)
    function = compiled(operator, {"W": inputs["W"]}, store=tmp_path / "plans.sqlite")
    assert function.native
    assert np.array_equal(function(inputs["I"]), evaluate(operator, inputs)["O"])


@pytest.mark.parametrize("name", levels.params("avx512-vnni", "ymm", "avx-vnni", "avx2"))
def test_every_shape_has_a_plan(name, monkeypatch):
    monkeypatch.setattr(choose, "MOST_CANDIDATES", 4)
    way = levels.way_of(name)
    for operator in (*(product(m, n) for m in ROWS for n in COLUMNS), row(2, 40), row(1, 80)):
        found = plans(way.embedded(operator), way.instruction, most=1, given=way.given(operator))
        assert found, operator


@pytest.mark.parametrize("name", levels.params("ymm", "avx-vnni", "avx2"))
@pytest.mark.parametrize(("m", "n"), [(1, 200), (3, 35), (4, 24)])
def test_small_tiles_are_right(name, m, n):
    way, operator = levels.way_of(name), product(m, n, 70)
    inputs = random_inputs(operator, 0)
    ((_, plan),) = plans(way.embedded(operator), way.instruction, most=1, given=way.given(operator))
    assert plan.accumulators > 1
    out = np.zeros((m, n), np.int32)
    Bound(Kernel(plan, way.engine), inputs)(inputs, out)
    assert np.array_equal(out, evaluate(operator, inputs)["O"])
