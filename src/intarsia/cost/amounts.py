"""What one kernel does on a chip of systolic cores, as the chip's energies count it: cycles of its units, bytes."""

from __future__ import annotations

from typing import assert_never

from intarsia.cost.demand import demand
from intarsia.cost.systolic import products_of, seen, systolic_lanes
from intarsia.cost.vector import cycles_of
from intarsia.graph import Contraction, Elementwise, FusedAttention, Lookup
from intarsia.machines.chips import Chip
from intarsia.machines.template import Amounts
from intarsia.machines.template.parts import ELEMENT_BYTES, OPERANDS


def amounts(chip: Chip, work: Contraction | Elementwise | FusedAttention | Lookup, cores: int) -> Amounts:
    """What a kernel does on so many cores of the kind that it needs, of a chip with one kind of tensor cores.

    The bytes of the HBM are those of ``demand``; rows that enter arrays are those of the embedding whose seconds these
    are; a vector core's lanes are busy for as many cycles as there. A lane takes and gives at most three elements a
    cycle: all that the shared buffer feeds it with. What no lane works on (copies, look-ups) passes by the cores.
    """
    moved = demand(chip, work, cores=cores).hbm_bytes
    match work:
        case Contraction():
            return Amounts(products=work.flops / 2, lanes=systolic_lanes(chip, work, cores), hbm_bytes=moved)
        case FusedAttention():
            lanes = seen(work) * sum(systolic_lanes(chip, product, cores) for product in products_of(work))
            return Amounts(products=work.flops / 2, lanes=lanes, hbm_bytes=moved)
        case Elementwise():
            busy = cycles_of(work)
            fed = min(work.bytes_moved, ELEMENT_BYTES * OPERANDS * busy)
            return Amounts(vector_ops=busy, vector_bytes=fed, hbm_bytes=moved)
        case Lookup():
            return Amounts(hbm_bytes=moved)
        case _:
            assert_never(work)
