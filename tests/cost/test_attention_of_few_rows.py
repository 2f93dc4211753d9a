"""What does attention cost for fewer rows than a core works on at once, as in decode?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from intarsia.cost import demand, kernel_seconds
from intarsia.graph import FusedAttention
from intarsia.machines.chips import efficiency_of, read_chip

DECODE = FusedAttention(64, 8, 4096, 128, 128, 64, causal=False, products=2)


@pytest.mark.parametrize(("rows", "padded"), [(1, 16), (8, 2), (15, 16 / 15), (16, 0), (64, 0)])
def test_rows_are_padded_to_those_of_an_instruction(rows, padded):
    chip = read_chip("h100")
    work = replace(DECODE, queries=rows)
    assert demand(chip, work).contraction == pytest.approx(padded * work.flops / chip.peak_flops)
    assert demand(chip, work).flash == pytest.approx(work.flops / chip.peak_flops)
    assert demand(chip, replace(work, causal=True)).contraction == 0


def test_a_systolic_core_takes_in_every_key_and_value():
    chip = read_chip("tpuv4-like")
    one, eight = (demand(chip, replace(DECODE, queries=rows)) for rows in (1, 8))
    elements = 64 * 4096 * (128 + 128)
    least = elements / (128 * 8) / chip.clock  # a column or row of an array a cycle, 8 cores
    assert least <= one.contraction <= 1.2 * least
    assert one.contraction == eight.contraction


@pytest.mark.parametrize("name", ["a100", "h100", "tpuv4-like"])
def test_decode_with_grouped_heads_is_bound_by_memory(name):
    chip = read_chip(name)
    efficiency = efficiency_of(chip)
    asked = demand(chip, DECODE)
    bound = asked.hbm_bytes / (chip.hbm_bandwidth * efficiency.memory) + efficiency.kernel
    assert kernel_seconds(asked, chip, efficiency) == pytest.approx(bound)
