"""What a result says of a chip with two kinds of tensor cores: parts to scale, lines of a schedule, embeddings."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from intarsia.cost import Placed
from intarsia.flow.study.chosen import Chosen
from intarsia.flow.study.drawn import chip_record
from intarsia.flow.study.embeddings import embedding_records
from intarsia.flow.study.layers import Running
from intarsia.flow.study.neighbours import changes
from intarsia.flow.study.timelines import schedule_gantt
from intarsia.graph import Group, Recompute, Variant
from intarsia.machines.chips import efficiency_of
from intarsia.machines.clusters import read_cluster
from intarsia.machines.template import Point, chip_of, point_of
from intarsia.models.transformer import from_sizes

POINT = Point(4, 2, 128, 128, 16, more_cores=24, more_width=32, more_depth=16)


@pytest.fixture
def chosen() -> Chosen:
    cluster = replace(read_cluster("tpuv4x4"), chip=chip_of(POINT))
    return Chosen(cluster, efficiency_of(cluster.chip), ())


@pytest.fixture
def run(chosen: Chosen) -> Running:
    model = from_sizes(hidden=512, heads=8, layers=2, vocab=4096, sequence=256)
    groups = {group: Placed(1, 1) for group in Group}
    return Running(model.layers(Variant(2, 256)), Recompute.NONE, chosen.cluster, chosen.efficiency, groups)


def test_both_kinds_have_their_area(chosen: Chosen) -> None:
    record = chip_record(chosen)
    assert point_of(chosen.cluster.chip) == POINT
    assert record.text == str(POINT)
    parts = {part.name: part for part in record.parts}
    assert (parts["tensor core"].count, parts["tensor core"].detail) == (4, "128×128")
    assert (parts["second tensor core"].count, parts["second tensor core"].detail) == (24, "32×16")
    assert sum(part.area for part in record.parts) == pytest.approx(record.area)
    assert record.fields["second tensor cores"] == "24 × 32×16, systolic"
    assert record.peak_flops == 2 * (4 * 128 * 128 + 24 * 32 * 16) * 1.05e9


def test_a_schedule_has_lines_of_both_kinds(run: Running) -> None:
    gantt = schedule_gantt(run)
    kinds = [line.partition(" core")[0] for line in gantt.lines]
    assert any(kind == "all 4 tensor" for kind in kinds)
    assert any("second tensor" in kind for kind in kinds)
    for line in range(len(gantt.lines)):
        own = sorted((bar.start, bar.finish) for bar in gantt.bars if bar.line == line)
        assert own
        assert all(finish <= start * (1 + 1e-9) for (_, finish), (start, _) in pairwise(own))


def test_an_embedding_is_of_the_kind_where_it_takes_fewer_cycles(run: Running) -> None:
    assert {one.instruction for one in embedding_records(run)} <= {"systolic:128x128", "systolic:32x16"}


def test_a_step_of_the_second_kind_is_a_neighbour(chosen: Chosen) -> None:
    changed = {(one.resource, one.after): one.cluster.chip.second for one in changes(chosen)}
    more, fewer = changed["second tensor cores", "48"], changed["second tensor cores", "12"]
    assert more is not None
    assert fewer is not None
    assert (more.count, fewer.count) == (48, 12)
