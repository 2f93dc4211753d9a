"""Which embedding becomes the program: the one with the fewest predicted cycles among those that are offered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from intarsia.embed.embedding import Embedding
from intarsia.ground import InputError
from intarsia.program import CallSpace, call_space
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.lowering.bias import bias_loops, fitted
from intarsia.targets.vta.lowering.compiler import compile_space
from intarsia.targets.vta.lowering.cycles import Candidate, candidates
from intarsia.targets.vta.lowering.epilogue import Epilogue
from intarsia.targets.vta.lowering.program import VtaProgram

TILINGS = 12
SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Considered:
    """An embedding that was offered: its needed calls, the bound and the estimate of its cycles, and what it took.

    ``cycles`` is None where the bound already lost against a program that was made before.
    """

    embedding: Embedding
    calls: int
    bound: int
    estimate: int
    cycles: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The program of the best embedding, and all that were considered, the best estimate first."""

    program: VtaProgram
    considered: tuple[Considered, ...]

    @property
    def least_calls(self) -> int:
        """Fewest calls of any embedding considered, those left out that read only padding."""
        return min(c.calls for c in self.considered)


def select(
    offered: Sequence[Embedding],
    config: VtaConfig,
    epilogue: Epilogue | None,
    *,
    tilings: int = TILINGS,
    seconds: float = SECONDS,
) -> Selection:
    """Compile the offered embeddings in the order of their estimates until no bound is below the best program.

    Args:
        offered: embeddings of one operator, each checked.
        config: the core.
        epilogue: what happens to accumulators, its bias where the embedding allows.
        tilings: tilings of an embedding that are timed exactly.
        seconds: wall time after which no further embedding is compiled.

    Raises:
        InputError: none of them has a tiling that fits the buffers.
    """
    started = time.monotonic()
    spaces: list[tuple[CallSpace, list[Candidate]]] = []
    for embedding in dict.fromkeys(offered):
        space = call_space(embedding)
        own = fitted(space, epilogue)
        loops = bias_loops(space) if own is not None and own.bias != "none" else ()
        ranked = candidates(space, config, own, loops, tilings)
        if ranked:
            spaces.append((space, ranked))
    if not spaces:
        raise InputError(
            "no tiling of any embedding fits the buffers",
            where=str(config),
            hint="a configuration with larger buffers",
        )
    spaces.sort(key=lambda pair: pair[1][0].estimate)
    best: VtaProgram | None = None
    considered: list[Considered] = []
    for space, ranked in spaces:
        bound = min(c.bound for c in ranked)
        cycles: int | None = None
        if best is None or (bound < best.timing.cycles and time.monotonic() - started < seconds):
            program = compile_space(space, ranked, config, fitted(space, epilogue), seconds=seconds)
            if program is not None:
                cycles = program.timing.cycles
                best = program if best is None or cycles < best.timing.cycles else best
        considered.append(Considered(space.embedding, space.needed, bound, ranked[0].estimate, cycles))
    if best is None:
        raise InputError("no tiling of any embedding fits the buffers", where=str(config))
    return Selection(best, tuple(considered))
