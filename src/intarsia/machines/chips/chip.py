"""A chip that trains and serves models: cores, memories, links. SI units throughout."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Dataflow(StrEnum):
    """How a tensor core works on a product.

    ``tiled``: a core keeps a tile of results and streams both operands (the multiprocessors of a GPU).
    ``systolic``: a core keeps a width × depth block of one operand and streams rows of the other through it.
    """

    TILED = "tiled"
    SYSTOLIC = "systolic"


class Mapping(StrEnum):
    """How products are laid on systolic cores.

    ``embedded``: by the best embedding (``intarsia.embed.stationary``).
    ``padded``: each dimension of a product padded to the core's, a convolution as the product of its windows; the usual
    rule, for comparison.
    """

    EMBEDDED = "embedded"
    PADDED = "padded"


@dataclass(frozen=True, slots=True)
class TensorCores:
    """Equal matrix units.

    Attributes:
        count: how many work in parallel.
        width: columns of the array (results a cycle).
        depth: rows of the array (length of the reduction a cycle).
        dataflow: tiled or systolic.
    """

    count: int
    width: int
    depth: int
    dataflow: Dataflow

    @property
    def multiplies(self) -> int:
        """Multiplications a cycle, all cores."""
        return self.count * self.width * self.depth


@dataclass(frozen=True, slots=True)
class VectorCores:
    """Equal vector units of ``width`` lanes."""

    count: int
    width: int


@dataclass(frozen=True, slots=True)
class Chip:
    """One accelerator.

    Attributes:
        name: of the catalogue.
        family: whose efficiencies it borrows where it has none of its own (nvidia, amd, tpu, …, template).
        clock: hertz.
        tensor: matrix units; 2 · multiplies · clock is the peak in bf16.
        vector: vector units.
        onchip_bytes: of the memory that all cores share (L2 cache, shared buffer).
        local_bytes: of one tensor core's own memory, which holds its tile; one of the second kind has as much for each
            multiplier.
        hbm_bytes: capacity.
        hbm_bandwidth: bytes per second.
        link_bandwidth: bytes per second and direction, all links of the chip.
        best_flops: the best matmul rate that was measured, operations per second; 0 if none is known.
        fp8_factor: how much faster 8-bit contractions are; 1 where they are not supported.
        serial: operators run one after the other, each on all cores (a GPU's stream); otherwise cores are scheduled.
        source: where the figures are from, and how sure they are.
        assumed: sentences that name each figure that was not published, with the value taken.
        mapping: how products are laid on systolic cores.
        second: matrix units of a second kind, if there are any; then both are systolic, and cores are scheduled. A
            product runs on cores of one of the kinds, and two products on both at once.
    """

    name: str
    family: str
    clock: float
    tensor: TensorCores
    vector: VectorCores
    onchip_bytes: int
    local_bytes: int
    hbm_bytes: int
    hbm_bandwidth: float
    link_bandwidth: float
    best_flops: float
    fp8_factor: float
    serial: bool
    source: str
    assumed: tuple[str, ...] = ()
    mapping: Mapping = Mapping.EMBEDDED
    second: TensorCores | None = None

    @property
    def peak_flops(self) -> float:
        """Dense bf16 operations per second, of all tensor cores together."""
        more = self.second.multiplies if self.second is not None else 0
        return 2 * (self.tensor.multiplies + more) * self.clock

    @property
    def kinds(self) -> tuple[Chip, ...]:
        """The chip with each of its kinds of tensor cores alone: itself, if it has only one."""
        if self.second is None:
            return (self,)
        first, own = self.tensor, self.second
        local = self.local_bytes * own.width * own.depth // (first.width * first.depth)
        return replace(self, second=None), replace(self, tensor=own, local_bytes=local, second=None)
