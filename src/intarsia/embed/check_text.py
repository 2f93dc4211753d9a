"""How a violation names calls, lanes, iterations and elements: with their values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from intarsia.embed.check_calls import PAD, Match
from intarsia.embed.embedding import Embedding
from intarsia.operators import Tensor


@dataclass(frozen=True, slots=True)
class Spot:
    """One lane of one call: outer loop -> index, instruction axis -> position, operator axis -> value if defined."""

    call: Mapping[str, int]
    lane: Mapping[str, int]
    iteration: Mapping[str, int] | None = None


def spot_text(embedding: Embedding, spot: Spot) -> str:
    """For example ``lane (b=0, n=3, k=1) of call (oc.0=1, oh=5) at iteration (oc=19, oh=5, c=1)``."""
    text = f"{lane_text(spot.lane)} of {call_text(embedding, spot.call)}"
    return text if spot.iteration is None else f"{text} at {iteration_text(spot.iteration)}"


def lane_text(lane: Mapping[str, int]) -> str:
    """A lane by its positions."""
    return f"lane ({_values(lane.items())})"


def call_text(embedding: Embedding, call: Mapping[str, int]) -> str:
    """A call by its outer loops, those of one iteration left out."""
    return f"call ({_values((o.name, call[o.name]) for o in embedding.outer if o.extent > 1)})"


def iteration_text(iteration: Mapping[str, int]) -> str:
    """An iteration of the operator."""
    return f"iteration ({_values(iteration.items())})"


def element_text(tensor: Tensor, element: int) -> str:
    """``I[0, 3, 5]``, or the tensor's pad value."""
    if element == PAD:
        return f"the pad value of {tensor.name}"
    place = ", ".join(str(int(i)) for i in np.unravel_index(element, tensor.shape))
    return f"{tensor.name}[{place}]"


def register_text(match: Match, register: int) -> str:
    """``i[0, 3]``."""
    place = ", ".join(str(int(i)) for i in np.unravel_index(register, match.operand.shape))
    return f"{match.operand.name}[{place}]"


def _values(items: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name}={int(value)}" for name, value in items)
