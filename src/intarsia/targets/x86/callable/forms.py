"""The layouts in which an operator may be computed, with the copies that each needs, and the best plans of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

from intarsia.ground import InputError
from intarsia.machines import Instruction
from intarsia.operators import DTYPES, Operator
from intarsia.targets.x86.callable.choice import Choices, choices
from intarsia.targets.x86.callable.relaid import Relaid, channels_last, joined
from intarsia.targets.x86.lowering import Epilogue, Plan, Speeds
from intarsia.targets.x86.lowering.cost import speeds_of
from intarsia.targets.x86.transposing import Transposition, cycles_of

NO_PLAN = "no plan"
"""How the error begins where memory cannot feed the instruction in any way that is known."""


@dataclass(frozen=True, slots=True)
class Form:
    """An operator in a layout.

    Attributes:
        operator: what is embedded.
        epilogue: what happens to results, by dimensions of this layout.
        before: factor to how it is copied before the code reads it.
        after: how what the code wrote is copied, None if it writes the result where it belongs.
    """

    operator: Operator
    epilogue: Epilogue | None
    before: Mapping[str, Transposition]
    after: Transposition | None

    @property
    def moves(self) -> bool:
        """Whether anything is copied."""
        return bool(self.before) or self.after is not None

    def cycles(self, speeds: Speeds) -> float:
        """Of all copies."""
        copies = [*self.before.values(), *([] if self.after is None else [self.after])]
        return sum(cycles_of(copy, speeds) for copy in copies)


@dataclass(frozen=True, slots=True)
class Formed:
    """A plan with the layout that it is of.

    Attributes:
        cycles: predicted, with all copies.
        plan: of the form's operator.
        form: the layout.
    """

    cycles: float
    plan: Plan
    form: Form


def forms_of(
    operator: Operator,
    epilogue: Epilogue | None,
    given: Mapping[str, str],
    turned: frozenset[str],
    widest: int,
) -> tuple[Form, ...]:
    """The layouts of an operator: as it is given, then, where they are not the last dimensions, channels last.

    Args:
        operator: what is computed.
        epilogue: what happens to results.
        given: element types of tensors that are handed in narrower than the operator has them.
        turned: factors whose highest bits are turned over where they are copied.
        widest: bytes of the widest register for bytes.
    """
    found = [_form(operator, joined(operator), epilogue, given, turned, widest)]
    other = channels_last(operator)
    found += [] if other is None else [_form(operator, other, epilogue, given, turned, widest)]
    return tuple(form for form in found if form is not None) or (Form(operator, epilogue, {}, None),)


def best_forms(
    forms: tuple[Form, ...],
    instruction: Instruction,
    given: Mapping[str, str],
    *,
    most: int = 1,
    store: Path | None = None,
    speeds: Speeds | None = None,
) -> tuple[tuple[Formed, ...], tuple[str, ...]]:
    """The best plans of all layouts, the one that is predicted to be fastest first, and what a user should know.

    Of several that are asked for one at least is of each layout.

    Raises:
        InputError: no layout has a plan.
    """
    own = speeds or speeds_of(instruction)
    found: list[Formed] = []
    notes: list[str] = []
    errors: list[InputError] = []
    for form in reversed(forms):
        copies = form.cycles(own)
        below = found[0].cycles - copies if found and most == 1 else inf
        try:
            made = _choices(form, instruction, given, most=most, store=store, speeds=speeds, below=below)
        except InputError as error:
            if not error.what.startswith(NO_PLAN):
                raise
            errors.append(error)
            continue
        found = sorted([*found, *(Formed(c + copies, p, form) for c, p in made.plans)], key=lambda f: f.cycles)
        notes += [note for note in made.notes if note not in notes]
    if not found:
        raise errors[-1]
    return _some(found, forms, most), tuple(notes)


def _choices(
    form: Form, instruction: Instruction, given: Mapping[str, str], *, most: int, store: Path | None,
    speeds: Speeds | None, below: float,
) -> Choices:  # fmt: skip
    if below <= 0:
        return Choices(())
    return choices(form.operator, instruction, form.epilogue, given, most=most, store=store, speeds=speeds, below=below)


def _some(found: list[Formed], forms: tuple[Form, ...], most: int) -> tuple[Formed, ...]:
    """The first of them, and the first of each layout if there is room."""
    first = [next((f for f in found if f.form is form), None) for form in forms]
    kept = [f for f in first if f is not None] if most > 1 else []
    kept += [f for f in found if f not in kept][: most - len(kept)]
    return tuple(sorted(kept, key=lambda f: f.cycles))


def _form(
    operator: Operator,
    relaid: Relaid,
    epilogue: Epilogue | None,
    given: Mapping[str, str],
    turned: frozenset[str],
    widest: int,
) -> Form | None:
    """A layout with its copies, None where results cannot be finished in it."""
    dim = None if epilogue is None else relaid.dims[epilogue.dim]
    if epilogue is not None and dim is None:
        return None
    (written,) = operator.outputs
    before, after = {}, None
    for name, (batch, rows, columns) in relaid.moved.items():
        if name == written.name:
            item = DTYPES[written.dtype if epilogue is None else epilogue.dtype]
            after = Transposition(batch, columns, rows, item, widest, slack=True)
        else:
            dtype = given.get(name, operator.tensor(name).dtype)
            before[name] = Transposition(batch, rows, columns, DTYPES[dtype], widest, flipped=name in turned)
    finish = None if epilogue is None or dim is None else replace(epilogue, dim=dim)
    return Form(relaid.operator, finish, before, after)
