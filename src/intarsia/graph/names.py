"""What layers are called, from the names of their steps."""

from __future__ import annotations

import re
from collections import Counter


def common(names: list[str]) -> str:
    """The modules that all names share, or the first name."""
    pieces = [re.split(r"([./])", name) for name in names]
    shared = 0
    for column in zip(*pieces, strict=False):
        if len(set(column)) > 1:
            break
        shared += 1
    text = "".join(pieces[0][:shared]).strip("./")
    return text or names[0].strip("./")


def distinct(names: list[str]) -> list[str]:
    """The same names, later ones numbered where they are equal."""
    met: Counter[str] = Counter()
    shown: list[str] = []
    for name in names:
        met[name] += 1
        shown.append(name if met[name] == 1 else f"{name} ({met[name]})")
    return shown
