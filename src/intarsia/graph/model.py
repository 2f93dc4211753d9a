"""What every front end makes: something that knows its layers at any variant."""

from __future__ import annotations

from typing import Protocol

from intarsia.graph.layer import Layer
from intarsia.graph.variant import Variant


class Model(Protocol):
    """A model that can be cut into layers.

    ``layers`` is pure and may be called for thousands of variants; it raises ``InputError`` for a variant that
    ``legal`` refuses.
    """

    @property
    def name(self) -> str:
        """As the user named it."""

    @property
    def parameters(self) -> int:
        """All weights, tied ones once, elements."""

    @property
    def active_parameters(self) -> int:
        """Weights that one token meets: all, less the experts that its router does not choose."""

    @property
    def sequence(self) -> int:
        """The sequence length it is usually trained at, tokens; 0 for models without sequences."""

    def layers(self, variant: Variant) -> tuple[Layer, ...]:
        """The chain of layers, as one device of the variant sees it: embedding first, loss last."""

    def refusal(self, variant: Variant) -> str:
        """Why the model cannot be cut so (``12 heads do not divide by tensor 8``), or empty."""

    def flops(self, sequence: int) -> int:
        """Operations of one sequence's forward and backward pass without recomputation: what MFU counts."""
