"""A chip as the result keeps it: its sizes, and its parts with the area that each takes."""

from __future__ import annotations

from intarsia.flow.study.chosen import Chosen
from intarsia.flow.study.result import ChipRecord, Part
from intarsia.ground.units import bytes_text, count_text, flops_text, hertz_text, rate_text
from intarsia.machines.chips import TensorCores
from intarsia.machines.template import Point, point_of


def chip_record(chosen: Chosen) -> ChipRecord:
    """The chip of a study; only of a template's are areas known."""
    chip = chosen.cluster.chip
    point = chosen.point or point_of(chip)
    its, vector = chip.tensor, f"{chip.vector.count} × {chip.vector.width}"
    own = chip.second
    second = "" if own is None else f", {own.count} × {own.width}×{own.depth} tensor"
    return ChipRecord(
        name=chip.name,
        text=str(point)
        if point is not None
        else f"{its.count} × {its.width}×{its.depth} tensor{second}, {vector} vector",
        fields={
            "tensor cores": _cores_text(its),
            **({} if own is None else {"second tensor cores": _cores_text(own)}),
            "vector cores": f"{count_text(chip.vector.count)} × {count_text(chip.vector.width)} lanes",
            "shared memory on the chip": bytes_text(chip.onchip_bytes),
            "a tensor core's own memory": bytes_text(chip.local_bytes),
            "clock": hertz_text(chip.clock),
            "peak": f"{flops_text(chip.peak_flops)} in bf16",
            "HBM": f"{chip.hbm_bytes / 2**30:g} GiB at {rate_text(chip.hbm_bandwidth)}",
            "links": f"{rate_text(chip.link_bandwidth)} a direction",
        },
        parts=() if point is None else parts_of(point),
        area=None if point is None else point.area,
        budget=chosen.budget,
        peak_flops=chip.peak_flops,
        hbm_bytes=chip.hbm_bytes,
        hbm_bandwidth=chip.hbm_bandwidth,
        source=chip.source,
        assumed=chip.assumed,
        efficiency=chosen.efficiency.source,
    )


def _cores_text(cores: TensorCores) -> str:
    return f"{count_text(cores.count)} × {cores.width}×{cores.depth}, {cores.dataflow}"


def parts_of(point: Point) -> tuple[Part, ...]:
    """What the chip is made of; HBM and package have no area of the die."""
    sizes = {
        "tensor core": f"{point.width}×{point.depth}",
        "second tensor core": f"{point.more_width}×{point.more_depth}",
        "vector core": f"{point.vector_width} lanes",
        "shared buffer": f"{point.buffer_mib} MiB",
        "HBM": f"{point.hbm_gib} GiB in all",
    }
    return tuple(
        Part(
            name=part.name,
            count=part.count,
            detail=sizes.get(part.name, ""),
            area=part.count * part.area,
            watts=part.count * part.watts,
            dollars=part.count * part.dollars,
        )
        for part in point.parts()
    )
