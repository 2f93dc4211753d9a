"""Why no strategy of a space fits: which bytes on which stage are over in the plan that is least over, and what helps."""

from __future__ import annotations

from dataclasses import replace

from intarsia.graph import Recompute
from intarsia.ground.units import bytes_text
from intarsia.place.even import even_split
from intarsia.place.memory import Memory, stage_memory
from intarsia.place.nodes import Branch, Space, space_of
from intarsia.place.profile import Profile
from intarsia.place.strategy import Split, Strategy

def unfit(space):  # placeholder
    return ("nothing fits",), "more devices"
