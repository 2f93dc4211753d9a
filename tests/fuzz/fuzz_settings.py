"""How many examples a property runs: a few, or as many as ``FUZZ_EXAMPLES`` says."""

import os
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, settings


def fuzzed(few: int) -> Callable:
    """Settings of a property that runs ``few`` examples unless ``FUZZ_EXAMPLES`` is set; a seed is not shrunk."""
    given = os.environ.get("FUZZ_EXAMPLES")
    return settings(
        max_examples=int(given) if given else few,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
