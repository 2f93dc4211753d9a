"""Does an infeasible question say why, minimally, and what would help?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from intarsia.embed import EmbeddingProblem, optimise
from intarsia.machines import find_instruction
from intarsia.operators import read_operator
from intarsia.solvers import Found, Infeasible

GEMM = find_instruction("vta.gemm")


def ask(spec: str, require: tuple[str, ...] = (), family: str = "fused") -> Infeasible:
    outcome = optimise(EmbeddingProblem(read_operator(spec), GEMM, family, require=require, limit=20))
    assert isinstance(outcome, Infeasible)
    return outcome


def names(found: Infeasible) -> list[str]:
    return [reason.partition(":")[0] for reason in found.because]


def test_three_channels_cannot_be_dense_and_padding_them_helps() -> None:
    found = ask("conv2d:n=1,c=3,h=20,w=20,k=64,r=1,s=1", ("dense",))
    assert names(found) == ["dense"]
    assert "every lane of b<1 x n<16 x k<16 must work" in found.because[-1]
    assert found.relaxation == "pad c from 3 to 16"


def test_the_relaxation_holds_what_it_promises() -> None:
    spec, require = "conv2d:n=1,c=3,h=20,w=20,k=64,r=1,s=1", ("dense",)
    operator = read_operator(spec)
    padded = replace(operator, axes=tuple(replace(a, extent=16) if a.name == "c" else a for a in operator.axes))
    problem = EmbeddingProblem(padded, GEMM, "fused", require=require, limit=20)
    assert isinstance(optimise(problem), Found)


def test_only_requirements_that_conflict_are_named() -> None:
    found = ask("conv2d:n=1,c=3,h=20,w=20,k=64,r=1,s=1", ("no-padding", "dense"))
    assert names(found) == ["dense"]


@pytest.mark.parametrize(
    ("spec", "because", "relaxation"),
    [
        (
            "conv2d:n=1,c=3,h=9,w=9,k=6,r=3,s=3,dtype=uint8",
            "dtype: O is int32, I is uint8, W is int8, but o is int32, i is int8, w is int8",
            "declare I as int8 instead of uint8",
        ),
        (
            "einsum:ij,jk,kl->il;i=8,j=8,k=8,l=8",
            "arity: the operator multiplies 3 tensors, the instruction 2",
            "another instruction",
        ),
        (
            "greatest: i<8 ; j<8\n O:int32[8] I:int8[8, 8]\n O[i] max= I[i, j]",
            "combine: the operator combines with max=, the instruction with +=",
            "another instruction",
        ),
    ],
)
def test_what_no_requirement_causes_is_explained_too(spec: str, because: str, relaxation: str) -> None:
    found = ask(spec)
    assert found.because == (because,)
    assert found.relaxation == relaxation
