"""The chip of a point, with everything that was assumed about it."""

from __future__ import annotations

from intarsia.ground import InputError
from intarsia.ground.units import hertz_text, rate_text
from intarsia.machines.chips import Chip, Dataflow, TensorCores, VectorCores
from intarsia.machines.template.area import BYTES_PER_ELEMENT
from intarsia.machines.template.energy import CLOCK
from intarsia.machines.template.parts import STACK_GIB
from intarsia.machines.template.point import HBM_BANDWIDTH, LINK_BANDWIDTH, STACK_BANDWIDTH, Point


def chip_of(point: Point) -> Chip:
    """The chip of a point."""
    more = TensorCores(point.more_cores, point.more_width, point.more_depth, Dataflow.SYSTOLIC)
    return Chip(
        name=_name(point),
        family="template",
        clock=point.clock,
        tensor=TensorCores(point.tensor_cores, point.width, point.depth, Dataflow.SYSTOLIC),
        vector=VectorCores(point.vector_cores, point.vector_width),
        onchip_bytes=point.buffer_mib << 20,
        local_bytes=BYTES_PER_ELEMENT * point.width * point.depth,
        hbm_bytes=point.hbm_bytes,
        hbm_bandwidth=point.hbm_bandwidth,
        link_bandwidth=point.link_bandwidth,
        best_flops=0.0,
        fp8_factor=1.0,
        serial=False,
        source="template of Wang et al., ICML 2024 (arXiv 2407.13143)",
        assumed=_assumed(point),
        second=more if point.more_cores else None,
    )


def point_of(chip: Chip) -> Point | None:
    """The point whose cores, buffer, HBM, clock and links a chip has; None for a chip that is none of the template.

    A tensor core's own memory is that of the template, whatever the chip says of it.
    """
    stacks = 0 if chip.hbm_bandwidth == HBM_BANDWIDTH else round(chip.hbm_bandwidth / STACK_BANDWIDTH)
    more = chip.second
    point = Point(
        tensor_cores=chip.tensor.count,
        vector_cores=chip.vector.count,
        width=chip.tensor.width,
        depth=chip.tensor.depth,
        buffer_mib=chip.onchip_bytes >> 20,
        hbm_gib=chip.hbm_bytes >> 30,
        vector_width=chip.vector.width,
        clock=chip.clock,
        stacks=stacks,
        link_bandwidth=chip.link_bandwidth,
        **({} if more is None else {"more_cores": more.count, "more_width": more.width, "more_depth": more.depth}),
    )
    made = chip_of(point)
    alike = ("family", "tensor", "second", "onchip_bytes", "hbm_bytes", "hbm_bandwidth", "serial")
    if any(getattr(made, name) != getattr(chip, name) for name in alike):
        return None
    try:
        point.parts()
    except InputError:
        return None  # a memory is larger than any whose area is known, or the clock too fast
    return point


def _name(point: Point) -> str:
    cores = f"{point.tensor_cores}x{point.width}x{point.depth}"
    if point.more_cores:
        cores += f"-{point.more_cores}x{point.more_width}x{point.more_depth}"
    cores += f"-{point.vector_cores}x{point.vector_width}"
    name = f"template-{cores}-{point.buffer_mib}m-{point.hbm_gib}g"
    if point.stacks:
        name += f"-{point.stacks}s"
    if point.clock != CLOCK:
        name += f"-{hertz_text(point.clock)}"
    if point.link_bandwidth != LINK_BANDWIDTH:
        name += f"-{rate_text(point.link_bandwidth).removesuffix('/s')}"
    return name.replace(" ", "").lower()


def _assumed(point: Point) -> tuple[str, ...]:
    stack = f"HBM: {point.stacks} stacks of HBM2E, {STACK_GIB} GiB and {rate_text(STACK_BANDWIDTH)} each"
    links = "links: as TPUv4"
    if point.link_bandwidth != LINK_BANDWIDTH:
        links = f"links: {rate_text(point.link_bandwidth)} in each direction, chosen with the chip"
    said = [
        stack if point.stacks else "HBM: 1.2 TB/s, as TPUv4",
        links,
        f"a core's own memory: {BYTES_PER_ELEMENT} bytes for each multiplier",
        "the shared buffer feeds every core at w + d elements a cycle",
    ]
    if point.more_cores:
        said.append("a product runs on cores of one kind; the shared buffer feeds both kinds at once")
    if point.clock != CLOCK:
        said.append(f"clock: {hertz_text(point.clock)} instead of the published 1.05, by another supply voltage")
    return tuple(said)
