"""Threads that share native code's work: they wait awake for the next call, then asleep."""

from intarsia.targets.x86.threads.layout import MOST
from intarsia.targets.x86.threads.pool import Pool
from intarsia.targets.x86.threads.work import ENDLESS, Phase, Work

__all__ = ["ENDLESS", "MOST", "Phase", "Pool", "Work"]
