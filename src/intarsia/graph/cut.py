"""A graph in, its chain of parts out: cut where one trained tensor crosses, so that each part holds some heavy work.

Tensors that no gradient flows through (indices, masks) may cross anywhere.
"""

from __future__ import annotations

from intarsia.graph.part import Part, is_heavy, kept_of, roots_of, trained_of
from intarsia.graph.rules import RULES
from intarsia.graph.step import Step, Steps, Vector, View


def cut(graph: Steps) -> tuple[Part, ...]:
    """The chain of parts."""
    steps = _views_late(graph.steps, graph.output)
    roots = roots_of(steps, {name for name, _ in graph.inputs})
    trained = trained_of(steps)
    groups = _grouped(_pieces(steps, roots, trained, roots[graph.output]))
    return _parts(graph, groups, roots, trained)


def _views_late(steps: tuple[Step, ...], output: str) -> tuple[Step, ...]:
    """Each view right before the first step that reads it, so that it stands in that step's part; unread ones go."""
    waiting: dict[str, Step] = {}
    placed: list[Step] = []

    def place(name: str) -> None:
        view = waiting.pop(name, None)
        if view is not None:
            for source in view.inputs:
                place(source)
            placed.append(view)

    for step in steps:
        if isinstance(step.kind, View):
            waiting[step.name] = step
            continue
        for name in step.inputs:
            place(name)
        placed.append(step)
    place(output)
    return tuple(placed)


def _pieces(
    steps: tuple[Step, ...], roots: dict[str, str], trained: frozenset[str], output: str
) -> list[tuple[Step, ...]]:
    """The finest cut."""
    last_read = {roots[name]: i for i, step in enumerate(steps) for name in step.inputs}
    last_read[output] = len(steps)
    pieces: list[tuple[Step, ...]] = []
    alive: set[str] = set()
    begin = 0
    for i, step in enumerate(steps):
        if step.name in trained and not isinstance(step.kind, View):
            alive.add(step.name)
        alive = {name for name in alive if last_read.get(name, -1) > i}
        closes = alive == {step.name} or i + 1 == len(steps)
        if closes:
            pieces.append(steps[begin : i + 1])
            begin = i + 1
    return pieces


def _grouped(pieces: list[tuple[Step, ...]]) -> list[tuple[Step, ...]]:
    """Pieces without heavy work join a neighbour.

    Products without weights and pointwise work follow what they come after; other vector work (pooling, norms) too, if
    that is a single heavy step and not a block with a shortcut; if not, it goes before the next heavy work. A loss
    stands alone.
    """
    groups: list[tuple[Step, ...]] = []
    waiting: tuple[Step, ...] = ()
    for piece in pieces:
        if _is_loss(piece):
            groups += [waiting, piece] if waiting and not groups else [piece]
            if waiting and len(groups) > 1:
                groups[-2] += waiting
            waiting = ()
        elif groups and not _is_loss(groups[-1]) and _is_weightless(piece):
            groups[-1] += waiting + piece
            waiting = ()
        elif any(map(is_heavy, piece)):
            groups.append(waiting + piece)
            waiting = ()
        elif waiting or not groups or _is_loss(groups[-1]) or not _follows(groups[-1], piece):
            waiting += piece
        else:
            groups[-1] += piece
    if waiting and groups and not _is_loss(groups[-1]):
        groups[-1] += waiting
    elif waiting:
        groups.append(waiting)
    return groups


def _is_weightless(piece: tuple[Step, ...]) -> bool:
    """Heavy work, but none with weights: products of what came before, which belong with it."""
    heavy = [step for step in piece if is_heavy(step)]
    return bool(heavy) and not any(step.weights for step in heavy)


def _is_loss(piece: tuple[Step, ...]) -> bool:
    return any(isinstance(step.kind, Vector) and step.kind.rule == "loss" for step in piece)


def _follows(group: tuple[Step, ...], piece: tuple[Step, ...]) -> bool:
    pointwise = all(not isinstance(s.kind, Vector) or RULES[s.kind.rule].pointwise for s in piece)
    chain = sum(map(is_heavy, group)) == 1 and all(len(step.inputs) <= 1 for step in group if not is_heavy(step))
    return pointwise or chain


def _parts(
    graph: Steps, groups: list[tuple[Step, ...]], roots: dict[str, str], trained: frozenset[str]
) -> tuple[Part, ...]:
    sizes = {**dict(graph.inputs), **{step.name: step.elements for group in groups for step in group}}
    kept = frozenset[str]().union(*(kept_of(step, roots, trained) for group in groups for step in group))
    parts: list[Part] = []
    boundary = ""
    for i, group in enumerate(groups):
        own = {step.name for step in group}
        outside = dict.fromkeys(name for step in group for name in step.inputs if name not in own)
        last = i + 1 == len(groups)
        output = roots[graph.output] if last else [s for s in group if not isinstance(s.kind, View)][-1].name
        inputs = tuple((name, sizes[name]) for name in outside)
        parts.append(
            Part(
                group,
                inputs,
                boundary if boundary in outside else "",
                output,
                frozenset(name for name in (*own, *outside) if name in trained),
                frozenset(name for name in outside if name in kept and (name == boundary or name not in trained)),
                last,
            )
        )
        boundary = output
    return tuple(parts)
