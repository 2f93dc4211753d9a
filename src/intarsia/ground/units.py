"""Numbers as a reader likes them. Everything inside is SI (seconds, bytes, hertz); only printing rounds.

Bounds of outcomes are whole numbers: of seconds they count picoseconds.
"""

from __future__ import annotations


def picoseconds(seconds: float) -> int:
    """Seconds as whole picoseconds, rounded down, so that a lower bound stays one."""
    return int(seconds * 1e12)


def from_picoseconds(count: int) -> float:
    """Whole picoseconds as seconds."""
    return count * 1e-12


def count_text(value: int) -> str:
    """``1234567`` as ``1,234,567``."""
    return f"{value:,}"


def bytes_text(value: int) -> str:
    """Bytes in decimal multiples with three digits: ``802,816`` is ``803 kB``."""
    return f"{value} B" if value < 1000 else _scaled(float(value), ("B", "kB", "MB", "GB", "TB", "PB"))


def seconds_text(value: float) -> str:
    """Seconds with three digits in s, ms, µs or ns: ``0.00123`` is ``1.23 ms``; above two minutes, in minutes."""
    if value >= 120:
        return f"{int(value // 60)} min {int(value % 60)} s"
    if value >= 1 or value == 0:
        return f"{value:.3g} s"
    return _scaled(value * 1e9, ("ns", "µs", "ms", "s"))


def hertz_text(value: float) -> str:
    """Hertz in gigahertz, with all their digits: ``1.05e9`` is ``1.05 GHz``."""
    return f"{value / 1e9:.12g} GHz"


def rate_text(value: float) -> str:
    """Bytes per second in GB/s, with all their digits: ``3e11`` is ``300 GB/s``."""
    return f"{value / 1e9:.12g} GB/s"


def flops_text(value: float) -> str:
    """Operations per second in TFLOP/s without decimals: ``5.51e14`` is ``551 TFLOP/s``."""
    return f"{value / 1e12:,.0f} TFLOP/s"


def joules_text(value: float) -> str:
    """Joules with three digits in mJ, J, kJ, MJ or GJ: ``0.00266`` is ``2.66 mJ``."""
    return _scaled(value * 1e6, ("µJ", "mJ", "J", "kJ", "MJ", "GJ"))


def watts_text(value: float) -> str:
    """Watts with one decimal: ``65.199`` is ``65.2 W``."""
    return f"{value:,.1f} W"


def tokens_text(value: float) -> str:
    """Tokens per second, without decimals where there are a hundred: ``22485.6`` is ``22,486``."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def ratio_text(value: float) -> str:
    """A ratio with its sign: ``1.6`` is ``1.60×``."""
    return f"{value:.2f}×"


def percent_text(part: float, whole: float) -> str:
    """A part of a whole with one decimal, or a dash where the whole is nothing."""
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _scaled(value: float, names: tuple[str, ...]) -> str:
    """Three significant digits with the name for which fewer than four digits stand before the point."""
    for name in names[:-1]:
        if value < 999.5:
            return f"{value:.3g} {name}"
        value /= 1000
    return f"{value:.3g} {names[-1]}"
