"""From an operator and its constants to a body: translation, plan, code, packing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intarsia.ground import InputError
from intarsia.machines import find_instruction
from intarsia.operators import Operator, Quantised
from intarsia.targets.x86.calibration import speeds_here
from intarsia.targets.x86.callable.body import Body, Direct, Reference, Sums
from intarsia.targets.x86.callable.choice import repadded
from intarsia.targets.x86.callable.forms import NO_PLAN, Form, Formed, best_forms, forms_of
from intarsia.targets.x86.callable.kernels import Ready
from intarsia.targets.x86.callable.requantise import Requantised, requantised
from intarsia.targets.x86.callable.source import WIDENED, Source, instruction_of, instruction_of_bytes
from intarsia.targets.x86.callable.translate import Translation, stored, sums_of, translated
from intarsia.targets.x86.callable.turned import Runs, Turned
from intarsia.targets.x86.engine import Engine
from intarsia.targets.x86.features import Features
from intarsia.targets.x86.lowering import Epilogue, Kernel
from intarsia.targets.x86.transposing import TransposingKernel, widest_of

Array = NDArray[Any]
Formers = Callable[[Kernel, Formed], Body]
"""Makes a body of code and the layout that it works in."""


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
        """A maker.

        Raises:
            InputError: code may not use any instruction for these elements; the message names the missing features.
        """
        self._source, self.engine, self._store = source, engine, store
        if source.q is None:
            self._instruction = instruction_of(source.operator, engine.features)
        else:
            self._instruction = instruction_of_bytes(engine.features)
        self._most, self._timed = max(1, measure), timed
        self._chosen: dict[str, tuple[Formed, ...]] = {}
        self.measured: tuple[tuple[float, float], ...] = ()
        """Predicted cycles and measured seconds of each plan that was measured."""

    @property
    def features(self) -> Features:
        """What code may use."""
        return self.engine.features

    def build(self, settings: Mapping[str, Array]) -> Built:
        """The body for some constants and parameters.

        Raises:
            InputError: no plan feeds the instruction.
        """
        q, operator = self._source.q, self._source.operator
        if q is None:
            found, notes = self._plans(operator, None)
            constants = {t.name: settings[t.name] for t in operator.inputs if t.name in settings}
            return self._fastest(found, notes, lambda kernel, chosen: Direct(self._runs(kernel, chosen, constants)))
        made = translated(q, dict(self._source.pad), settings, wide=self._instruction == WIDENED)
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
        turned = frozenset() if made.signed_zero else made.flipped
        try:
            found, notes = self._plans(made.operator, None, made.given, turned)
        except InputError as error:
            if not error.what.startswith(NO_PLAN):
                raise
            return Built(Reference(q, dict(settings)), notes=(f"computed by the reference interpreter: {error.what}",))
        parameters = {t.name: settings[t.name] for t in q.parameters}
        why = "the results are made of sums by NumPy"
        return self._fastest(
            found,
            (*notes, why),
            lambda kernel, chosen: Sums(
                self._runs(kernel, chosen, weights), _unturned(made, chosen.form), q, parameters, weights
            ),
        )

    def _requantised(self, made: Translation, weights: Mapping[str, Array], finished: Requantised) -> Built:
        found, notes = self._plans(made.operator, finished.epilogue, made.given, made.flipped)
        along = None if finished.epilogue is None else (finished.bias, finished.scale)
        return self._fastest(
            found,
            notes,
            lambda kernel, chosen: Direct(self._runs(kernel, chosen, weights, along), _unturned(made, chosen.form)),
        )

    def _runs(
        self,
        kernel: Kernel,
        chosen: Formed,
        constants: Mapping[str, Array],
        finish: tuple[Array, Array] | None = None,
    ) -> Runs:
        """The code with its constants, between the copies of its layout."""
        form, ready = chosen.form, Ready(kernel, constants, finish, chosen.cycles)
        if not form.moves:
            return ready
        names = tuple(t.name for t in form.operator.inputs if t.name not in constants)
        before = {name: TransposingKernel(copy, self.engine) for name, copy in form.before.items()}
        after = None if form.after is None else TransposingKernel(form.after, self.engine)
        return Turned(ready, names, before, after)

    def _plans(
        self,
        operator: Operator,
        epilogue: Epilogue | None,
        given: Mapping[str, str] | None = None,
        turned: frozenset[str] = frozenset(),
    ) -> tuple[tuple[Formed, ...], tuple[str, ...]]:
        """Plans of an operator: those that were chosen for it, with other pad values perhaps, or new ones."""
        instruction = find_instruction(self._instruction)
        forms = forms_of(operator, epilogue, given or {}, turned, widest_of(self.engine.features))
        kind = f"{'' if epilogue is None else (epilogue.dtype, epilogue.dim)} {len(forms)}"
        again = [_again(found, forms, given) for found in self._chosen.get(kind, ())]
        kept = tuple(found for found in again if found is not None)
        if again and len(kept) == len(again):
            return kept, ()
        speeds = speeds_here(self.engine.features, instruction.name)
        found, notes = best_forms(forms, instruction, given or {}, most=self._most, store=self._store, speeds=speeds)
        self._chosen[kind] = found
        return found, notes

    def _fastest(self, found: tuple[Formed, ...], notes: tuple[str, ...], made: Formers) -> Built:
        """The body of the first plan, or of the one that is measured to be fastest."""
        kernels = [(f.cycles, Kernel(f.plan, self.engine)) for f in found]
        bodies = [made(kernel, f) for (_, kernel), f in zip(kernels, found, strict=True)]
        order = list(range(len(bodies)))
        if self._timed is not None and len(bodies) > 1:
            seconds = [self._timed(body) for body in bodies]
            self.measured = tuple((cycles, s) for (cycles, _), s in zip(kernels, seconds, strict=True))
            order.sort(key=lambda i: seconds[i])
        first = bodies[order[0]]
        copies = _copied(found[order[0]].form, first)
        return Built(first, tuple(kernels[i] for i in order), (*notes, *copies))


def _again(found: Formed, forms: tuple[Form, ...], given: Mapping[str, str] | None) -> Formed | None:
    """The same choices for another operator of the same layouts."""
    for form in forms:
        if form.moves == found.form.moves:
            plan = repadded(found.plan, form.operator, form.epilogue, given)
            return None if plan is None else Formed(found.cycles, plan, form)
    return None


def _unturned(made: Translation, form: Form) -> Translation:
    """The translation less what the copies of a layout turn over."""
    turned = {name for name, copy in form.before.items() if copy.flipped}
    return replace(made, flipped=made.flipped - turned)


def _copied(form: Form, body: Body) -> tuple[str, ...]:
    """What is copied in every run, in words."""
    found = []
    if form.moves:
        copies = [*form.before.values(), *([] if form.after is None else [form.after])]
        names = [*form.before, *([] if form.after is None else [form.operator.outputs[0].name])]
        size = sum(copy.bytes for copy in copies)
        found.append(f"computed with channels last: {' and '.join(names)} copied in every run, {size:,} bytes")
    if isinstance(body, Direct) and body.moves:
        found.append("signed activations are copied as unsigned ones in every run")
    return tuple(found)


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
