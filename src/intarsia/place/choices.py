"""Which values of every degree and switch a search may choose from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from intarsia.graph import Attention, Dtype, Recompute
from intarsia.ground import InputError
from intarsia.ground.records import refuse_unknown
from intarsia.place.strategy import Pipeline


@dataclass(frozen=True, slots=True)
class Choices:
    """Values that a search may choose from; empty for every one that makes sense.

    Attributes:
        tensor: by default degrees that fill nodes: divisors of a node, and powers of two nodes up to 64 devices.
        pipeline: by default any number of stages up to the number of layers.
        data: by default a few numbers of replicas for the other degrees, in the cluster and in each of its smaller
            units: as many as there is room for; the fewest that need no more microbatches; the most that divide the
            batch; the most whose groups fill units evenly; and one. Devices may stay idle.
        context: by default powers of two that leave 1024 tokens or more.
        expert: by default powers of two.
        microbatch: by default powers of two.
        interleave: by default any that cuts the layers into equal chunks.
        order: of the pipeline.
        zero: levels.
        sequence_parallel: only with tensor parallelism.
        recompute: what each stage may choose from.
        attention, dtype, gradient_bytes: as the run has them; not chosen.
    """

    tensor: tuple[int, ...] = ()
    pipeline: tuple[int, ...] = ()
    data: tuple[int, ...] = ()
    context: tuple[int, ...] = ()
    expert: tuple[int, ...] = ()
    microbatch: tuple[int, ...] = ()
    interleave: tuple[int, ...] = ()
    order: tuple[Pipeline, ...] = tuple(Pipeline)
    zero: tuple[int, ...] = (0, 1, 2, 3)
    sequence_parallel: tuple[bool, ...] = (False, True)
    recompute: tuple[Recompute, ...] = tuple(Recompute)
    attention: Attention = Attention.FLASH
    dtype: Dtype = Dtype.BF16
    gradient_bytes: int = 4

    def only(self, restricted: Mapping[str, Sequence[Any]]) -> Choices:
        """The same with some choices restricted to values.

        Args:
            restricted: field to values; words may be texts, switches 0 and 1.

        Raises:
            InputError: for an unknown choice or a value that it cannot have.
        """
        return replace(self, **{name: _read(name, values) for name, values in restricted.items()})


def _read(name: str, values: Sequence[Any]) -> Any:
    names = tuple(field.name for field in fields(Choices))
    if name not in names:
        raise refuse_unknown(name, names, what="choice")
    kinds: dict[str, Any] = {"order": Pipeline, "recompute": Recompute, "attention": Attention, "dtype": Dtype}
    switches = {"on": True, "off": False, "1": True, "0": False, "true": True, "false": False}
    read = []
    for value in values:
        try:
            one = switches[str(value).lower()] if name == "sequence_parallel" else kinds.get(name, int)(value)
        except (ValueError, KeyError):
            allowed = {"sequence_parallel": "0, 1"}.get(name) or ", ".join(kinds.get(name, ())) or "whole numbers"
            raise InputError(f"{name} cannot be so", value=str(value), allowed=allowed) from None
        if name == "zero" and one not in range(4):
            raise InputError("unknown ZeRO level", value=str(one), allowed="0, 1, 2, 3")
        if kinds.get(name, int) is int and name not in {"zero", "sequence_parallel"} and one < 1:
            raise InputError(f"{name} is not positive", value=str(one), allowed="1 or more")
        read.append(one)
    if not read:
        raise InputError(f"{name} has no value to choose from", allowed="one or more")
    if name in {"attention", "dtype", "gradient_bytes"}:
        if len(read) > 1:
            raise InputError(f"{name} is not chosen", value=", ".join(map(str, read)), allowed="one value")
        return read[0]
    return tuple(dict.fromkeys(read))
