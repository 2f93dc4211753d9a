"""Which parallel axes may carry digits: ONE HOME alone."""

from __future__ import annotations

import random
from itertools import product

import pytest
from odd import odd_operator, smeared
from small import conv2, gemm_unit, matmul

from intarsia.embed import Embedding, EmbeddingProblem, Flat, Loop
from intarsia.embed.check import check
from intarsia.embed.constraints import OneHome, Rules
from intarsia.embed.operands import assignments
from intarsia.operators import Affine, parse_operator


def family(operator):
    return OneHome(operator, operator.statements[0])


def writing(subscript, **extents):
    """An operator that writes at one subscript."""
    box = " ".join(f"{name}<{extent}" for name, extent in extents.items())
    return parse_operator(f"w: {box}\n O:int32[99] I:int8[9]\n O[{subscript}] += I[0]")


def test_an_axis_alone_in_the_write_has_a_home():
    operator = conv2(2, 3, 2, 2, 2, 2, 2)
    assert all(family(operator).allows(name) for name in ("n", "oc", "oh", "ow"))


def test_an_axis_that_the_write_does_not_contain_has_none():
    assert not family(matmul(2, 2, 2)).allows("k")


@pytest.mark.parametrize(
    ("subscript", "allowed"),
    [("4*i+j", True), ("i+3*j", True), ("3*i+j", False), ("i+j", False), ("2*i+2*j", False), ("9-4*i+j", True)],
)
def test_a_sum_has_a_home_if_its_value_names_its_axes(subscript, allowed):
    operator = writing(subscript, i=3, j=4)
    assert family(operator).allows("i") == allowed
    assert family(operator).allows("j") == allowed


def test_another_subscript_may_give_the_home():
    operator = parse_operator("w: i<3 j<3\n O:int32[5, 3] I:int8[9]\n O[i+j, j] += I[0]")
    assert family(operator).allows("j")
    assert not family(operator).allows("i"), "it would take both subscripts to find i"


@pytest.mark.parametrize("seed", range(10))
def test_an_axis_with_a_home_is_a_function_of_the_element(seed):
    rng = random.Random(seed)
    for _ in range(10):
        operator = odd_operator(rng, 64)
        names = [a.name for a in operator.axes]
        homes = {}
        for point in product(*(range(a.extent) for a in operator.axes)):
            values = dict(zip(names, point, strict=True))
            element = tuple(
                sum(c * values[n] for n, c in s.terms) + s.constant for s in operator.statements[0].write.subscripts
            )
            for axis in operator.axes:
                homes.setdefault((axis.name, element), set()).add(values[axis.name])
        for axis in operator.axes:
            decided = all(len(found) == 1 for (name, _), found in homes.items() if name == axis.name)
            if axis.role == "parallel" and family(operator).allows(axis.name):
                assert decided


def test_without_a_home_an_axis_serves_nothing():
    problem = EmbeddingProblem(smeared(4, 3), gemm_unit(2, 2, 2))
    operands = assignments(problem)[0]
    assert Rules(problem, operands).serves("o") == ()
    free = EmbeddingProblem(smeared(4, 3), gemm_unit(2, 2, 2), dropped=frozenset({"home"}))
    assert Rules(free, operands).serves("o") == ("b",)


def test_what_has_no_home_is_wrong():
    operator = smeared(4, 3)
    operands = assignments(EmbeddingProblem(operator, gemm_unit(2, 1, 1)))[0]
    flats = (
        Flat(("o",), (4,), Affine((("o.0", 2), ("o.1", 1))), (Affine(()),)),
        Flat(("k",), (3,), Affine((("k.0", 1),)), (Affine(()),)),
    )
    loops = (Loop("o.0", 2), Loop("k.0", 3), Loop("o.1", 2, "b"))
    report = check(Embedding(operator, 0, gemm_unit(2, 1, 1), operands, loops, flats))
    assert any("one home" in text for text in report.violations), str(report)
