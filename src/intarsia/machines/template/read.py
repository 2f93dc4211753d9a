"""A space of chips from its name or from a TOML file."""

from __future__ import annotations

from math import inf
from pathlib import Path

import msgspec

from intarsia.ground import InputError
from intarsia.ground.records import refuse_unknown
from intarsia.ground.toml_records import read_toml
from intarsia.machines.template.energy import CLOCK
from intarsia.machines.template.point import LINK_BANDWIDTH
from intarsia.machines.template.space import PHAZE, WIDE, TemplateSpace

SPACES = {"phaze": PHAZE, "wide": WIDE}
"""Those that are shipped."""
LONGEST = 10_000
"""Values that a range may have."""


class _Range(msgspec.Struct, forbid_unknown_fields=True):
    """From the first value to the last, both of them in it if a step leads there."""

    first: int | float = msgspec.field(name="from")
    last: int | float = msgspec.field(name="to")
    step: int | float = 1
    powers_of_two: bool = False


Values = int | float | list[int | float] | _Range


class _Chips(msgspec.Struct, forbid_unknown_fields=True):
    """What is chosen; what is left out is as published."""

    tensor_cores: Values
    vector_cores: Values
    width: Values
    depth: Values
    buffer_mib: Values
    hbm_gib: Values | None = None
    stacks: Values | None = None
    vector_width: Values | None = None
    clock_ghz: Values = CLOCK / 1e9
    link_gb_per_s: Values = LINK_BANDWIDTH / 1e9
    more_cores: Values = 0
    more_width: Values = 0
    more_depth: Values = 0


class _Budget(msgspec.Struct, forbid_unknown_fields=True):
    area_mm2: float = inf
    watts: float = inf
    dollars: float = inf


class _File(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    chips: _Chips
    budget: _Budget
    least: float = 0.0


def read_space(text: str | Path) -> TemplateSpace:
    """The space of a name (``phaze``, ``wide``) or of a TOML file.

    Raises:
        InputError: the name is unknown, or the file is wrong.
    """
    name = str(text)
    if not name.endswith(".toml"):
        if name in SPACES:
            return SPACES[name]
        raise refuse_unknown(name, tuple(SPACES), what="space of chips", hint="a file of your own space, NAME.toml")
    file = read_toml(Path(text), _File, what="space file")
    try:
        return _space(file)
    except InputError as error:
        raise error.at(f"{name}: {error.where}" if error.where else name) from error


def _space(file: _File) -> TemplateSpace:
    chips = file.chips
    whole = {
        name: _whole(name, getattr(chips, name))
        for name in chips.__struct_fields__
        if name not in {"clock_ghz", "link_gb_per_s"} and getattr(chips, name) is not None
    }
    return TemplateSpace(
        **{"hbm_gib": (), **whole},
        name=file.name,
        clock=tuple(value * 1e9 for value in _listed("clock_ghz", chips.clock_ghz)),
        link_bandwidth=tuple(value * 1e9 for value in _listed("link_gb_per_s", chips.link_gb_per_s)),
        budget=file.budget.area_mm2,
        watts=file.budget.watts,
        dollars=file.budget.dollars,
        least=file.least,
    )


def _whole(name: str, values: Values) -> tuple[int, ...]:
    found = _listed(name, values)
    for value in found:
        if not float(value).is_integer():
            raise InputError(f"a value of {name} is no whole number", value=f"{value:g}")
    return tuple(int(value) for value in found)


def _listed(name: str, values: Values) -> tuple[float, ...]:
    """The values of one field, in their order."""
    if isinstance(values, list):
        return tuple(values)
    if not isinstance(values, _Range):
        return (values,)
    first, last, step = values.first, values.last, values.step
    if not (-inf < first <= last < inf and step > 0) or (values.powers_of_two and (first <= 0 or step != 1)):
        allowed = "from ≤ to, step above 0; powers of two from above 0 and without a step"
        raise InputError(f"the range of {name} is not possible", value=f"{first:g} to {last:g}", allowed=allowed)
    if values.powers_of_two:
        powers = [2.0**n for n in range(1024) if first <= 2.0**n <= last]
        if not powers:
            raise InputError(f"no power of two is in the range of {name}", value=f"{first:g} to {last:g}")
        return tuple(powers)
    # A step such as 0.1 is not exact, so that the last value may be missed by a rounding.
    count = int((last - first) / step + 1e-9) + 1
    if count > LONGEST:
        raise InputError(f"the range of {name} has too many values", value=str(count), allowed=f"{LONGEST:,}")
    return tuple(round(first + n * step, 9) for n in range(count))
