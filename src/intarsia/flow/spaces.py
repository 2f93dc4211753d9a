"""The space of chips that a search is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from intarsia.ground import InputError
from intarsia.machines.template import TemplateSpace, read_space


def chip_space(text: str, hbm_gib: Sequence[int]) -> TemplateSpace:
    """A space with some chip in it, each of which can be priced.

    Args:
        text: its name or a TOML file.
        hbm_gib: capacities of the memory beside the die; those of the space for none.

    Raises:
        InputError: there is no such space, a capacity is wrong, or no chip is within the budget.
    """
    if any(gib < 1 for gib in hbm_gib):
        raise InputError("a capacity is not positive", where="--hbm", value=str(min(hbm_gib)), allowed="GiB, 1 or more")
    space = read_space(text)
    if hbm_gib:
        if space.stacks[0]:
            raise InputError(
                "in this space HBM comes in stacks", where="--hbm", value=space.name, hint="leave --hbm out"
            )
        space = replace(space, hbm_gib=tuple(sorted(set(hbm_gib))))
    if not len(space.points):
        raise InputError("no chip is within the budget", where=f"space {space.name}", hint="a larger one")
    return space
