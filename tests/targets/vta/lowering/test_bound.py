"""Is the lower bound below every program?"""

import numpy as np
import pytest

from intarsia.flow.vta import Options, compile_vta
from intarsia.operators import parse_operator
from intarsia.targets.vta import VtaConfig
from intarsia.targets.vta.lowering.bound import needed_elements

HALF_A_FACTOR = """op: m<1 n<16 ; k<8192
 O:int32[1, 16] A:int8[1, 8192] B:int8[16, 16] const
 O[m, n] += A[m, k] * B[k, n]"""
SHIFTED = """op: n<16 i<4 ; k<512
 O:int32[16, 4] A:int8[4, 16] B:int8[16, 512] const
 O[n, i] += A[i, k-500] * B[n, k]"""
TRANSPOSED = """op: y<5 a<2 ; j<2 c<3
 O:int32[9] I:int8[3, 4] W:int8[3, 3] const
 O[2*y+a-1] += I[c, y-j] * W[c, 2*j+a]"""


@pytest.mark.parametrize("text", [HALF_A_FACTOR, SHIFTED])
def test_what_meets_only_padding_is_not_read(text):
    compiled = compile_vta(parse_operator(text), Options(VtaConfig(), seconds=1.0))
    assert compiled.bound.cycles <= compiled.program.timing.cycles


@pytest.mark.parametrize("text", [HALF_A_FACTOR.replace("8192", "32"), SHIFTED, TRANSPOSED])
def test_needed_elements_are_those_of_a_plain_loop(text):
    operator = parse_operator(text)
    statement = operator.statements[0]
    found = {read.tensor: set() for read in statement.reads}
    for point in np.ndindex(*(a.extent for a in operator.axes)):
        values = dict(zip((a.name for a in operator.axes), point, strict=True))
        places = {
            access.tensor: tuple(s.constant + sum(c * values[n] for n, c in s.terms) for s in access.subscripts)
            for access in (statement.write, *statement.reads)
        }
        shapes = {name: operator.tensor(name).shape for name in places}
        if all(0 <= i < n for name, place in places.items() for i, n in zip(place, shapes[name], strict=True)):
            for name, elements in found.items():
                elements.add(places[name])
    for read in statement.reads:
        assert needed_elements(operator, statement, read) == len(found[read.tensor])
