"""Real instructions, one small file each; a file is found by being here and declaring ``ENTRIES``."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from intarsia.machines.entry import Entry


def catalogue() -> dict[str, Entry]:
    """Every entry of every file of this folder by its name, sorted."""
    found: dict[str, Entry] = {}
    for module in iter_modules(__path__):
        entries: tuple[Entry, ...] = import_module(f"{__name__}.{module.name}").ENTRIES
        for entry in entries:
            assert entry.name not in found, f"two entries are named {entry.name}"
            found[entry.name] = entry
    return dict(sorted(found.items()))
