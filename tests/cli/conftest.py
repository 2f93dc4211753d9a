"""What several tests of commands need."""

from __future__ import annotations

import pytest

from intarsia.targets.vta.ready import get_ready


@pytest.fixture(scope="session")
def simulator() -> None:
    """It is compiled before a command uses it, which would say so: whichever test of a fresh clone runs first."""
    get_ready()
