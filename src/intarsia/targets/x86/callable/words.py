"""An embedding in words: what lies on each axis of the instruction."""

from __future__ import annotations

from intarsia.embed import Embedding


def in_words(embedding: Embedding) -> str:
    """What lies on the lanes, such as ``l: 16 oc; j: 4 kw.c`` (axes joined by points are flattened)."""
    parts = []
    for axis in embedding.instruction.semantics.axes:
        digits = [f"{loop.extent} {_moved(embedding, loop.name)}" for loop in embedding.lane_loops(axis.name)]
        live = [d for d in digits if not d.startswith("1 ")]
        parts.append(f"{axis.name}: {' x '.join(live) or '1'} of {axis.extent}")
    return "; ".join(parts)


def _moved(embedding: Embedding, loop: str) -> str:
    """The axes that a lane loop moves, and those along which it slides."""
    for flat in embedding.flats:
        step = dict(flat.value.terms).get(loop)
        if step is not None:
            slid = [
                axis
                for other in embedding.flats
                for axis, shift in zip(other.axes, other.shifts, strict=True)
                if shift.coefficient(loop)
            ]
            apart = f" {step} apart" if step > 1 and _first(embedding, loop) else ""
            return ".".join(flat.axes) + apart + (f" sliding along {', '.join(slid)}" if slid else "")
    return "nothing"


def _first(embedding: Embedding, loop: str) -> bool:
    """Whether no digit of the same flat on the same axis lies below."""
    found = next(x for x in embedding.loops if x.name == loop)
    flat = next(f for f in embedding.flats if dict(f.value.terms).get(loop))
    below = [x for x in embedding.lane_loops(found.lane) if dict(flat.value.terms).get(x.name)]
    return below[0].name == loop
