"""Is a bound never above what an embedding attains, where proofs have no closed form to stand on?"""

from odd import greatest_lanes, pool

from intarsia.embed import EmbeddingProblem, enumerate_embeddings, optimise
from intarsia.embed.measures import value
from intarsia.machines import parse_instruction
from intarsia.operators import parse_operator
from intarsia.solvers import Found, Infeasible

EVERY_DIRECTION = parse_instruction(
    "instruction t\nt: p<3 s<3 ; q<4\n o:int32[3, 3] f:int32[3, 4, 3] g:int32[3, 3]\n o[s, p] += f[p, q, s] * g[s, p]\n"
)


def test_with_a_requirement_directions_that_are_not_primitive_may_be_better():
    operator = parse_operator(
        "op: j<2 ; a<5 b<2\n O:int32[2] X:int32[6, 3] W:int32[13, 5] const\n O[j] += X[3*b+j, a] * W[3*a, a]"
    )
    problem = EmbeddingProblem(operator, EVERY_DIRECTION, "skewed", ("constant-only",))
    outcome = optimise(problem)
    assert isinstance(outcome, Found)
    listed = min(value(e, problem.objective) for e in enumerate_embeddings(problem, distinct=True))
    assert outcome.bound <= listed


def test_a_tensor_that_is_read_outside_only_is_not_duplicated():
    operator = parse_operator("op: i<4 ; b<5\n O:int32[4] X:int32[4, 5] Y:int32[4, 1]\n O[i] += X[i, b] * Y[i, -1]")
    instruction = parse_instruction(
        "instruction t\nt: q<2 ; p<3\n o:int32[2] f:int32[2, 3] g:int32[2, 3]\n o[q] += f[q, p] * g[q, p]\n"
    )
    problem = EmbeddingProblem(operator, instruction)
    outcome = optimise(problem)
    assert isinstance(outcome, Found)
    assert outcome.bound == value(outcome.value, problem.objective)


def test_where_idle_lanes_would_change_a_maximum_padding_is_in_the_conflict():
    outcome = optimise(EmbeddingProblem(pool(5, 3), greatest_lanes(2, 4)))
    assert isinstance(outcome, Infeasible)
    assert "padding" in [text.partition(":")[0] for text in outcome.because]


def test_registers_that_two_axes_address_have_a_conflict_too():
    operator = parse_operator("op: i<5\n O:int32[5] X:int32[5]\n O[i] max= X[-i+4]")
    instruction = parse_instruction("instruction t\nt: s<2 ; p<2 q<4\n o:int32[2] f:int32[5]\n o[s] max= f[p+q]\n")
    outcome = optimise(EmbeddingProblem(operator, instruction, "skewed"))
    assert isinstance(outcome, Infeasible)
    assert outcome.because
