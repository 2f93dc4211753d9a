"""Fields of a template's point as a reader knows them."""

from __future__ import annotations

from intarsia.ground.units import count_text, hertz_text, rate_text
from intarsia.machines.template import Point

NAMES = {
    "tensor_cores": "tensor cores",
    "vector_cores": "vector cores",
    "width": "width of a tensor core",
    "depth": "depth of a tensor core",
    "vector_width": "lanes of a vector core",
    "more_cores": "second tensor cores",
    "more_width": "width of a second tensor core",
    "more_depth": "depth of a second tensor core",
    "buffer_mib": "shared buffer",
    "hbm_gib": "HBM",
    "stacks": "HBM stacks",
    "clock": "clock",
    "link_bandwidth": "links",
}
UNITS = {"buffer_mib": "MiB", "hbm_gib": "GiB"}


def field_text(point: Point, name: str) -> str:
    """The value of a point's field with its unit."""
    value = getattr(point, name)
    match name:
        case "clock":
            return hertz_text(value)
        case "link_bandwidth":
            return rate_text(value)
        case _:
            return f"{count_text(value)} {UNITS.get(name, '')}".rstrip()
