"""Slots of an on-chip buffer, filled in turn; a tile that is still there is not loaded again."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Ring:
    """A buffer region of ``count`` slots of ``size`` tensors from ``base`` (mutable; lives inside one lowering)."""

    base: int
    size: int
    count: int
    _keys: list[object] = field(default_factory=list)
    _used: list[int] = field(default_factory=list)
    _next: int = 0

    def find(self, key: object) -> int | None:
        """The slot that holds a tile, None if it has to be loaded."""
        return self._keys.index(key) if key in self._keys else None

    def fill(self, key: object) -> tuple[int, int]:
        """Take the next slot for a tile: (slot, step that last read what was there, -1 if none)."""
        if len(self._keys) < self.count:
            self._keys.append(key)
            self._used.append(-1)
            return len(self._keys) - 1, -1
        slot = self._next
        self._next = (slot + 1) % self.count
        self._keys[slot] = key
        return slot, self._used[slot]

    def use(self, slot: int, step: int) -> int:
        """Note that a step reads a slot; returns the address of the slot."""
        self._used[slot] = step
        return self.base + slot * self.size
