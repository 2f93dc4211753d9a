"""Are numbers printed with the digits and the unit that a reader expects?"""

from __future__ import annotations

import pytest

from intarsia.ground.units import (
    bytes_text,
    count_text,
    from_picoseconds,
    percent_text,
    picoseconds,
    ratio_text,
    seconds_text,
    tokens_text,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (802_816, "803 kB"), (999_999, "1 MB"), (2**31, "2.15 GB")],
)
def test_bytes(value: int, text: str) -> None:
    assert bytes_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 s"),
        (3e-9, "3 ns"),
        (1.5e-6, "1.5 µs"),
        (0.00123, "1.23 ms"),
        (0.9999, "1 s"),
        (59.96, "60 s"),
        (131, "2 min 11 s"),
    ],
)
def test_seconds(value: float, text: str) -> None:
    assert seconds_text(value) == text


def test_counts_ratios_and_parts() -> None:
    assert count_text(1_234_567) == "1,234,567"
    assert ratio_text(1.6) == "1.60×"
    assert (tokens_text(22485.6), tokens_text(99.46)) == ("22,486", "99.5")
    assert percent_text(1, 8) == "12.5 %"
    assert percent_text(1, 0) == "–"


@pytest.mark.parametrize("seconds", [0.0, 1e-13, 1.2345e-9, 0.00123, 59.96, 86_400.0])
def test_a_bound_in_picoseconds_is_never_above_its_seconds(seconds: float) -> None:
    count = picoseconds(seconds)
    assert from_picoseconds(count) <= seconds * (1 + 1e-15)
    assert from_picoseconds(count + 1) >= seconds * (1 - 1e-15)
