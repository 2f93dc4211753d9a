"""One chip of the template."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.machines.chips import Chip, Dataflow, TensorCores, VectorCores
from intarsia.machines.template.area import BYTES_PER_ELEMENT, buffer_area, tensor_core_area, vector_core_area

CLOCK = 1.05e9
"""Published clock, hertz."""
HBM_BANDWIDTH = 1.2e12
"""Of TPUv4, bytes per second: the publication says none."""
LINK_BANDWIDTH = 300e9
"""Of TPUv4, bytes per second and direction."""


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """What is chosen.

    Attributes:
        tensor_cores, vector_cores: how many of each.
        width: columns of a tensor core, and lanes of a vector core.
        depth: rows of a tensor core.
        buffer_mib: the shared buffer.
        hbm_gib: capacity of the memory beside the die; it takes no area.
    """

    tensor_cores: int
    vector_cores: int
    width: int
    depth: int
    buffer_mib: int
    hbm_gib: int = 80

    @property
    def area(self) -> float:
        """Of the die at 22 nm, mm²."""
        tensor = self.tensor_cores * tensor_core_area(self.width, self.depth)
        return tensor + self.vector_cores * vector_core_area(self.width) + buffer_area(self.buffer_mib)

    def __str__(self) -> str:
        cores = f"{self.tensor_cores} × {self.width}×{self.depth} tensor, {self.vector_cores} × {self.width} vector"
        return f"{cores}, {self.buffer_mib} MiB, {self.hbm_gib} GiB HBM"


def chip_of(point: Point) -> Chip:
    """The chip of a point."""
    cores = f"{point.tensor_cores}x{point.width}x{point.depth}-{point.vector_cores}x{point.width}"
    return Chip(
        name=f"template-{cores}-{point.buffer_mib}m-{point.hbm_gib}g",
        family="template",
        clock=CLOCK,
        tensor=TensorCores(point.tensor_cores, point.width, point.depth, Dataflow.SYSTOLIC),
        vector=VectorCores(point.vector_cores, point.width),
        onchip_bytes=point.buffer_mib << 20,
        local_bytes=BYTES_PER_ELEMENT * point.width * point.depth,
        hbm_bytes=point.hbm_gib << 30,
        hbm_bandwidth=HBM_BANDWIDTH,
        link_bandwidth=LINK_BANDWIDTH,
        best_flops=0.0,
        fp8_factor=1.0,
        serial=False,
        source="template of Wang et al., ICML 2024 (arXiv 2407.13143)",
        assumed=(
            "HBM: 1.2 TB/s, as TPUv4",
            "links: as TPUv4",
            f"a core's own memory: {BYTES_PER_ELEMENT} bytes for each multiplier",
            "the shared buffer feeds every core at w + d elements a cycle",
        ),
    )
