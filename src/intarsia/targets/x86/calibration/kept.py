"""Fitted constants on disk: one file for each machine, processor and text of the cost model.

What is read is not trusted: a file holds the digest of its constants, and one that was changed counts as absent.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from intarsia.ground import InputError, write_file
from intarsia.ground.records import read_record
from intarsia.ground.store import default_store
from intarsia.targets.x86.features import Features
from intarsia.targets.x86.lowering import Speeds, cost, runs, traffic
from intarsia.targets.x86.measure import key_of
from intarsia.targets.x86.processor import Processor, host_processor

PARTS = (cost.__file__, runs.__file__, traffic.__file__)
MODEL = hashlib.sha256(b"".join(Path(part).read_bytes() for part in PARTS)).hexdigest()[:16]
"""Of the cost model's text: constants that were fitted to another one are not taken."""


class Calibrated(msgspec.Struct, frozen=True):
    """Fitted constants with what they belong to.

    Attributes:
        key: machine, processor, cost model.
        instruction: whose plans were measured.
        speeds: the constants.
        plans: how many were measured.
        tau: the quality of ranking, by samples that were left out.
        regret: likewise, by the number of plans that are measured.
    """

    key: dict[str, Any]
    instruction: str
    speeds: Speeds
    plans: int
    tau: float
    regret: dict[int, float]


class _Sealed(msgspec.Struct, frozen=True):
    """Constants behind their digest."""

    digest: str
    calibrated: Calibrated


def kept(processor: Processor, instruction: str, *, folder: Path | None = None) -> Calibrated | None:
    """What was fitted on this machine for an instruction; None if nothing was, or the file is damaged."""
    key = key_for(processor, instruction)
    try:
        sealed = read_record(_file(key, folder), _Sealed, what="calibration")
    except InputError:
        return None
    found = sealed.calibrated
    return found if found.key == key and sealed.digest == _digest(found) else None


def speeds_here(features: Features, instruction: str) -> Speeds | None:
    """The constants that were fitted on this machine for code of some features; None if none were."""
    found = kept(replace(host_processor(), features=features), instruction)
    return None if found is None else found.speeds


def keep(processor: Processor, found: Calibrated, *, folder: Path | None = None) -> Path:
    """Write constants to their file.

    Raises:
        InputError: it cannot be written.
    """
    file = _file(key_for(processor, found.instruction), folder)
    write_file(file, msgspec.json.format(msgspec.json.encode(_Sealed(_digest(found), found))))
    return file


def key_for(processor: Processor, instruction: str) -> dict[str, Any]:
    """What constants belong to."""
    return {**key_of(processor), "model": MODEL, "instruction": instruction}


def _digest(found: Calibrated) -> str:
    return hashlib.sha256(msgspec.json.encode(found)).hexdigest()


def _file(key: dict[str, Any], folder: Path | None) -> Path:
    name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:32]
    return (folder or default_store().with_name("processors")) / f"speeds-{name}.json"
