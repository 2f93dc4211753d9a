"""How a training run is cut over devices and time: what ``predict`` is given and ``plan`` finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from intarsia.graph import Attention, Dtype, Recompute, Variant


class Pipeline(StrEnum):
    """The order of forward and backward passes in a pipeline.

    ``1f1b``: one forward, one backward (Narayanan et al., SOSP 2019); with more than one chunk a stage, interleaved
    (Narayanan et al., SC 2021). ``zero-bubble``: weight gradients fill the gaps (ZB-H1: Qi et al., ICLR 2024).
    """

    ONE_F_ONE_B = "1f1b"
    ZERO_BUBBLE = "zero-bubble"


@dataclass(frozen=True, slots=True)
class Strategy:
    """The degrees and switches of a run; ranks are numbered tensor, context, data, pipeline, the first fastest.

    Attributes:
        tensor: devices that share each weight matrix.
        pipeline: stages.
        data: replicas.
        context: devices that share each sequence.
        expert: devices that share the experts of a layer; a part of the data × context ranks.
        microbatch: sequences of a microbatch.
        global_batch: sequences of an iteration.
        sequence: tokens of a sequence.
        recompute: of every layer; stages may differ (``Split.recompute``).
        sequence_parallel: norms and dropouts on 1/tensor of the tokens.
        interleave: chunks of layers that each stage holds.
        order: of the pipeline.
        zero: 0 nothing, 1 optimizer states, 2 gradients too, 3 weights too are cut over the data ranks.
        attention: eager or flash.
        dtype: of contractions.
        gradient_bytes: of an element of the gradients that are kept and reduced.
    """

    tensor: int
    pipeline: int
    data: int
    context: int
    expert: int
    microbatch: int
    global_batch: int
    sequence: int
    recompute: Recompute
    sequence_parallel: bool
    interleave: int
    order: Pipeline
    zero: int
    attention: Attention
    dtype: Dtype
    gradient_bytes: int

    @property
    def devices(self) -> int:
        """All ranks."""
        return self.tensor * self.pipeline * self.data * self.context

    @property
    def microbatches(self) -> int:
        """Of one replica in one iteration; the last one may be smaller and is counted as whole."""
        return -(-self.global_batch // (self.data * self.microbatch))

    @property
    def variant(self) -> Variant:
        """One device's share of a layer."""
        return Variant(
            microbatch=self.microbatch,
            sequence=self.sequence,
            tensor=self.tensor,
            sequence_parallel=self.sequence_parallel and self.tensor > 1,
            context=self.context,
            expert=self.expert,
            attention=self.attention,
            dtype=self.dtype,
        )


@dataclass(frozen=True, slots=True)
class Split:
    """Which layers each stage has.

    Attributes:
        counts: for each stage, how many of each kind of layer (the order of the model's chain).
        recompute: of each stage.
    """

    counts: tuple[tuple[int, ...], ...]
    recompute: tuple[Recompute, ...]
