"""Arrays at the border: what is refused, and what is copied because code cannot read or write it where it is."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.ground import InputError
from intarsia.operators import DTYPES, Tensor, numpy_dtype

Array = NDArray[Any]
LINE, LARGE = 64, 1 << 15
"""Bytes of a cache line, and of a result from which on it pays to begin on one."""
FIELD = object.__basicsize__
"""Bytes from an array object to its pointer to data: the first field behind what every object has."""


def bound(
    where: str, free: tuple[Tensor, ...], arrays: tuple[Array, ...], named: Mapping[str, Array]
) -> dict[str, Array]:
    """Arrays by name, those without a name in the order of the inputs.

    Raises:
        InputError: too many, too few, one twice or unknown, no array, or one of another shape or dtype.
    """
    names = [t.name for t in free]
    if len(arrays) > len(free):
        raise InputError("too many arrays", where=where, value=str(len(arrays)), allowed=_listed(free))
    found = dict(zip(names, arrays, strict=False))
    for name, array in named.items():
        if name not in names:
            raise InputError("unknown input", where=where, value=name, allowed=_listed(free))
        if name in found:
            raise InputError("an input is given twice", where=where, value=name)
        found[name] = array
    for tensor in free:
        if tensor.name not in found:
            raise InputError("missing input", where=where, value=tensor.name, allowed=str(tensor))
        check_array(f"{where}, input {tensor.name}", found[tensor.name], tensor)
    return found


def check_array(where: str, array: Any, tensor: Tensor) -> None:
    """Refuse what is no array of a tensor's shape and dtype.

    Raises:
        InputError: with what was found and what is needed.
    """
    if not isinstance(array, np.ndarray):
        raise InputError("no NumPy array", where=where, value=type(array).__name__, hint="numpy.asarray")
    if array.dtype != numpy_dtype(tensor.dtype):
        raise InputError("wrong dtype", where=where, value=str(array.dtype), allowed=tensor.dtype)
    if array.shape != tensor.shape:
        raise InputError("wrong shape", where=where, value=str(array.shape), allowed=str(tensor.shape))


def readable(array: Array) -> Array:
    """The array, or a copy that is contiguous and aligned."""
    flags = array.flags
    return array if flags.c_contiguous and flags.aligned else np.array(array, order="C")


def writable(out: Array, read: Mapping[str, Array]) -> bool:
    """Whether results may be written where they shall be, without touching what is still to be read."""
    flags = out.flags
    direct = flags.c_contiguous and flags.aligned
    return direct and not any(np.may_share_memory(out, array) for array in read.values())


def overlaps_itself(array: Array) -> bool:
    """Whether elements may share memory, as those of a broadcast or sliding view do: no dim steps over those inside."""
    reach: int = array.itemsize
    for stride, count in sorted((abs(s), n) for s, n in zip(array.strides, array.shape, strict=True) if n > 1):
        if stride < reach:
            return True
        reach += stride * (count - 1)
    return False


class Results:
    """Makes new arrays of one shape and dtype; large ones begin on a cache line, so that no store crosses two."""

    def __init__(self, tensor: Tensor) -> None:
        self._shape, self._dtype = tensor.shape, numpy_dtype(tensor.dtype)
        self._size = prod(tensor.shape) * DTYPES[tensor.dtype]
        self._address = quick_address()

    def __call__(self) -> Array:
        """An array whose elements are anything."""
        if self._size < LARGE:
            return np.empty(self._shape, self._dtype)
        memory = np.empty(self._size + LINE, np.uint8)
        return np.ndarray(self._shape, self._dtype, memory, -self._address(memory) % LINE)


def address(array: Array) -> int:
    """Where an array begins, by NumPy's own attribute; takes microseconds."""
    place: int = array.__array_interface__["data"][0]
    return place


def _by_field(array: Array) -> int:
    """The same, read from the field of the array's structure where every extension of NumPy reads it."""
    return ctypes.c_size_t.from_address(id(array) + FIELD).value


def quick_address() -> Callable[[Array], int]:
    """The quickest way to know where an array begins that is right on this interpreter."""
    probes = [np.zeros(5, np.int8)[k:] for k in range(3)]
    return _by_field if all(_by_field(probe) == address(probe) for probe in probes) else address


def _listed(free: tuple[Tensor, ...]) -> str:
    return ", ".join(t.name for t in free) or "none"
