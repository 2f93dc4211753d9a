"""The nodes of a pass in the making: each follows the ones before it unless it says otherwise."""

from __future__ import annotations

from intarsia.graph import Node, Work

Names = tuple[str, ...]


class Pass:
    """Collects nodes in order.

    Attributes:
        nodes: so far.
        at: the nodes whose results the next one reads; none where that is the layer's input.
    """

    __slots__ = ("at", "nodes")

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.at: Names = ()

    def then(self, name: str, work: Work, *, needs: Names | None = None, kept: int = 0, core: bool = False) -> None:
        """A node after the last ones, or after those named; the next one follows it."""
        self.nodes.append(Node(name, work, self.at if needs is None else needs, kept, core))
        self.at = (name,)

    def beside(self, name: str, work: Work, *, needs: Names | None = None) -> None:
        """The same, but the next node does not follow it; it keeps nothing."""
        self.nodes.append(Node(name, work, self.at if needs is None else needs))
