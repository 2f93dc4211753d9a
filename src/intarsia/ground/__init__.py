"""The floor of the house: errors, atomic files, bundled data, the store of results."""

from intarsia.ground.errors import InputError

__all__ = ["InputError"]
