"""Levels: how much of a processor code may use, by names that a user can type.

In comes a level's name, or nothing for all that the processor has; out go features. A level leaves out by name what it
does not have, so code for it runs on every processor of that level.
"""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.ground import InputError
from intarsia.targets.x86.code_generator import AVX512
from intarsia.targets.x86.features import Features, flags, host_features

NEWER = ("avx10", "amx")
"""Beginnings of features that no level has: no instruction of the catalogue's kernels needs them."""


@dataclass(frozen=True, slots=True)
class Level:
    """Features by a name.

    Attributes:
        name: what a user types.
        needs: features that a processor must have.
        without: beginnings of the names of features that code may not use.
    """

    name: str
    needs: tuple[str, ...]
    without: tuple[str, ...]


LEVELS = (
    Level("avx2", ("avx2", "fma"), ("avx512", "avxvnni", *NEWER)),
    Level("avx-vnni", ("avx2", "fma", "avxvnni"), ("avx512", *NEWER)),
    Level("avx512", AVX512, ("avx512vnni", "avx512bf16", "avxvnni", *NEWER)),
    Level("avx512-vnni", (*AVX512, "avx512vnni"), ("avx512bf16", *NEWER)),
    Level("avx512-bf16", (*AVX512, "avx512vnni", "avx512bf16"), NEWER),
)
"""The least first."""


def at_level(name: str | None, host: Features | None = None) -> Features:
    """The features of a level on a processor; all of the processor's for None.

    Args:
        name: of the level.
        host: the processor; the one that this runs on for None.

    Raises:
        InputError: no such level, or one above the processor's.
    """
    host = host or host_features()
    if name is None:
        return host
    level = next((level for level in LEVELS if level.name == name), None)
    if level is None:
        raise InputError("no such level", where="features", value=name, allowed=", ".join(x.name for x in LEVELS))
    lacking = [feature for feature in level.needs if not host.has(feature)]
    if lacking:
        has = ", ".join(x.name for x in LEVELS if host.has(*x.needs)) or "none"
        what = f"the processor ({host.cpu}) lacks {flags(lacking)}"
        raise InputError(what, where="features", value=name, allowed=has)
    return host.without(*level.without)


def level_of(features: Features) -> str:
    """The highest level that features reach; empty for none."""
    return next((level.name for level in reversed(LEVELS) if features.has(*level.needs)), "")
