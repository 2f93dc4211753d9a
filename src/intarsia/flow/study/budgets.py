"""A space of chips within other budgets, as the file that ``search --space`` reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory

from intarsia.ground.records import refuse_unknown
from intarsia.machines.template import TemplateSpace, read_space

BUDGETS = {"area_mm2": "budget", "watts": "watts", "dollars": "dollars"}
"""Names in files, and the fields of a space."""
SCALED = {"clock": ("clock_ghz", 1e9), "link_bandwidth": ("link_gb_per_s", 1e9)}
"""Fields whose values files have in other units."""


def within(name: str, budget: Mapping[str, float]) -> TemplateSpace:
    """The space of a name or a file within these budgets alone.

    Raises:
        InputError: the space, or a budget, is unknown or not possible.
    """
    for key in budget:
        if key not in BUDGETS:
            raise refuse_unknown(key, tuple(BUDGETS), what="budget")
    area, watts, dollars = (budget.get(key, inf) for key in BUDGETS)
    return replace(read_space(name), budget=area, watts=watts, dollars=dollars)


def space_toml(space: TemplateSpace) -> str:
    """The file; ``read_space`` reads the same space from it."""
    lines = [f"name = {json.dumps(space.name)}", f"least = {space.least!r}", "", "[budget]"]
    values = {key: getattr(space, field) for key, field in BUDGETS.items()}
    lines += [f"{key} = {value!r}" for key, value in values.items() if value < inf]
    lines += ["", "[chips]"]
    for field, listed in space.values.items():
        name, scale = SCALED.get(field, (field, 1))
        texts = [repr(value / scale) if field in SCALED else str(int(value)) for value in listed]
        lines.append(f"{name} = [{', '.join(texts)}]")
    return "\n".join(lines) + "\n"


@contextmanager
def typed_space(name: str, file: str) -> Iterator[str]:
    """A space as users type it: its name, or the path of a file with this text if there is one."""
    if not file:
        yield name
        return
    with TemporaryDirectory(prefix="intarsia-space-") as folder:
        path = Path(folder) / "space.toml"
        path.write_text(file, encoding="utf-8")
        yield str(path)
