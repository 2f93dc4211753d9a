"""How channels are named and indexed, alike for convolutions and transposed ones: plain, grouped, depthwise."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.operators.library.parameters import divides, positive


@dataclass(frozen=True, slots=True)
class Channels:
    """The axes and subscripts of the channels.

    Attributes:
        parallel: axes of the output's channels.
        reduction: axes of the summed channels.
        i: subscript of the input's channel.
        o: subscript of the output's channel.
        inner_o: subscript of the output's channel within its group.
        inner_c: subscript of the input's channel within its group.
    """

    parallel: tuple[tuple[str, int], ...]
    reduction: tuple[tuple[str, int], ...]
    i: str
    o: str
    inner_o: str
    inner_c: str


def channels(where: str, c: int, k: int, groups: int) -> Channels:
    """Input channels ``c`` and output channels ``k`` in ``groups``; depthwise has no ``c`` axis.

    Raises:
        InputError: if a value is not positive or the groups do not divide the channels.
    """
    positive(where, c=c, k=k, groups=groups)
    divides(where, groups=groups, c=c, k=k)
    each_c, each_k = c // groups, k // groups
    if groups == 1:
        return Channels((("oc", k),), (("c", c),), "c", "oc", "oc", "c")
    if each_c == 1 and each_k == 1:
        return Channels((("g", groups),), (), "g", "g", "0", "0")
    if each_c == 1:
        return Channels((("g", groups), ("m", each_k)), (), "g", f"{each_k}*g+m", "m", "0")
    outer = (("g", groups), ("oc", each_k))
    return Channels(outer, (("c", each_c),), f"{each_c}*g+c", f"{each_k}*g+oc", "oc", "c")
