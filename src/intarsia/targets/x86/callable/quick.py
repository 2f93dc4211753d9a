"""Calls whose arrays lie as code wants them: checked with few operations, so that small kernels stay small.

A call that is not plainly right is not refused here: it is left to the careful way, which copies or says what is wrong.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.operators import DTYPES, Tensor, numpy_dtype
from intarsia.targets.x86.callable.arrays import Results, quick_address
from intarsia.targets.x86.callable.entry import Entry, fields_are_known
from intarsia.targets.x86.callable.kernels import Ready
from intarsia.targets.x86.callable.turned import Runs
from intarsia.targets.x86.engine import Engine
from intarsia.targets.x86.threads import Pool

Array = NDArray[Any]


class Quick:
    """Code whose inputs are all factors, read where they are."""

    def __init__(
        self, ready: Runs, inputs: tuple[Tensor, ...], result: Tensor, pool: Pool | None, engine: Engine
    ) -> None:
        self._ready, self._pool = ready, pool
        self._entry: Entry | None = None
        if isinstance(ready, Ready) and len(inputs) == 1 and fields_are_known():
            self._entry = Entry(ready, inputs[0], result, engine, pool)
        every = (*inputs, result)
        self._facts = [(numpy_dtype(t.dtype), t.shape, DTYPES[t.dtype]) for t in every]
        *self._sizes, self._size = (prod(t.shape) * DTYPES[t.dtype] for t in every)
        self._count = len(inputs)
        self._order = ready.order(tuple(t.name for t in inputs))
        self._result = Results(result)
        self._address = quick_address()

    def __call__(self, arrays: tuple[Array, ...], out: Array | None) -> Array | None:
        """The result, or None if the call is not one of those that are done here."""
        if out is None:
            out = self._result()
        if self._entry is not None and len(arrays) == 1 and self._entry(arrays[0], out):
            return out
        if len(arrays) != self._count or type(out) is not np.ndarray or not out.flags.writeable:
            return None
        places = []
        for array, (dtype, shape, item) in zip((*arrays, out), self._facts, strict=True):
            if type(array) is not np.ndarray or array.dtype != dtype or array.shape != shape:
                return None
            place = self._address(array)
            if place % item or not array.flags.c_contiguous:
                return None
            places.append(place)
        to = places.pop()
        for place, size in zip(places, self._sizes, strict=True):
            if place < to + self._size and to < place + size:
                return None
        self._ready.at([places[i] for i in self._order], to, self._pool)
        return out
