"""Do the sums that gather do together what a sum that scatters does?"""

from __future__ import annotations

import numpy as np
import pytest

from intarsia.embed.stationary import gathered, roles_of
from intarsia.graph import Convolution
from intarsia.graph.convolution import input_gradient_of
from intarsia.operators import interpret, read_operator

CASES = {
    "plain": (Convolution((5, 6), (3, 3), 2, 3, (1, 1), (1, 1, 1, 1), (1, 1)), 1),
    "strided": (Convolution((7, 6), (3, 2), 2, 3, (2, 2), (1, 0, 1, 0), (1, 1)), 2),
    "strided 1x1": (Convolution((6, 6), (1, 1), 2, 4, (2, 2), (0, 0, 0, 0), (1, 1)), 1),
    "no padding": (Convolution((6, 6), (3, 3), 2, 2, (1, 1), (0, 0, 0, 0), (1, 1)), 1),
    "dilated": (Convolution((8, 7), (3, 3), 2, 2, (1, 1), (2, 2, 2, 2), (2, 2)), 1),
    "strided and dilated": (Convolution((9, 9), (3, 3), 1, 2, (2, 2), (2, 2, 2, 2), (3, 3)), 4),
    "stride and dilation share a factor": (Convolution((25,), (3,), 1, 2, (4,), (2, 2), (6,)), 2),
    "depthwise": (Convolution((5, 5), (3, 3), 3, 3, (2, 2), (1, 1, 1, 1), (1, 1), groups=3), 4),
    "grouped": (Convolution((5, 5), (3, 3), 4, 6, (1, 1), (1, 1, 1, 1), (1, 1), groups=2), 1),
    "windows side by side": (Convolution((6, 6), (2, 2), 2, 2, (2, 2), (0, 0, 0, 0), (1, 1)), 1),
    "3-D": (Convolution((3, 4, 5), (2, 2, 3), 2, 2, (1, 1, 2), (0, 1, 1, 0, 1, 1), (1, 1, 1)), 2),
}


@pytest.mark.parametrize("case", CASES)
def test_every_element_is_the_same(case: str) -> None:
    conv, parts = CASES[case]
    operator = read_operator(input_gradient_of(conv, 2, 2).spec)
    random = np.random.default_rng(7)
    inputs = {t.name: random.integers(-99, 99, t.shape).astype(np.int8) for t in operator.inputs}
    whole = interpret(operator, inputs)["I"].ravel()
    found = gathered(operator)
    assert len(found) == parts
    each = np.concatenate([interpret(part, inputs)["I"].ravel() for part in found])
    untouched = np.zeros(whole.size - each.size, dtype=whole.dtype)
    assert np.sort(whole).tolist() == np.sort(np.concatenate([each, untouched])).tolist()


def test_groups_stay_whole() -> None:
    conv, _ = CASES["grouped"]
    (part,) = gathered(read_operator(input_gradient_of(conv, 2, 2).spec))
    assert {role.batch for role in roles_of(part)} == {2}


def test_what_gathers_stays_as_it_is() -> None:
    operator = read_operator("conv2d:n=2,c=3,h=9,w=9,k=5,r=3,s=3,pad=1")
    assert gathered(operator) == (operator,)


def test_an_input_gradient_slides_like_its_convolution() -> None:
    conv, _ = CASES["plain"]
    (part,) = gathered(read_operator(input_gradient_of(conv, 2, 2).spec))
    streamed = next(role for role in roles_of(part) if role.streamed == "O")
    assert [(s.outer, s.inner, s.outer_step, s.inner_step, s.sign) for s in streamed.slides] == [
        ("oh", "kh", 1, 1, 1), ("ow", "kw", 1, 1, 1)
    ]  # fmt: skip
