"""How native code is made and run, whatever is run."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.ground import InputError


@dataclass(frozen=True, slots=True)
class NativeOptions:
    """What all commands of the target x86 may be asked for.

    Attributes:
        threads: that share the work; one alone is pinned to the last core of this process.
        measure: how many plans are measured, of which the fastest is taken; 0 for the one predicted to be.
        features: the level of features that code may use; all that the processor has for None.
        seed: of the inputs.
    """

    threads: int = 1
    measure: int = 0
    features: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for what, value in (("seed is negative", self.seed), ("measure is too small", self.measure)):
            if value < 0:
                raise InputError(what, value=str(value), allowed="0 or more")


USUAL = NativeOptions()
"""One thread, the plan predicted to be fastest, all features."""
