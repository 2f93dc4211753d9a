"""What one kernel asks of a chip, before any efficiency: seconds of cores at their peak, bytes of HBM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from intarsia.cost.systolic import products_of, seen, systolic_seconds
from intarsia.cost.tiled import tiled_seconds
from intarsia.cost.traffic import product_bytes
from intarsia.cost.vector import vector_seconds
from intarsia.graph import Contraction, Elementwise, FusedAttention, Lookup
from intarsia.machines.chips import Chip, Dataflow

ALIGNED_BYTES = 16
LEAST_ROWS = 16
"""Rows of a result that a tensor instruction of a GPU makes at once, at least (m16n8k16: NVIDIA, PTX ISA)."""


@dataclass(frozen=True, slots=True)
class Demand:
    """The two roofs of a kernel.

    Attributes:
        contraction: seconds of the tensor cores at their peak, padding and waves included.
        flash: the same of fused attention; padding only on systolic cores.
        vector: seconds of the vector cores.
        hbm_bytes: between HBM and the chip, of the best tiling.
        misaligned: a product whose rows in memory are no multiple of 16 bytes.
    """

    contraction: float = 0.0
    flash: float = 0.0
    vector: float = 0.0
    hbm_bytes: int = 0
    misaligned: bool = False


def demand(chip: Chip, work: Contraction | Elementwise | FusedAttention | Lookup, *, cores: int = 0) -> Demand:
    """The demand of a kernel.

    Args:
        chip: the chip.
        work: what the kernel does; collectives ask the network, not the chip.
        cores: of the kind that the work needs, on which it is spread; 0 for all.
    """
    match work:
        case Contraction():
            seconds = product_seconds(chip, work, cores or chip.tensor.count)
            return Demand(
                contraction=seconds, hbm_bytes=product_bytes(work, chip.onchip_bytes), misaligned=misaligned(work)
            )
        case FusedAttention():
            seconds = _fused_seconds(chip, work, cores or chip.tensor.count)
            return Demand(_few_rows(chip, work, cores), flash=seconds, hbm_bytes=work.bytes_moved)
        case Elementwise():
            return Demand(vector=vector_seconds(chip, work, cores or chip.vector.count), hbm_bytes=work.bytes_moved)
        case Lookup():
            return Demand(hbm_bytes=work.bytes_moved)
        case _:
            assert_never(work)


def _fused_seconds(chip: Chip, work: FusedAttention, cores: int) -> float:
    """Seconds of fused attention at the peak: on systolic cores those of its products, without what is masked."""
    if chip.tensor.dataflow is Dataflow.TILED or few_rows(work):
        return work.flops / (2 * chip.tensor.width * chip.tensor.depth * cores * chip.clock)
    return seen(work) * sum(product_seconds(chip, product, cores) for product in products_of(work))


def few_rows(work: FusedAttention) -> bool:
    """Whether attention is for fewer rows than a tensor instruction makes at once, as in decode."""
    return not work.causal and work.queries < LEAST_ROWS


def _few_rows(chip: Chip, work: FusedAttention, cores: int) -> float:
    """Seconds of attention for fewer rows than a core works on at once, as in decode, where the rest is padding; or 0.

    A systolic core has to take in every key and value for them; on others rows are padded to an instruction's.
    """
    if not few_rows(work):
        return 0.0
    cores = cores or chip.tensor.count
    if chip.tensor.dataflow is Dataflow.TILED:
        padded = work.flops * LEAST_ROWS // work.queries
        return padded / (2 * chip.tensor.width * chip.tensor.depth * cores * chip.clock)
    return sum(product_seconds(chip, product, cores) for product in products_of(work))


def product_seconds(chip: Chip, work: Contraction, cores: int) -> float:
    """Seconds of ``cores`` tensor cores at their peak."""
    seconds = tiled_seconds if chip.tensor.dataflow is Dataflow.TILED else systolic_seconds
    return seconds(chip, work, cores)


def misaligned(work: Contraction) -> bool:
    """Whether a row of an operand or of the result starts off a 16-byte border (a row of n or of k elements)."""
    return any(size * work.element_bytes % ALIGNED_BYTES for size in (work.n, work.k)) and work.n > 1 and work.k > 1
