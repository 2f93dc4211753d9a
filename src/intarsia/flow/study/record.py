"""What every part of a result is."""

from __future__ import annotations

import msgspec


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a result: unknown fields are refused, for a new field is a new version."""
