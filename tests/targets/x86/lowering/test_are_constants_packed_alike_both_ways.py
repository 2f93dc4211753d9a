"""Registers that lie wholly in a tensor are packed by their addresses; a table of every element says the same."""

import numpy as np
import pytest

from intarsia.machines import find_instruction
from intarsia.operators import numpy_dtype, parse_operator
from intarsia.targets.x86.lowering import constants
from intarsia.targets.x86.lowering.candidates import candidates
from intarsia.targets.x86.lowering.packed import constant_steps, order_of

OPERATORS = {
    "product": "m<12 n<96 ; k<64\n  O:int32[12, 96] A:uint8[12, 64] B:int8[64, 96] const\n"
    "  O[m, n] += A[m, k] * B[k, n]",
    "product, odd": "m<12 n<90 ; k<61\n  O:int32[12, 90] A:uint8[12, 61] B:int8[61, 90] const\n"
    "  O[m, n] += A[m, k] * B[k, n]",
    "3x3": "oc<32 oh<6 ow<6 ; c<8 kh<3 kw<3\n  O:int32[6, 6, 32] I:uint8[8, 8, 8] W:int8[32, 8, 3, 3] const\n"
    "  O[oh, ow, oc] += I[oh+kh, ow+kw, c] * W[oc, c, kh, kw]",
    "depthwise": "g<64 oh<4 ow<4 ; kh<3 kw<3\n  O:int32[4, 4, 64] I:uint8[6, 6, 64] W:int8[64, 3, 3] const\n"
    "  O[oh, ow, g] += I[oh+kh, ow+kw, g] * W[g, kh, kw]",
}


@pytest.mark.parametrize("name", OPERATORS)
def test_both_ways_give_the_same(name):
    operator = parse_operator(f"o: {OPERATORS[name]}")
    weights = next(t for t in operator.inputs if t.constant)
    array = np.random.default_rng(1).integers(-128, 128, weights.shape).astype(numpy_dtype(weights.dtype))
    addressed = 0
    for embedding in candidates(operator, find_instruction("x86.vpdpbusd"), 40):
        (operand,) = (o for o, tensor in embedding.operands if tensor == weights.name)
        parallel = tuple(loop.name for loop in embedding.outer if loop.extent > 1)
        tile = {parallel[0]: 3} if parallel else {}
        order = order_of(embedding, constant_steps(embedding, operand), parallel, tile, ())
        address = constants._whole(embedding, operand)
        table = constants._by_table(embedding, operand, order, 64, array)
        if address is not None:
            addressed += 1
            assert np.array_equal(constants._by_address(embedding, order, address, 64, array), table)
    assert (addressed > 0) == (name in {"product", "3x3"})  # the others leave lanes empty


def test_few_places_are_held_at_a_time(monkeypatch):
    operator = parse_operator(f"o: {OPERATORS['product']}")
    array = np.random.default_rng(2).integers(-128, 128, (64, 96)).astype(np.int8)
    embedding = next(
        e for e in candidates(operator, find_instruction("x86.vpdpbusd"), 40) if constants._whole(e, "b") is not None
    )
    given = (embedding, "b", tuple(loop.name for loop in embedding.outer if loop.extent > 1), {}, (), 64, array)
    whole = constants.pack_constant(*given)
    monkeypatch.setattr(constants, "AT_ONCE", 200)
    assert np.array_equal(constants.pack_constant(*given), whole)
    monkeypatch.setattr(constants, "_whole", lambda *_: None)
    assert np.array_equal(constants.pack_constant(*given), whole)
