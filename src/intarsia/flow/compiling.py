"""What is said where the simulator of VTA is compiled."""

from __future__ import annotations

from contextlib import AbstractContextManager

from intarsia.ground import Trace
from intarsia.ground.compiled import compiling


def told_of_compiling(trace: Trace) -> AbstractContextManager[None]:
    """Notes once that the simulator is being compiled in the block, where it is not kept: that takes a while."""
    return compiling(lambda: trace.note("the simulator of VTA is being compiled, which takes a while the first time"))
