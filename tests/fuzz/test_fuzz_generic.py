"""Is every embedding that the check accepts right on the instruction's own meaning? All of the catalogue."""

from random import Random

from fuzz_cases import INSTRUCTIONS, generic_case
from fuzz_settings import fuzzed
from hypothesis import given
from hypothesis import strategies as st

from intarsia.machines.catalogue import catalogue


@fuzzed(100)
@given(seed=st.integers(0, 2**48))
def test_random_embeddings_run_like_the_interpreter(seed):
    generic_case(Random(seed))


def test_every_entry_of_the_catalogue_is_drawn():
    assert {name.partition(":")[0] for name in INSTRUCTIONS} == set(catalogue())
