"""The efficiency of a chip: its own calibration, a file's, or one borrowed from the chip that is most like it."""

from __future__ import annotations

from dataclasses import asdict, replace
from importlib.resources import files
from math import hypot, inf
from pathlib import Path
from typing import get_type_hints

import msgspec

from intarsia.ground import InputError, write_file
from intarsia.ground.records import decode_record, read_record
from intarsia.machines.chips.chip import Chip
from intarsia.machines.chips.efficiency import Efficiency
from intarsia.machines.chips.read import read_chip

LENDER = "a100"
"""Whose efficiency other chips borrow: the only one with public measurements of operators and iterations."""
BORROWED_ERROR = 0.12
"""Deviation that borrowing adds within a family (judged from the spread of the best matmul rates, 0.51 to 0.87)."""
STRANGER_ERROR = 0.25
"""The same where the lender is of another family."""
YOUNG = 0.88
"""Of the lender's fraction that a borrowing chip reaches in products: kernels are tuned for the chips that people have.
Judged from llm-foundry's published H100 runs."""
MODERN_HOST = 25e-6
"""Seconds a kernel for a host of a borrowing chip: a host is no property of the lender's chip, and PyTorch 2 issues a
kernel and its gradient in 10 to 30 µs."""
ISSUED = frozenset({"nvidia", "amd", "gaudi"})
"""Families whose kernels a host issues one by one; programs of the others are compiled as a whole."""


_File = msgspec.defstruct("_File", [("chip", str), *get_type_hints(Efficiency).items()], forbid_unknown_fields=True)
"""A calibration as it is stored: whose it is, and all of ``Efficiency``."""


def efficiency_of(chip: Chip, calibration: str = "") -> Efficiency:
    """The efficiency to price a chip with; its ``source`` says whether it is the chip's own.

    Args:
        chip: the chip.
        calibration: a file that ``write_efficiency`` wrote; empty for what is shipped.

    Raises:
        InputError: the file is wrong, or of another chip.
    """
    if calibration:
        of_chip, efficiency = _read(read_record(Path(calibration), _File, what="calibration file"), calibration)
        if of_chip != chip.name:
            raise InputError("the calibration is of another chip", where=calibration, value=of_chip, allowed=chip.name)
        return efficiency
    entry = files("intarsia.machines.chips") / "efficiencies" / f"{LENDER}.json"
    of_lender, own = _read(decode_record(entry.read_bytes(), _File, what="calibration file", where=LENDER), LENDER)
    return own if of_lender == chip.name else _borrowed(chip, read_chip(LENDER), own)


def write_efficiency(path: Path, chip: Chip, efficiency: Efficiency) -> None:
    """Stores a calibration, whole or not at all."""
    content = msgspec.json.encode({"chip": chip.name, **asdict(efficiency)})
    write_file(path, msgspec.json.format(content, indent=2) + b"\n")


def _borrowed(chip: Chip, lender: Chip, own: Efficiency) -> Efficiency:
    """Products are scaled by the best measured rate where there is one; hosts are modern, or there are none."""
    kin = chip.family == lender.family
    known = chip.best_flops > 0
    scale = YOUNG * ((chip.best_flops / chip.peak_flops) / (lender.best_flops / lender.peak_flops) if known else 1.0)
    host = min(own.host, MODERN_HOST) if chip.family in ISSUED else 0.0
    rate = "scaled to its best measured matmul rate" if known else "unscaled: no measured matmul rate is known"
    return replace(
        own,
        matmul=min(own.matmul * scale, 1.0),
        flash=min(own.flash * scale, 1.0),
        host=host,
        straggle=own.straggle * host / own.host if own.host else 0.0,
        error=hypot(own.error, BORROWED_ERROR if kin and known else STRANGER_ERROR),
        source=f"borrowed from {lender.name}, {rate}; {host * 1e6:.0f} µs of host a kernel; {own.source}",
    )


def _read(stored: msgspec.Struct, where: str) -> tuple[str, Efficiency]:
    """The chip's name and its efficiency."""
    values = msgspec.structs.asdict(stored)
    chip = values.pop("chip")
    efficiency = Efficiency(**values)
    refuse_efficiency(efficiency, where=where)
    return chip, efficiency


def refuse_efficiency(efficiency: Efficiency, *, where: str) -> None:
    """Says nothing where fractions are fractions and seconds are not negative.

    Raises:
        InputError: they are not.
    """
    for name in ("matmul", "flash", "memory", "misaligned", "link"):
        value = getattr(efficiency, name)
        if not 0 < value <= 1:
            raise InputError(f"{name} is no fraction", where=where, value=str(value), allowed="0 < fraction ≤ 1")
    for name in ("kernel", "host", "collective", "straggle", "error"):
        value = getattr(efficiency, name)
        if not 0 <= value < inf:
            raise InputError(f"{name} is negative", where=where, value=str(value), allowed="0 or more")
