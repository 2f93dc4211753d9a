"""Is every program right? Random operators, cores, embeddings, tilings, shifts and biases, compared bit for bit.

``FUZZ_EXAMPLES`` sets the number; ``run.py`` runs any number on several processes and names the seed of a failure.
"""

from random import Random

import pytest
from fuzz_cases import vta_drawn, vta_fixed, vta_searched
from fuzz_settings import fuzzed
from hypothesis import given
from hypothesis import strategies as st

SEED = st.integers(0, 2**48)


@fuzzed(40)
@given(seed=SEED)
def test_random_embeddings_run_like_the_reference(seed):
    vta_drawn(Random(seed))


@fuzzed(25)
@given(seed=SEED)
def test_fixed_embeddings_run_like_the_reference(seed):
    vta_fixed(Random(seed))


@fuzzed(20)
@given(seed=SEED)
def test_embeddings_of_the_search_pass_the_check_and_run_like_the_reference(seed):
    vta_searched(Random(seed))


@pytest.mark.parametrize("seed", ["20261121/1901"])
def test_drawn_cases_that_were_once_wrong_are_right(seed):
    """1901: every read is padding, and a lane without an iteration lies where an output would."""
    vta_drawn(Random(seed))
