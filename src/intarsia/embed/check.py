"""The check of an embedding: an embedding comes in, what is wrong with it goes out; nothing is taken from the search.

The properties are those of the design (one to one, operands, result, padding, cover, one home) and that of its layouts:
every live lane of every call finds in its operand's packed vector exactly the element that its access asks for. They
are proved by relations over integer sets for the concrete sizes, or by replay of every lane of every call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from intarsia.embed.check_calls import Ints, all_calls, some_calls, table_of
from intarsia.embed.check_relations import Proofs, relations
from intarsia.embed.check_replay import Replay, missing
from intarsia.embed.check_structure import layout_form, structure
from intarsia.embed.embedding import Embedding
from intarsia.embed.layout import Layout, gather, layouts

Method = Literal["auto", "replay", "relations"]

PROPERTIES = ("one to one", "operands", "result", "padding", "cover", "one home", "layout")
REPLAYED = 1 << 16
"""Lanes of all calls up to which replay is the quicker proof."""
REPLAYABLE = 1 << 23
"""Lanes of all calls up to which replay stands in for a proof that exceeded its budget."""
SAMPLED_LANES = 1 << 16
"""Lanes that are looked at before a proof by relations."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found.

    Attributes:
        violations: one text for each property that fails or could not be proved; empty if the embedding is right.
        proved: property -> how it was decided: "structure", "replay", "sample" (rejected by a sample), "relations" or
            "not proved".
        notes: what else happened, such as a proof that exceeded its budget and was replaced by a replay.
    """

    violations: tuple[str, ...]
    proved: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Nothing is wrong and everything is proved."""
        return not self.violations

    def __str__(self) -> str:
        lines = [*(f"violated {v}" for v in self.violations), *(f"{p}: {how}" for p, how in self.proved), *self.notes]
        return "\n".join(lines)


def check(
    embedding: Embedding,
    *,
    method: Method = "auto",
    packed_as: tuple[Layout, ...] | None = None,
    ignore_dtypes: bool = False,
    seed: int = 0,
    max_operations: int = 20_000_000,
) -> CheckReport:
    """Whether an embedding is right.

    Args:
        embedding: any embedding, right or wrong.
        method: ``replay`` looks at every lane of every call, ``relations`` looks at a sample and then proves; ``auto``
            replays what is small.
        packed_as: the layouts of the operands, those that the embedding asks for if None.
        ignore_dtypes: leave out whether the operands' dtypes can hold the tensors.
        seed: of the sample.
        max_operations: budget of each proof, in operations of the polyhedral library.
    """
    wrong = structure(embedding, ignore_dtypes=ignore_dtypes)
    if wrong:
        return _report(wrong, "structure")
    chosen = layouts(embedding) if packed_as is None else packed_as
    wrong = layout_form(embedding, chosen)
    if wrong:
        return _report(wrong, "structure")
    lanes = embedding.calls * embedding.instruction.lanes
    if method == "replay" or (method == "auto" and lanes <= REPLAYED):
        return _report(replay(embedding, chosen), "replay")
    wrong = sample(embedding, chosen, seed)
    if wrong:
        return _report(wrong, "sample")
    proofs = relations(embedding, chosen, max_operations)
    if not proofs.left_open:
        return CheckReport(proofs.violations, tuple((p, "relations") for p in PROPERTIES))
    return _unproved(embedding, chosen, proofs, lanes)


def replay(embedding: Embedding, chosen: tuple[Layout, ...], packing: dict[str, Ints] | None = None) -> tuple[str, ...]:
    """Violations found by looking at every lane of every call.

    Args:
        embedding: well formed.
        chosen: the layout of every operand.
        packing: operand -> what each register of each vector holds, as ``gather`` has it; None: what ``gather`` says.
    """
    run = Replay(embedding, table_of(embedding, all_calls(embedding, 0, embedding.calls)), chosen)
    wrong = _universal(run)
    done = np.zeros(embedding.operator.iterations, dtype=np.bool_)
    run.covered(done)
    wrong += missing(embedding, done)
    if wrong:
        return wrong
    packing = packings(embedding, chosen) if packing is None else packing
    return wrong + run.packed(packing) + run.stored(packing) + run.padding(packing)


def sample(embedding: Embedding, chosen: tuple[Layout, ...], seed: int) -> tuple[str, ...]:
    """Violations found among the lanes of some calls; none does not mean that there is none."""
    per_call = embedding.instruction.lanes
    neighbours = 2 * len(embedding.outer) + 1
    count = max(1, SAMPLED_LANES // (per_call * neighbours))
    return _universal(Replay(embedding, table_of(embedding, some_calls(embedding, count, seed)), chosen))


def packings(embedding: Embedding, chosen: tuple[Layout, ...]) -> dict[str, Ints]:
    """Operand -> what its vectors are loaded with [vectors, registers], as the layouts have it."""
    access = {meaning.tensor: access for meaning, access in embedding.pairs() if access is not None}
    return {layout.operand: gather(embedding, access[layout.operand], layout)[0] for layout in chosen}


def _universal(run: Replay) -> tuple[str, ...]:
    """The properties that are about any two lanes."""
    return run.layout_range() + run.one_to_one() + run.operands() + run.one_home() + run.covered_once()


def _report(violations: tuple[str, ...], how: str) -> CheckReport:
    return CheckReport(violations, tuple((p, how) for p in PROPERTIES))


def _unproved(embedding: Embedding, chosen: tuple[Layout, ...], proofs: Proofs, lanes: int) -> CheckReport:
    """Some property was not decided: replay instead, or say so."""
    what = ", ".join(f"{name} ({reason})" for name, reason in proofs.left_open)
    if lanes <= REPLAYABLE:
        note = f"relations left open {what}: replayed instead"
        return CheckReport(replay(embedding, chosen), tuple((p, "replay") for p in PROPERTIES), (note,))
    text = f"not proved: relations left open {what}; {lanes} lanes are too many for a replay (allowed: {REPLAYABLE})"
    unproved = {name for name, _ in proofs.left_open}
    how = tuple((p, "not proved" if p in unproved else "relations") for p in PROPERTIES)
    return CheckReport((*proofs.violations, text), how)
