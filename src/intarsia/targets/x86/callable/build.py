"""From an operator and its constants to a body: translation, plan, code, packing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.ground import InputError
from intarsia.machines import find_instruction
from intarsia.operators import Operator, Quantised
from intarsia.targets.x86.callable.body import Body, Direct, Reference, Sums
from intarsia.targets.x86.callable.choice import choices, repadded
from intarsia.targets.x86.callable.kernels import Ready
from intarsia.targets.x86.callable.requantise import Requantised, requantised
from intarsia.targets.x86.callable.source import INSTRUCTIONS, Source
from intarsia.targets.x86.callable.translate import Translation, stored, sums_of, translated
from intarsia.targets.x86.engine import Engine
from intarsia.targets.x86.intrinsics import usable
from intarsia.targets.x86.lowering import Epilogue, Kernel, Plan

Array = NDArray[Any]
NO_PLAN = "no plan"
"""How the error begins where memory cannot feed the instruction in any way that is known."""


@dataclass(frozen=True, slots=True)
class Built:
    """A body with what it was made of.

    Attributes:
        body: what runs.
        plans: predicted cycles and kernel, the one that runs first; empty where the reference runs.
        notes: what a user should know.
    """

    body: Body
    plans: tuple[tuple[float, Kernel], ...] = ()
    notes: tuple[str, ...] = ()


class Builder:
    """Makes bodies of one source; plans are chosen once and used again for other zero points and scales."""

    def __init__(
        self,
        source: Source,
        engine: Engine,
        *,
        store: Path | None = None,
        measure: int = 0,
        timed: Callable[[Body], float] | None = None,
    ) -> None:
        self._source, self._engine, self._store = source, engine, store
        self._most, self._timed = max(1, measure), timed
        self._chosen: dict[str, tuple[tuple[float, Plan], ...]] = {}
        self.measured: tuple[tuple[float, float], ...] = ()
        """Predicted cycles and measured seconds of each plan that was measured."""

    def build(self, settings: Mapping[str, Array]) -> Built:
        """The body for some constants and parameters.

        Raises:
            InputError: the processor lacks the instruction, or no plan feeds it.
        """
        q, operator = self._source.q, self._source.operator
        if q is None:
            found, notes = self._plans(operator, None)
            constants = {t.name: settings[t.name] for t in operator.inputs if t.name in settings}
            return self._fastest(found, notes, lambda kernel: Direct(Ready(kernel, constants)))
        made = translated(q, dict(self._source.pad), settings)
        if isinstance(made, str):
            return Built(Reference(q, dict(settings)), notes=(f"computed by the reference interpreter: {made}",))
        weights = _weights(q, made, settings)
        finished = _finish(q, made, weights, settings)
        if finished is not None:
            try:
                return self._requantised(made, weights, finished)
            except InputError as error:
                if not error.what.startswith(NO_PLAN):
                    raise
        try:
            found, notes = self._plans(made.operator, None)
        except InputError as error:
            if not error.what.startswith(NO_PLAN):
                raise
            return Built(Reference(q, dict(settings)), notes=(f"computed by the reference interpreter: {error.what}",))
        parameters = {t.name: settings[t.name] for t in q.parameters}
        why = "the results are made of sums by NumPy"
        return self._fastest(
            found, (*notes, why), lambda kernel: Sums(Ready(kernel, weights), made, q, parameters, weights)
        )

    def _requantised(self, made: Translation, weights: Mapping[str, Array], finished: Requantised) -> Built:
        found, notes = self._plans(made.operator, finished.epilogue)
        along = None if finished.epilogue is None else (finished.bias, finished.scale)
        if made.flipped & {t.name for t in made.operator.inputs if t.name not in weights}:
            notes = (*notes, "signed activations are copied as unsigned ones in every run")
        return self._fastest(found, notes, lambda kernel: Direct(Ready(kernel, weights, along), made))

    def _plans(
        self, operator: Operator, epilogue: Epilogue | None
    ) -> tuple[tuple[tuple[float, Plan], ...], tuple[str, ...]]:
        """Plans of an operator: those that were chosen for it, with other pad values perhaps, or new ones."""
        instruction = find_instruction(self._instruction(operator))
        kind = f"{'' if epilogue is None else (epilogue.dtype, epilogue.dim)}"
        again = [(c, repadded(plan, operator, epilogue)) for c, plan in self._chosen.get(kind, ())]
        if again and all(plan is not None for _, plan in again):
            return tuple((c, plan) for c, plan in again if plan is not None), ()
        found = choices(operator, instruction, epilogue, most=self._most, store=self._store)
        self._chosen[kind] = found.plans
        return found.plans, found.notes

    def _instruction(self, operator: Operator) -> str:
        statement = operator.statements[0]
        first, second = sorted((operator.tensor(read.tensor).dtype for read in statement.reads), reverse=True)
        name = INSTRUCTIONS[first, second, operator.tensor(statement.write.tensor).dtype]
        features = self._engine.features
        if name not in usable(features):
            what = f"the processor ({features.cpu}) lacks {name}, of which kernels for these elements are made"
            raise InputError(what, where=operator.name, allowed="a processor with AVX512-VNNI")
        return name

    def _fastest(
        self,
        found: tuple[tuple[float, Plan], ...],
        notes: tuple[str, ...],
        made: Callable[[Kernel], Body],
    ) -> Built:
        """The body of the first plan, or of the one that is measured to be fastest."""
        kernels = [(cycles, Kernel(plan, self._engine)) for cycles, plan in found]
        bodies = [made(kernel) for _, kernel in kernels]
        if self._timed is None or len(bodies) == 1:
            return Built(bodies[0], tuple(kernels), notes)
        seconds = [self._timed(body) for body in bodies]
        self.measured = tuple((cycles, s) for (cycles, _), s in zip(kernels, seconds, strict=True))
        order = sorted(range(len(bodies)), key=lambda i: seconds[i])
        return Built(bodies[order[0]], tuple(kernels[i] for i in order), notes)


def _weights(q: Quantised, made: Translation, settings: Mapping[str, Array]) -> dict[str, Array]:
    """Constant factors as the instruction reads them."""
    zeroes = {t.name: z for t, z in zip(q.factors, (q.left_zero, q.right_zero), strict=True)}
    found = {}
    for tensor in q.factors:
        if tensor.name in settings:
            zero = zeroes[tensor.name]
            own = np.zeros(1, np.int16) if zero is None else settings[zero.name].astype(np.int16)
            found[tensor.name] = np.ascontiguousarray(stored(made, tensor.name, settings[tensor.name], own))
    return found


def _finish(
    q: Quantised, made: Translation, weights: Mapping[str, Array], settings: Mapping[str, Array]
) -> Requantised | None:
    if made.signed in weights:
        sums = sums_of(made.operator, made.signed, weights[made.signed])
    elif made.unsigned_zero:
        return None
    else:
        sums = np.zeros((1,) * len(q.result.shape), np.int32)
    return requantised(q, made, sums, settings)
