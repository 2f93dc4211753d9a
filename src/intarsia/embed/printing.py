"""An embedding as the rewritten loop nest that a reader can follow."""

from __future__ import annotations

from intarsia.embed.embedding import Embedding
from intarsia.operators import Operator


def loop_nest(embedding: Embedding) -> str:
    """The nest: outer loops, the axes in terms of the digits, the call with its lanes."""
    lines: list[str] = []
    depth = 0
    for loop in embedding.outer:
        if loop.extent > 1:
            lines.append("  " * depth + f"for {loop.name} < {loop.extent}:")
            depth += 1
    indent = "  " * depth
    for flat in embedding.flats:
        lines.append(f"{indent}{'.'.join(flat.axes)} = {flat.value}")
        for name, shift in zip(flat.axes, flat.shifts, strict=True):
            if shift.terms or shift.constant:
                lines.append(f"{indent}{name} += {shift}")
    lanes = []
    for axis in embedding.instruction.semantics.axes:
        digits = " ".join(f"{d.name}<{d.extent}" for d in embedding.lane_loops(axis.name)) or "-"
        lanes.append(f"{axis.name}({axis.extent}): {digits}")
    operands = ", ".join(f"{o}={t if t is not None else 1}" for o, t in embedding.operands)
    lines.append(f"{indent}{embedding.instruction.name}({operands}) lanes {' | '.join(lanes)}")
    return "\n".join(lines)


def operator_nest(operator: Operator) -> str:
    """The operator's own nest, before embedding."""
    lines = [f"{'  ' * i}for {a.name} < {a.extent}:" for i, a in enumerate(operator.axes)]
    return "\n".join([*lines, *("  " * len(operator.axes) + str(s) for s in operator.statements)])
