"""An x86 processor: native code for its instructions, made at run time, and how fast it is.

Importing this room does not import LLVM; an engine does when it is made.
"""

from intarsia.targets.x86.code_generator import Passes
from intarsia.targets.x86.engine import Engine, Native
from intarsia.targets.x86.features import Features, host_features
from intarsia.targets.x86.intrinsics import Spelling, spelling, usable
from intarsia.targets.x86.levels import LEVELS, at_level, level_of
from intarsia.targets.x86.measure import Measured, Rates, calls_per_second, pinned, rates_of
from intarsia.targets.x86.processor import Cache, Processor, host_processor

__all__ = [
    "LEVELS",
    "Cache",
    "Engine",
    "Features",
    "Measured",
    "Native",
    "Passes",
    "Processor",
    "Rates",
    "Spelling",
    "at_level",
    "calls_per_second",
    "host_features",
    "host_processor",
    "level_of",
    "pinned",
    "rates_of",
    "spelling",
    "usable",
]
