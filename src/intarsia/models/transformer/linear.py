"""Products with weights that tensor ranks share, and their collectives, as Megatron-LM runs them.

A *column* product has its results cut over the ranks, a *row* product its reduction. Without sequence parallelism a row
product ends in an all-reduce and a column product's input gradient too; with it (Korthikanti et al. 2022) these are
reduce-scatters, an all-gather comes before, and the column product's saved input is gathered again for its weight
gradient. Biases are added by the product itself. With 8-bit operands each product is preceded by a cast of its
activations, in training to both layouts; weights are cast once a step, which is left out.
"""

from __future__ import annotations

from intarsia.graph import Collective, Contraction, Elementwise, Group, Pattern
from intarsia.models.transformer.passes import Names, Pass
from intarsia.models.transformer.share import Share

GRADIENT_BYTES = 4


def column_forward(p: Pass, share: Share, name: str, *, n: int, k: int, kept: int, shared_input: Names = ()) -> None:
    """From ``k`` channels to ``n`` of this rank.

    Args:
        p: the pass.
        share: the device's sizes.
        name: of the product.
        n: channels out on this rank.
        k: channels in.
        kept: bytes of what is left for the backward pass.
        shared_input: the nodes that have gathered the input already, if some have.
    """
    if shared_input:
        p.at = shared_input
    elif share.scattered:
        _gather(p, f"{name}.gather", share.tokens * k)
    _cast(p, share, name, share.tokens * k)
    p.then(name, Contraction(1, share.tokens, n, k, share.operand_bytes), kept=kept)


def column_backward(p: Pass, share: Share, name: str, *, n: int, k: int, bias: bool = False) -> None:
    """Gradients of a column product's weights, bias and input; ends in the input's."""
    tokens = share.tokens
    gradient = p.at
    if bias:
        bias_gradient(p, f"{name}.bias", tokens, n)
    _cast(p, share, f"{name}.input", tokens * n)
    needs = p.at
    if share.scattered:
        again = f"{name}.gather-again"
        p.beside(again, Collective(Pattern.ALL_GATHER, Group.TENSOR, 2 * tokens * k), needs=gradient)
        needs = (*needs, again)
    p.then(f"{name}.input", Contraction(1, tokens, k, n, share.operand_bytes))
    p.beside(f"{name}.weight", weight_gradient(share, n, k, tokens), needs=needs)
    reduce(p, share, f"{name}.reduce", k)


def row_forward(p: Pass, share: Share, name: str, *, n: int, k: int, alone: bool = True) -> None:
    """From ``k`` channels of this rank to ``n``; the reduction over ranks is left out unless it stands alone."""
    _cast(p, share, name, share.tokens * k)
    p.then(name, Contraction(1, share.tokens, n, k, share.operand_bytes), kept=2 * share.tokens * k)
    if alone:
        reduce(p, share, f"{name}.reduce", n)


def row_backward(p: Pass, share: Share, name: str, *, n: int, k: int, alone: bool = True) -> None:
    """Gradients of a row product's weights and input; ends in the input's."""
    tokens = share.tokens
    if share.scattered and alone:
        _gather(p, f"{name}.gather-gradient", tokens * n)
    _cast(p, share, f"{name}.input", tokens * n)
    gradient = p.at
    p.then(f"{name}.input", Contraction(1, tokens, k, n, share.operand_bytes))
    p.beside(f"{name}.weight", weight_gradient(share, n, k, tokens), needs=gradient)


def whole_forward(p: Pass, share: Share, name: str, *, tokens: int, n: int, k: int, kept: int) -> None:
    """A product whose weights every rank holds."""
    _cast(p, share, name, tokens * k)
    p.then(name, Contraction(1, tokens, n, k, share.operand_bytes), kept=kept)


def whole_backward(p: Pass, share: Share, name: str, *, tokens: int, n: int, k: int) -> None:
    """Gradients of its weights and input; ends in the input's."""
    _cast(p, share, f"{name}.input", tokens * n)
    gradient = p.at
    p.then(f"{name}.input", Contraction(1, tokens, k, n, share.operand_bytes))
    p.beside(f"{name}.weight", weight_gradient(share, n, k, tokens), needs=gradient)


def weight_gradient(share: Share, n: int, k: int, tokens: int, batch: int = 1) -> Contraction:
    """Added to the gradients of earlier microbatches in 4 bytes."""
    return Contraction(batch, n, k, tokens, share.operand_bytes, GRADIENT_BYTES, accumulates=True)


def bias_gradient(p: Pass, name: str, tokens: int, width: int) -> None:
    """The sum of a gradient over tokens, added to those of earlier microbatches."""
    read = 2 * tokens * width + GRADIENT_BYTES * width
    p.beside(name, Elementwise((("add", tokens * width),), read, GRADIENT_BYTES * width, backward=True))


def reduce(p: Pass, share: Share, name: str, width: int) -> None:
    """The sum over tensor ranks; scattered over them under sequence parallelism."""
    if share.tensor == 1:
        return
    pattern = Pattern.REDUCE_SCATTER if share.scattered else Pattern.ALL_REDUCE
    p.then(name, Collective(pattern, Group.TENSOR, 2 * share.tokens * width))


def _gather(p: Pass, name: str, elements: int) -> None:
    p.then(name, Collective(Pattern.ALL_GATHER, Group.TENSOR, 2 * elements))


def _cast(p: Pass, share: Share, name: str, elements: int) -> None:
    if share.operand_bytes == 1:
        layouts = 1 if share.phase else 2
        p.then(f"{name}.cast", Elementwise((("multiply", elements),), 2 * elements, layouts * elements))
