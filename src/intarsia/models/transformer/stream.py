"""What happens to the stream of tokens between products: norms, and the addition that ends a branch.

Bytes are those of Megatron's fused kernels: a norm reads and writes once; bias, dropout and addition are one pass.
"""

from __future__ import annotations

from intarsia.graph import Elementwise
from intarsia.models.transformer.linear import bias_gradient
from intarsia.models.transformer.passes import Names, Pass
from intarsia.models.transformer.share import Share


def norm_forward(p: Pass, name: str, tokens: int, width: int, *, keeps: bool = True) -> None:
    """A norm of each token; keeps its input."""
    count = tokens * width
    p.then(name, Elementwise((("norm", count),), 2 * count, 2 * count), kept=2 * count if keeps else 0)


def norm_backward(p: Pass, name: str, tokens: int, width: int) -> None:
    """Gradients of its weights (a reduction over tokens) and of its input, two kernels."""
    count = tokens * width
    weights = Elementwise((("multiply", count), ("add", count)), 4 * count, 4 * width, backward=True)
    p.beside(f"{name}.scale", weights)
    p.then(f"{name}.back", Elementwise((("norm", count),), 4 * count, 2 * count, backward=True))


def add_forward(p: Pass, share: Share, name: str, stream: Names, *, bias: bool) -> None:
    """A branch's bias, dropout and addition to the stream, in one pass; keeps the dropout's mask, a byte each."""
    count = share.thin * share.model.hidden
    dropout = share.model.dropout
    functions = (("add", count),) * bias + (("dropout", count),) * dropout + (("add", count),)
    mask = count if dropout else 0
    p.then(name, Elementwise(functions, 4 * count, 2 * count + mask), needs=(*p.at, *stream), kept=mask)


def add_backward(p: Pass, share: Share, name: str, *, bias: bool) -> None:
    """The gradient of a branch's result and of its bias; the stream's own gradient passes as it is."""
    count = share.thin * share.model.hidden
    if share.model.dropout:
        p.then(f"{name}.back", Elementwise((("dropout", count),), 3 * count, 2 * count, backward=True))
    if bias:
        bias_gradient(p, f"{name}.bias", share.thin, share.model.hidden)


def join_backward(p: Pass, share: Share, name: str, stream: Names) -> None:
    """The sum of the gradients of a branch and of the stream beside it."""
    count = share.thin * share.model.hidden
    p.then(name, Elementwise((("add", count),), 4 * count, 2 * count, backward=True), needs=(*p.at, *stream))
