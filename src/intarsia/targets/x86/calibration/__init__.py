"""The cost model's constants, fitted to this machine by a short measurement and kept."""

from intarsia.targets.x86.calibration.copies import bytes_turned
from intarsia.targets.x86.calibration.fit import Quality, fitted, quality
from intarsia.targets.x86.calibration.kept import Calibrated, keep, kept, key_for, speeds_here
from intarsia.targets.x86.calibration.measured import Trial, trials
from intarsia.targets.x86.calibration.samples import Sample, samples

__all__ = [
    "Calibrated",
    "Quality",
    "Sample",
    "Trial",
    "bytes_turned",
    "fitted",
    "keep",
    "kept",
    "key_for",
    "quality",
    "samples",
    "speeds_here",
    "trials",
]
