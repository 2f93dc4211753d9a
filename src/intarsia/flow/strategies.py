"""Models, clusters and strategies from what a user types: flags of ``predict``, rows of a table of runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from intarsia.graph import Attention, Dtype, Model, Recompute
from intarsia.ground import InputError
from intarsia.models import read_model
from intarsia.models.transformer import from_sizes
from intarsia.place import Pipeline, Strategy

Word = TypeVar("Word", Recompute, Pipeline, Attention, Dtype)
GRADIENT_BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}


@dataclass(frozen=True, slots=True)
class Sizes:
    """A transformer by its sizes, as flags and columns name them; 0 where a default stands for it."""

    hidden: int
    heads: int
    layers: int
    kv_heads: int = 0
    ffn: int = 0
    gated: bool = False
    vocab: int = 0
    experts: int = 0
    top_k: int = 0


VOCABULARY = 50257
"""GPT-2's, where nothing says how many tokens there are."""


@dataclass(frozen=True, slots=True)
class Flags:
    """What ``predict`` is told of a strategy, by the names of its flags."""

    gpus: int
    tp: int
    pp: int
    dp: int
    cp: int
    ep: int
    microbatch: int
    global_batch: int
    seq: int
    recompute: str
    sequence_parallel: bool
    interleave: int
    zero: int
    attention: str
    dtype: str
    grad_dtype: str
    schedule: str


def named_model(text: str) -> Model:
    """The model of a catalogue name, a configuration or an ONNX file."""
    return read_model(text)


@lru_cache(maxsize=256)
def sized_model(sizes: Sizes, sequence: int) -> Model:
    """The model of plain sizes: GPT's block, or Llama's where the feed-forward layer is gated."""
    return from_sizes(
        hidden=sizes.hidden,
        heads=sizes.heads,
        kv_heads=sizes.kv_heads,
        ffn=sizes.ffn,
        gated=sizes.gated,
        layers=sizes.layers,
        sequence=sequence,
        vocab=sizes.vocab or VOCABULARY,
        experts=sizes.experts,
        top_k=sizes.top_k,
    )


def read_strategy(flags: Flags, *, where: str = "") -> Strategy:
    """The strategy of flags, whose degrees must multiply to its devices.

    Raises:
        InputError: a word is unknown, a degree is not positive, or the product is not the number of devices.
    """
    product = flags.tp * flags.pp * flags.dp * flags.cp
    degrees = f"{flags.tp} × {flags.pp} × {flags.dp} × {flags.cp}"
    for name in ("tp", "pp", "dp", "cp", "ep", "microbatch", "global_batch", "interleave", "gpus"):
        if getattr(flags, name) < 1:
            raise InputError(
                f"{name} is not positive", where=where, value=str(getattr(flags, name)), allowed="1 or more"
            )
    if flags.seq < 0:
        raise InputError("seq is negative", where=where, value=str(flags.seq), allowed="1 or more; 0 for images")
    if product != flags.gpus:
        raise InputError(
            "tp × pp × dp × cp is not the number of gpus",
            where=where,
            value=f"{degrees} = {product}, gpus {flags.gpus}",
        )
    if flags.zero not in range(4):
        raise InputError("unknown ZeRO level", where=where, value=str(flags.zero), allowed="0, 1, 2, 3")
    return Strategy(
        tensor=flags.tp,
        pipeline=flags.pp,
        data=flags.dp,
        context=flags.cp,
        expert=flags.ep,
        microbatch=flags.microbatch,
        global_batch=flags.global_batch,
        sequence=flags.seq,
        recompute=_word(Recompute, flags.recompute, "recompute", where),
        sequence_parallel=flags.sequence_parallel,
        interleave=flags.interleave,
        order=_word(Pipeline, flags.schedule, "schedule", where),
        zero=flags.zero,
        attention=_word(Attention, flags.attention, "attention", where),
        dtype=_word(Dtype, flags.dtype, "dtype", where),
        gradient_bytes=_gradient(flags.grad_dtype, where),
    )


def _word(kind: type[Word], text: str, name: str, where: str) -> Word:
    try:
        return kind(text)
    except ValueError:
        allowed = ", ".join(kind)
        raise InputError(f"unknown {name}", where=where, value=text or "nothing", allowed=allowed) from None


def _gradient(text: str, where: str) -> int:
    if text not in GRADIENT_BYTES:
        raise InputError("unknown gradient type", where=where, value=text, allowed=", ".join(GRADIENT_BYTES))
    return GRADIENT_BYTES[text]
