"""What commands share that search over chips: options, and what they print of the chip and of the search."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from intarsia.ground.units import count_text

if TYPE_CHECKING:
    from intarsia.machines.template import Point
    from intarsia.search import Audit, Certificate, ServingAudit, ServingCertificate

Add = Callable[..., Any]
OBJECTIVE = "throughput"


def chip_options(add: Add) -> None:
    """``--hbm`` and ``--objective``.

    Args:
        add: ``add_argument`` of a parser or of a group.
    """
    add("--hbm", metavar="GIB,GIB", type=_sizes, default=(), help="capacities of phaze (default 80)")
    add(
        "--objective", metavar="WHAT", default=OBJECTIVE,
        help="throughput (default), throughput-per-area, throughput-per-watt, throughput-per-dollar",
    )  # fmt: skip


def audit_options(add: Add) -> None:
    """``--audit`` and ``--seed``."""
    add("--audit", metavar="N", type=int, default=0, help="evaluate N removed chips in full as well")
    add("--seed", metavar="N", type=int, default=0, help="of the audit's draw (default 0)")


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no list of GiB, such as 32,64,80") from None


def taken_text(point: Point) -> str:
    """What one chip takes."""
    return f"{point.area:.1f} mm², {point.watts:.0f} W at most, ${point.dollars:,.0f}"


def ending(
    proof: Certificate | ServingCertificate, by: str, search: str, audit: Audit | ServingAudit | None
) -> list[tuple[str, str]]:
    """What became of the chips.

    Args:
        proof: the certificate.
        by: which bounds removed chips.
        search: how long it took.
        audit: of removed chips; None without one.
    """
    fields = [
        ("removed", f"{count_text(proof.bounded)} by {by}, {count_text(proof.cut)} when looked at"),
        ("evaluated", f"{count_text(proof.evaluated)} in full"),
        ("search", search),
    ]
    if audit is not None:
        fields.append(("audit", f"{audit.checked} removed chips evaluated, {len(audit.beaten)} better"))
    return fields


def chip_json(point: Point) -> dict[str, Any]:
    """A chip's fields, and what it takes."""
    return {**asdict(point), "area_mm2": point.area, "watts": point.watts, "dollars": point.dollars}


def proof_json(proof: Certificate | ServingCertificate, audit: Audit | ServingAudit | None) -> dict[str, Any]:
    """What became of the chips."""
    checked = None if audit is None else {"checked": audit.checked, "beaten": [str(one) for one in audit.beaten]}
    return {
        "points": proof.points,
        "evaluated": proof.evaluated,
        "removed": {"bounds": proof.bounded, "cut": proof.cut},
        "audit": checked,
    }
