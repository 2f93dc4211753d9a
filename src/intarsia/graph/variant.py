"""How a model is cut and run on one device: comes in as flags, decides the shapes of every node of a layer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Attention(StrEnum):
    """Whether attention's scores are written to memory (eager) or kept on chip (flash)."""

    EAGER = "eager"
    FLASH = "flash"


class Recompute(StrEnum):
    """What the backward pass computes again instead of keeping: nothing, the attention core, or the whole layer."""

    NONE = "none"
    SELECTIVE = "selective"
    FULL = "full"


class Dtype(StrEnum):
    """The type of contractions' operands. Weights and activations are kept in 2 bytes in each case."""

    BF16 = "bf16"
    FP16 = "fp16"
    FP8 = "fp8"


@dataclass(frozen=True, slots=True)
class Variant:
    """The shapes of one device's share of a layer.

    Attributes:
        microbatch: sequences (or images) of one microbatch.
        sequence: tokens of a sequence before it is cut; 0 for models without sequences.
        tensor: devices that share each weight matrix.
        sequence_parallel: norms and dropouts work on 1/tensor of the tokens; a no-op where tensor is 1.
        context: devices that share the tokens of each sequence.
        expert: devices that share the experts of a layer.
        attention: eager or flash.
        dtype: of the contractions' operands.
    """

    microbatch: int
    sequence: int
    tensor: int = 1
    sequence_parallel: bool = False
    context: int = 1
    expert: int = 1
    attention: Attention = Attention.FLASH
    dtype: Dtype = Dtype.BF16

    @property
    def tokens(self) -> int:
        """Tokens of a microbatch on one device of the context group (rounded up)."""
        return self.microbatch * -(-self.sequence // self.context)
