"""Is the count of the skewed family the length of its listing, and never more when it was cut off?"""

from __future__ import annotations

import json
import random
from itertools import count as numbers

import pytest
from small import depthwise, elementwise, gemm_unit, random_instruction, random_operator

from intarsia.cli import main
from intarsia.embed import EmbeddingProblem, count, enumerate_embeddings
from intarsia.embed.constraints import Rules
from intarsia.embed.directions import vanishing
from intarsia.embed.operands import assignments
from intarsia.embed.skew_count import count_skewed
from intarsia.machines import find_instruction, parse_instruction
from intarsia.operators import parse_operator, read_operator

LISTED = 1_500
SLIDE = "depthwise:n=1,c=4,h=28,w=28,r=3,s=3,pad=1"


def length(problem, *, distinct=False):
    return sum(1 for _ in enumerate_embeddings(problem, LISTED + 1, distinct=distinct))


def compare(operator, instruction, require=()):
    """Whether the listing is short enough and has skewed members; fails where the count is another number."""
    problem = EmbeddingProblem(operator, instruction, "skewed", require)
    listed = length(problem)
    if listed > LISTED:
        return False
    found = count(problem)
    assert found.complete
    assert (found.total, found.distinct) == (listed, length(problem, distinct=True)), f"{operator}\n{instruction}"
    return found.total > count(EmbeddingProblem(operator, instruction, "fused", require)).total


@pytest.mark.parametrize("seed", range(6))
def test_the_count_is_the_length_of_the_listing(seed):
    rng = random.Random(300 + seed)
    skewed = 0
    while skewed < 4:
        skewed += compare(random_operator(rng, 24), random_instruction(rng, 8))


@pytest.mark.parametrize("require", ["dense", "no-padding", "no-duplication", "inputs-once", "constant-only"])
def test_the_count_with_a_requirement_is_the_length_of_the_listing(require):
    rng = random.Random(7)
    for _ in range(4):
        compare(random_operator(rng, 12), random_instruction(rng, 6), (require,))


@pytest.mark.parametrize(
    ("operator", "instruction"),
    [
        (depthwise(1, 6, 1, 3, 1), gemm_unit(1, 12, 2)),  # steps that leave the window: powers of a direction end
        (depthwise(1, 3, 3, 2, 2), gemm_unit(1, 4, 1)),  # several axes compensated at once
        (depthwise(1, 4, 3, 1, 1), gemm_unit(4, 2, 1)),  # either of two axes may be the pivot
        (parse_operator("add: a<3 b<3\n O:int32[3, 3] I:int8[3, 3] W:int8[5]\n O[a, b] += I[a, b] * W[a+b]"),
         elementwise(2, 3)),
    ],
)  # fmt: skip
def test_the_count_of_cases_with_several_readings(operator, instruction):
    assert compare(operator, instruction)


def test_the_count_where_an_instruction_axis_must_be_filled():
    greatest = parse_instruction(
        "instruction greatest\ngreatest: n<4 ; k<2\n  o:int8[4] i:int8[4, 2]\n  o[n] max= i[n, k]\n"
        "memory o=a i=b\ncycles 1\nsource test"
    )
    pool = parse_operator("pool: oh<3 ow<3 ; kh<2 kw<2\n O:int8[3, 3] I:int8[4, 4]\n O[oh, ow] max= I[oh+kh, ow+kw]")
    assert compare(pool, greatest)


def test_a_count_that_was_cut_off_is_at_most_the_whole():
    operator, instruction = depthwise(1, 4, 3, 2, 2), gemm_unit(2, 4, 4)
    problem = EmbeddingProblem(operator, instruction, "skewed")
    rules = Rules(problem, assignments(problem)[0])
    whole = count_skewed(rules, lambda: True)
    assert whole.complete
    before = 0
    for steps in range(1, 4_000, 397):
        clock = numbers()
        part = count_skewed(rules, lambda: next(clock) < steps)  # noqa: B023  called in this turn of the loop
        assert before <= part.total <= whole.total
        assert part.distinct <= whole.distinct
        assert part.complete == (part.total == whole.total)
        before = part.total
    assert before > 0


def test_a_count_that_takes_too_long_says_at_least():
    operator, instruction = read_operator(SLIDE), find_instruction("vta.gemm:16x16x16")
    found = count(EmbeddingProblem(operator, instruction, "skewed", limit=0.5))
    assert not found.complete
    assert found.total >= count(EmbeddingProblem(operator, instruction, "fused")).total


def test_the_command_line_reports_the_count(capsys):
    spec = "conv1d:n=1,c=1,w=64,k=1,s=5,pad=2"
    assert main(["embed", spec, "--instr", "vta.gemm", "--space", "skewed", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    found = count(EmbeddingProblem(read_operator(spec), find_instruction("vta.gemm"), "skewed"))
    assert (answer["count"], answer["count_modulo_symmetry"]) == (found.total, found.distinct)
    assert answer["count_complete"]


def test_directions_are_the_vectors_on_which_the_forms_vanish():
    found = list(vanishing([(1, 0, 2), (0, 1, -1)], [3, 1, 2]))
    assert found == [(-2, 1, 1), (0, 0, 0), (2, -1, -1)]
