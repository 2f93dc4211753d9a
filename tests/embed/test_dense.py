"""With ``dense``, is every lane of every call at work, also where no operator axis can lie on an instruction axis?"""

import pytest
from small import gemm_unit, matmul

from intarsia.embed import EmbeddingProblem, count, enumerate_embeddings, optimise
from intarsia.embed.problem import FAMILIES
from intarsia.solvers import Found, Infeasible


@pytest.mark.parametrize("family", FAMILIES)
def test_an_instruction_axis_that_nothing_serves_is_never_dense(family):
    problem = EmbeddingProblem(matmul(4, 1, 4), gemm_unit(4, 2, 4), family, ("dense",), dtypes="ignore")
    outcome = optimise(problem)
    assert isinstance(outcome, Infeasible)
    assert [text.partition(":")[0] for text in outcome.because] == ["dense"]
    assert not list(enumerate_embeddings(problem))
    assert count(problem).total == 0


def test_padding_is_advised_only_where_it_helps():
    outcome = optimise(EmbeddingProblem(matmul(3, 1, 4), gemm_unit(4, 2, 4), require=("dense",), dtypes="ignore"))
    assert isinstance(outcome, Infeasible)
    padded = matmul(4, 2, 4)
    assert outcome.relaxation == "pad m from 3 to 4 and pad n from 1 to 2"
    found = optimise(EmbeddingProblem(padded, gemm_unit(4, 2, 4), require=("dense",), dtypes="ignore"))
    assert isinstance(found, Found)
    assert found.value.padded_lanes == 0
