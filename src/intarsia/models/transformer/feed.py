"""The plain feed-forward part: a product up (twice as wide where gated), the activation, a product down."""

from __future__ import annotations

from intarsia.graph import Elementwise
from intarsia.models.transformer.kinds import Activation
from intarsia.models.transformer.linear import column_backward, column_forward, row_backward, row_forward
from intarsia.models.transformer.passes import Pass
from intarsia.models.transformer.share import Share

FORWARD = {
    Activation.GELU: ("erf", "multiply", "add"),
    Activation.GELU_TANH: ("tanh", "multiply", "multiply", "add"),
    Activation.SILU: ("exp", "divide", "multiply"),
    Activation.RELU: ("relu",),
}
BACKWARD = {
    Activation.GELU: ("erf", "exp", "multiply", "add"),
    Activation.GELU_TANH: ("tanh", "multiply", "add"),
    Activation.SILU: ("exp", "divide", "multiply", "add"),
    Activation.RELU: ("relu",),
}


def feed_forward(p: Pass, share: Share, ffn: int, *, prefix: str = "", kept: int = -1, alone: bool = True) -> None:
    """From normalised tokens to a branch's result.

    Args:
        p: the pass.
        share: the device's sizes.
        ffn: inner width on this rank.
        prefix: of the nodes' names.
        kept: bytes of the input that are kept, where another node does not keep them; -1: all.
        alone: the result is reduced over the ranks here.
    """
    hidden, up = share.model.hidden, 2 if share.model.gated else 1
    kept = 2 * share.thin * hidden if kept < 0 else kept
    column_forward(p, share, f"{prefix}up", n=up * ffn, k=hidden, kept=kept)
    count = share.tokens * ffn
    p.then(f"{prefix}activation", activation(share, count), kept=2 * up * count)
    row_forward(p, share, f"{prefix}down", n=hidden, k=ffn, alone=alone)


def feed_backward(p: Pass, share: Share, ffn: int, *, prefix: str = "", alone: bool = True) -> None:
    """From a branch's gradient to that of its normalised tokens."""
    hidden, up = share.model.hidden, 2 if share.model.gated else 1
    row_backward(p, share, f"{prefix}down", n=hidden, k=ffn, alone=alone)
    p.then(f"{prefix}activation.back", activation(share, share.tokens * ffn, backward=True))
    column_backward(p, share, f"{prefix}up", n=up * ffn, k=hidden, bias=share.model.ffn_bias)


def activation(share: Share, count: int, *, backward: bool = False, weighted: bool = False) -> Elementwise:
    """Bias and activation of ``count`` results in one pass, with the gate (and a token's weight) where there is one."""
    model = share.model
    up = 2 if model.gated else 1
    table = BACKWARD if backward else FORWARD
    extra = 0 if backward else model.ffn_bias
    names = table[model.activation] + ("add",) * extra + ("multiply",) * ((up - 1 + weighted) * (1 + backward))
    functions = tuple((name, count) for name in names)
    if backward:
        return Elementwise(functions, 2 * (up + 1) * count, 2 * up * count, backward=True)
    return Elementwise(functions, 2 * up * count, 2 * count)
