"""Are a convolution's three contractions the same work, and are its gradients' specs really its gradients?"""

from __future__ import annotations

from math import prod

import numpy as np
import pytest

from intarsia.graph import Convolution
from intarsia.graph.convolution import input_gradient_of, result_of, weight_gradient_of
from intarsia.operators import interpret, read_operator

CASES = {
    "plain 3x3": Convolution((5, 6), (3, 3), 2, 3, (1, 1), (1, 1, 1, 1), (1, 1)),
    "strided": Convolution((7, 6), (3, 2), 2, 3, (2, 2), (1, 0, 1, 0), (1, 1)),
    "strided 1x1": Convolution((6, 6), (1, 1), 2, 4, (2, 2), (0, 0, 0, 0), (1, 1)),
    "uneven padding": Convolution((5, 5), (2, 3), 1, 2, (1, 2), (1, 0, 0, 2), (1, 1)),
    "dilated": Convolution((8, 7), (3, 3), 2, 2, (1, 1), (2, 2, 2, 2), (2, 2)),
    "grouped": Convolution((5, 5), (3, 3), 4, 6, (1, 1), (1, 1, 1, 1), (1, 1), groups=2),
    "depthwise": Convolution((5, 5), (3, 3), 3, 3, (2, 2), (1, 1, 1, 1), (1, 1), groups=3),
    "1-D": Convolution((9,), (4,), 2, 3, (2,), (1, 2), (1,)),
    "3-D": Convolution((3, 4, 5), (2, 2, 3), 2, 2, (1, 1, 2), (0, 1, 1, 0, 1, 1), (1, 1, 1)),
    "several images": Convolution((4, 4), (3, 3), 2, 2, (1, 1), (1, 1, 1, 1), (1, 1), images=3),
}
MAKERS = (result_of, input_gradient_of, weight_gradient_of)


@pytest.mark.parametrize("case", CASES)
def test_specs_are_read_and_have_the_operations_of_their_contractions(case):
    for make in MAKERS:
        work = make(CASES[case], 2, 2)
        assert 2 * read_operator(work.spec).iterations == work.flops == result_of(CASES[case], 2, 2).flops


@pytest.mark.parametrize("case", CASES)
def test_gradients_are_the_adjoints_of_the_convolution(case):
    """<D, conv(I, W)> = <input gradient(D, W), I> = <weight gradient(D, I), W>, exactly, in integers."""
    conv, random = CASES[case], np.random.default_rng(7)
    n = 2 * conv.images

    def drawn(*shape):
        return random.integers(-4, 5, shape).astype(np.int8)

    image, weights = drawn(n, conv.c, *conv.size), drawn(conv.k, conv.c // conv.groups, *conv.kernel)
    gradient = drawn(n, conv.k, *conv.windows)
    forward, back, weight = (read_operator(make(conv, 2, 2).spec) for make in MAKERS)
    result = interpret(forward, {"I": image, "W": weights})["O"]
    by_input = interpret(back, {"O": gradient, "W": weights})["I"]
    by_weight = interpret(weight, {"O": gradient, "I": image})["W"]
    assert result.shape == gradient.shape
    expected = int((result.astype(np.int64) * gradient).sum())
    assert int((by_input.astype(np.int64) * image).sum()) == expected
    assert int((by_weight.astype(np.int64) * weights).sum()) == expected


def test_bytes_count_each_element_once():
    conv = CASES["plain 3x3"]
    image, weights, result = 2 * 5 * 6, 2 * 3 * 9, 3 * 5 * 6
    assert result_of(conv, 4, 2).bytes_moved == 2 * (4 * image + weights + 4 * result)
    assert weight_gradient_of(conv, 4, 2).bytes_moved == 2 * 4 * (image + result) + 8 * weights


def test_one_tap_without_stride_is_a_plain_product():
    conv = Convolution((4, 5), (1, 1), 8, 6, (1, 1), (0, 0, 0, 0), (1, 1))
    for make in MAKERS:
        work = make(conv, 3, 2)
        assert (work.spec, work.unique_bytes) == ("", 0)
    product = result_of(conv, 3, 2)
    assert (product.m, product.n, product.k) == (3 * 4 * 5, 6, 8)
    assert product.bytes_moved == 2 * (3 * prod(conv.size) * (8 + 6) + 8 * 6)
