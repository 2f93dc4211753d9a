"""What a study that serves is asked beside its model and its cluster: the table ``[serving]`` of its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from math import inf

import msgspec

from intarsia.flow.serving_question import DTYPES, PHASES, ServingWanted
from intarsia.ground import InputError
from intarsia.ground.records import refuse_unknown
from intarsia.place.serving import ServingChoices


class ServingKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=False):
    """Prompts, answers and limits.

    Attributes:
        prompt: tokens of a prompt.
        output: tokens of an answer.
        ttft: seconds to the first token at most; None for no limit.
        tpot: seconds between tokens at most; None for no limit.
        phase: ``prefill`` or ``decode`` where the devices do nothing else, or ``both``.
        dtype: of weights and products.
        kv_dtype: of keys and values.
    """

    prompt: int
    output: int
    ttft: float | None = None
    tpot: float | None = None
    phase: str = "both"
    dtype: str = "bf16"
    kv_dtype: str = "bf16"

    def wanted(self, choose: Mapping[str, Sequence[str]]) -> ServingWanted:
        """The same as ``serve`` is asked it, with choices of deployments that are restricted."""
        return ServingWanted(
            self.prompt,
            self.output,
            self.limits["ttft"],
            self.limits["tpot"],
            phase=self.phase,
            only=choose,
            dtype=self.dtype,
            cache=self.kv_dtype,
        )

    @property
    def limits(self) -> dict[str, float]:
        """Seconds at most, by name; infinite where there is no limit."""
        return {"ttft": inf if self.ttft is None else self.ttft, "tpot": inf if self.tpot is None else self.tpot}

    def refuse(self, where: str) -> None:
        """Says nothing where every value is possible.

        Raises:
            InputError: one is not.
        """
        for name in ("prompt", "output"):
            if getattr(self, name) < 1:
                raise InputError(
                    f"{name} is not positive", where=where, value=str(getattr(self, name)), allowed="1 or more"
                )
        for name, limit in self.limits.items():
            if not limit > 0:
                raise InputError(
                    f"the limit {name} is not positive", where=where, value=str(limit), allowed="seconds, more than 0"
                )
        for name, known in (("phase", PHASES), ("dtype", tuple(DTYPES)), ("kv_dtype", tuple(DTYPES))):
            value = getattr(self, name)
            if value not in known:
                raise refuse_unknown(value, known, what=name, where=where)


CHOICES = tuple(field.name for field in fields(ServingChoices))
"""What ``[choose]`` of such a study may restrict."""
TRAINING = ("global_batch", "sequence", "several", "total", "front", "tolerance", "ray")
"""Keys that only a study that trains has a use for."""
