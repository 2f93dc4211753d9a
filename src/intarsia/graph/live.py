"""A graph without the steps that its output does not depend on."""

from __future__ import annotations

from intarsia.graph.step import Steps


def live(graph: Steps) -> Steps:
    """The steps that the output depends on, in order, and the inputs that they read."""
    needed = {graph.output}
    kept = []
    for step in reversed(graph.steps):
        if step.name in needed:
            needed |= set(step.inputs)
            kept.append(step)
    inputs = tuple((name, size) for name, size in graph.inputs if name in needed)
    return Steps(inputs, tuple(reversed(kept)), graph.output)
