"""The check by relations: each property as "there are no two lanes such that ...", proved for the concrete sizes.

A property is first proved for more lanes than there are (those that the packing rule cannot tell from live ones, or one
group of axes by itself): that is quick, and enough. Where it fails, the exact statement is decided.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from intarsia.embed.check_contents import contents, one_home, zeros
from intarsia.embed.check_images import cover, one_to_one
from intarsia.embed.check_padding import padding, unused_lanes
from intarsia.embed.check_prover import Prover
from intarsia.embed.embedding import Embedding
from intarsia.embed.layout import Layout


@dataclass(frozen=True, slots=True)
class Proofs:
    """What was found: violations, and the properties left open, each with the reason."""

    violations: tuple[str, ...]
    left_open: tuple[tuple[str, str], ...]


def relations(embedding: Embedding, layouts: tuple[Layout, ...], max_operations: int) -> Proofs:
    """Decides every property of an embedding that is well formed.

    Args:
        embedding: what is checked.
        layouts: of every operand that holds a tensor.
        max_operations: budget of each single proof.
    """
    prover = Prover(embedding, layouts, max_operations)
    found: list[str] = []
    for step in (
        layout_range,
        one_to_one,
        cover,
        contents,
        one_home,
        zeros,
        unused_lanes,
        padding,
    ):
        found += step(prover)
    return Proofs(tuple(dict.fromkeys(found)), tuple(dict.fromkeys(prover.left_open)))


def layout_range(prover: Prover) -> Iterator[str]:
    """Every call has its vectors: bounds and steps of each dim, exactly."""
    for layout in prover.layouts:
        for dim in layout.dims:
            form = prover.a.form(dim.value).plus(-dim.origin)
            low, high = prover.a.interval(form)
            whole = all(c % dim.step == 0 for _, c in form.terms) and form.constant % dim.step == 0
            if low < 0 or high >= dim.step * dim.extent or not whole:
                yield (
                    f"layout: {layout} has no vector for some calls: {dim.name} reaches from {low + dim.origin} to "
                    f"{high + dim.origin}, the layout from {dim.origin} in {dim.extent} steps of {dim.step}"
                )
