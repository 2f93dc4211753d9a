"""An operator as a function on NumPy arrays."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.embed import Embedding, Layout, layout_of
from intarsia.ground import InputError
from intarsia.operators import Tensor
from intarsia.targets.x86.callable.arrays import Results, bound, check_array, overlaps_itself, writable
from intarsia.targets.x86.callable.body import Direct
from intarsia.targets.x86.callable.build import Builder, Built
from intarsia.targets.x86.callable.proof import prove
from intarsia.targets.x86.callable.quick import Quick
from intarsia.targets.x86.callable.source import Source
from intarsia.targets.x86.callable.words import in_words
from intarsia.targets.x86.features import Features
from intarsia.targets.x86.lowering import Kernel, Plan
from intarsia.targets.x86.threads import Pool

Array = NDArray[Any]


class Compiled:
    """An operator compiled for this processor; may be called from several threads at once.

    Constants (weights, zero points, bias, scale) are packed when they are given at compile time or, given with a call,
    when their values differ from those of the call before. Code gives results after it gave the reference interpreter's
    on random inputs, once for each plan.
    """

    def __init__(self, source: Source, builder: Builder, constants: Mapping[str, Array], *, threads: int = 1) -> None:
        """An operator with some constants; ``intarsia.compile`` makes one.

        Raises:
            InputError: a constant that is wrong, or an operator that the processor has no code for.
        """
        self._source, self._builder = source, builder
        q = source.q
        self._where = source.operator.name
        self._inputs = source.operator.inputs if q is None else q.inputs
        self._result = source.operator.outputs[0] if q is None else q.result
        self._new = Results(self._result)
        factors = {read.tensor for read in source.operator.statements[0].reads}
        self._seldom = tuple(t for t in self._inputs if t.constant or t.name not in factors)
        self._fixed = _constants(self._where, self._seldom, constants)
        self._free = tuple(t for t in self._inputs if t.name not in self._fixed)
        self._pool = Pool(threads, builder.engine) if threads > 1 else None
        self._lock = threading.Lock()
        self._now: tuple[Mapping[str, Array], Built] | None = None
        self._proved: list[Plan] = []
        self._quick: Quick | None = None
        if all(t.name in self._fixed for t in self._seldom):
            body = self._build(self._settings({})).body
            if isinstance(body, Direct) and not body.moves:
                self._quick = Quick(body.ready, self._free, self._result, self._pool, builder.engine)

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What a call is given, in this order: inputs that no constant was given for."""
        return self._free

    @property
    def result(self) -> Tensor:
        """What a call returns."""
        return self._result

    def __call__(self, *arrays: Array, out: Array | None = None, **named: Array) -> Array:
        """The result for some arrays.

        Arrays are read, and ``out`` is written, where they are. Those that are not contiguous or not aligned are
        copied, and results go by way of a copy if ``out`` shares memory with what is read.

        Args:
            arrays: inputs in the order of ``inputs``.
            out: where the result goes; new memory for None.
            named: inputs by name.

        Returns:
            ``out``, or a new array.

        Raises:
            InputError: an input that is missing, unknown, given twice, no array, or of another shape or dtype, a scale
                that is not finite, an ``out`` that is of another shape or dtype, read-only, or whose elements share
                memory.
        """
        if self._quick is not None and not named:
            done = self._quick(arrays, out)
            if done is not None:
                return done
        given = bound(self._where, self._free, arrays, named)
        if out is None:
            out = self._new()
        else:
            self._check_out(out)
        body = self._built(given).body
        factors = {t.name: given[t.name] for t in self._free if t not in self._seldom}
        if writable(out, given):
            body.run(factors, out, self._pool)
        else:
            apart = np.empty(out.shape, out.dtype)
            body.run(factors, apart, self._pool)
            out[...] = apart
        return out

    @property
    def features(self) -> Features:
        """What its code may use of the processor."""
        return self._builder.features

    @property
    def embedding(self) -> Embedding:
        """How the instruction's lanes execute the operator.

        Raises:
            InputError: constants are still to be given, or the operator runs without code.
        """
        return self.plan.embedding

    @property
    def native(self) -> bool:
        """Whether code computes it; if not, the reference does, or constants are still to be given."""
        return self._now is not None and bool(self._now[1].plans)

    @property
    def predicted(self) -> float | None:
        """Cycles that the plan is predicted to take, None without code."""
        return self._now[1].plans[0][0] if self._now is not None and self._now[1].plans else None

    @property
    def layout(self) -> Mapping[str, Layout]:
        """Tensor to its layout, for both factors."""
        embedding = self.embedding
        pairs = [(meaning.tensor, access) for meaning, access in embedding.pairs()[1:] if access is not None]
        return {access.tensor: layout_of(embedding, operand, access) for operand, access in pairs}

    @property
    def measured(self) -> tuple[tuple[float, float], ...]:
        """Predicted cycles and measured seconds of each plan that was measured."""
        return self._builder.measured

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of how results are made; empty before the first call if constants are missing."""
        return () if self._now is None else self._now[1].notes

    def asm(self) -> str:
        """The code as assembly in AT&T's syntax."""
        return self._kernel().native.asm()

    def explain(self) -> str:
        """What is computed, with which lanes, in which order, and what is done beside the code."""
        text = str(self._source.q or self._source.operator)
        if self._now is None:
            return f"{text}\n\nnot compiled yet: {self._waiting()} missing"
        built = self._now[1]
        parts = [text]
        if built.plans:
            cycles, kernel = built.plans[0]
            words = in_words(kernel.plan.embedding)
            parts += [f"{kernel.plan.embedding.instruction.name}, lanes {words}", str(kernel.plan)]
            parts.append(f"{cycles:,.0f} cycles predicted")
        return "\n\n".join([*parts, *built.notes])

    def close(self) -> None:
        """End the threads that share the work, if there are any; later calls are done by the caller's alone."""
        if self._pool is not None:
            self._pool.close()

    @property
    def plan(self) -> Plan:
        """How it is executed.

        Raises:
            InputError: constants are still to be given, or the operator runs without code.
        """
        return self._kernel().plan

    def _kernel(self) -> Kernel:
        if self._now is None:
            raise InputError("not compiled yet", where=self._where, value=f"{self._waiting()} missing")
        if not self._now[1].plans:
            raise InputError("it runs without code", where=self._where, value=self._now[1].notes[0])
        return self._now[1].plans[0][1]

    def _waiting(self) -> str:
        return ", ".join(t.name for t in self._seldom if t.name not in self._fixed)

    def _settings(self, given: Mapping[str, Array]) -> dict[str, Array]:
        return {t.name: (self._fixed if t.name in self._fixed else given)[t.name] for t in self._seldom}

    def _built(self, given: Mapping[str, Array]) -> Built:
        """The body for the constants of a call."""
        changing = [t.name for t in self._seldom if t.name not in self._fixed]
        now = self._now
        if now is not None and all(np.array_equal(now[0][name], given[name]) for name in changing):
            return now[1]
        return self._build(self._settings({name: given[name].copy() for name in changing}))

    def _build(self, settings: Mapping[str, Array]) -> Built:
        q = self._source.q
        if q is not None and q.scale is not None and not np.isfinite(settings[q.scale.name]).all():
            raise InputError("not finite", where=f"{self._where}, input {q.scale.name}")
        with self._lock:
            built = self._builder.build(settings)
            if built.plans and (plan := built.plans[0][1].plan) not in self._proved:
                prove(self._source, built.body, settings)
                self._proved.append(plan)
            self._now = (settings, built)
        return built

    def _check_out(self, out: Any) -> None:
        check_array(f"{self._where}, out", out, self._result)
        if not out.flags.writeable:
            raise InputError("it is read-only", where=f"{self._where}, out")
        if overlaps_itself(out):
            raise InputError("its elements share memory", where=f"{self._where}, out", value=f"strides {out.strides}")


def _constants(where: str, seldom: tuple[Tensor, ...], constants: Mapping[str, Array]) -> dict[str, Array]:
    """Copies of constants.

    Raises:
        InputError: one that is unknown or changes with every call, no array, or of another shape or dtype.
    """
    known = {t.name: t for t in seldom}
    for name, array in constants.items():
        if name not in known:
            raise InputError("no constant of this name", where=where, value=name, allowed=", ".join(known) or "none")
        check_array(f"{where}, constant {name}", array, known[name])
    return {name: np.array(array, order="C") for name, array in constants.items()}
