"""What commands say of the energy of an iteration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from intarsia.ground.units import joules_text, watts_text

if TYPE_CHECKING:
    from intarsia.place import Energy


def energy_fields(energy: Energy | None, chip: str) -> Iterator[tuple[str, str]]:
    """Names and values: joules, watts beside the peak, where they go.

    Args:
        energy: of an iteration; None where nobody knows it.
        chip: its name.
    """
    if energy is None:
        yield "energy", f"not known: {chip} is no chip of the template"
        return
    token = energy.joules_per_token
    each = f"{joules_text(energy.joules_per_sample)} an image" if token is None else f"{joules_text(token)} a token"
    yield "energy", f"{joules_text(energy.joules)} an iteration, {each}"
    mean, peak = watts_text(energy.mean_watts), watts_text(energy.peak_watts)
    parts = ", ".join(f"{name} {watts_text(watts)}" for name, watts in energy.watts.items() if watts)
    yield "  a device", f"{mean} of {peak} at most: {parts}"


def energy_json(energy: Energy | None) -> dict[str, Any] | None:
    """The same as JSON; null where nobody knows it."""
    if energy is None:
        return None
    return {
        "joules": energy.joules,
        "joules_per_sample": energy.joules_per_sample,
        "joules_per_token": energy.joules_per_token,
        "mean_watts": energy.mean_watts,
        "peak_watts": energy.peak_watts,
        "parts": dict(energy.parts),
        "watts": dict(energy.watts),
        "peaks": dict(energy.peaks),
    }
