"""Swin transformers (Liu et al., ICCV 2021): attention inside windows of 7×7 tokens, with heads of 32 channels.

Parameters and multiplications are those that torchvision publishes for its weights of the same names.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from intarsia.graph import Convolution, Product, SelfAttention, Step, Steps, Vector, View
from intarsia.models.traced import Traced, notes_of

SOURCE = "Liu et al., Swin Transformer: Hierarchical Vision Transformer using Shifted Windows, ICCV 2021"
NOTE = "adding the position bias to the scores, and masking those of shifted windows, is not priced"
CHANNELS = 3
PATCH = 4
WINDOW = 7
HEAD = 32
EXPANSION = 4


@dataclass(frozen=True, slots=True)
class Swin:
    """A configuration: channels of the first stage, blocks of each stage, rows and columns of the image, classes."""

    hidden: int
    blocks: tuple[int, int, int, int]
    pixels: int = 224
    classes: int = 1000


SWINS = {"swin-tiny": Swin(96, (2, 2, 6, 2)), "swin-small": Swin(96, (2, 2, 18, 2))}


@cache
def swin(name: str) -> Traced:
    """The model of a name of ``SWINS``."""
    graph = swin_steps(SWINS[name])
    return Traced(name, graph, notes=notes_of(graph.steps), source=SOURCE)


def swin_steps(config: Swin) -> Steps:
    """The graph, with its loss."""
    c, side, width = config, config.pixels // PATCH, config.hidden
    square = (PATCH, PATCH)
    patches = Convolution((c.pixels, c.pixels), square, CHANNELS, width, square, (0, 0, 0, 0), (1, 1))
    weights = (("patches.weight", patches.weights), ("patches.bias", width))
    steps = [Step("embedding.patches", patches, ("image",), side**2 * width, weights)]
    steps.append(_norm("embedding.norm", steps[-1].name, side**2, width))
    for stage, count in enumerate(c.blocks, 1):
        if stage > 1:
            side, width = side // 2, 2 * width
            steps += _merged(f"stage{stage}.merge", steps[-1].name, side**2, width)
        for i in range(count):
            shifted = i % 2 == 1 and side > WINDOW
            name, x = f"stage{stage}.block{i + 1}", steps[-1].name
            steps += _block(name, x, (side, width), shifted=shifted, drops=(stage, i) != (1, 0))
    steps += [
        _norm("head.norm", steps[-1].name, side**2, width),
        Step("head.pool", Vector("mean-pool", side**2 * width), ("head.norm",), width),
        _linear("head.linear", "head.pool", (1, c.classes, width)),
        Step("loss", Vector("loss", c.classes), ("head.linear",), 1),
    ]
    return Steps((("image", CHANNELS * c.pixels**2),), tuple(steps), "loss")


def _merged(name: str, x: str, tokens: int, width: int) -> tuple[Step, ...]:
    """Four neighbours side by side, and a product that halves their channels."""
    both = tokens * 2 * width
    return (
        Step(f"{name}.copy", Vector("copy", both), (x,), both),
        _norm(f"{name}.norm", f"{name}.copy", tokens, 2 * width),
        _linear(f"{name}.linear", f"{name}.norm", (tokens, width, 2 * width), bias=False),
    )


def _block(name: str, x: str, shape: tuple[int, int], *, shifted: bool, drops: bool) -> list[Step]:
    """Attention in windows and feed-forward part, each behind a norm and added to what it started from."""
    side, width = shape
    tokens, whole = side**2, side**2 * width
    steps = [_norm(f"{name}.norm1", x, tokens, width)]

    def then(step: str, rule: str, count: int = whole) -> None:
        steps.append(Step(f"{name}.{step}", Vector(rule, count), (steps[-1].name,), count))

    def closed(step: str, other: str) -> None:
        if drops:
            then(f"drop{step}", "scale")
        steps.append(Step(f"{name}.add{step}", Vector("add", whole), (steps[-1].name, other), whole))

    if shifted:
        then("roll", "copy")
    then("windows", "copy")
    steps.append(_linear(f"{name}.qkv", steps[-1].name, (tokens, 3 * width, width)))
    parts = tuple(f"{name}.{part}" for part in ("queries", "keys", "values"))
    steps += [Step(part, View(), (f"{name}.qkv",), whole) for part in parts]
    steps.append(_attention(f"{name}.attention", parts, side, width))
    steps.append(_linear(f"{name}.projection", steps[-1].name, (tokens, width, width)))
    then("back", "copy")
    if shifted:
        then("unroll", "copy")
    closed("1", x)
    steps.append(_norm(f"{name}.norm2", steps[-1].name, tokens, width))
    steps.append(_linear(f"{name}.expand", steps[-1].name, (tokens, EXPANSION * width, width)))
    then("gelu", "gelu", EXPANSION * whole)
    steps.append(_linear(f"{name}.contract", steps[-1].name, (tokens, width, EXPANSION * width)))
    closed("2", f"{name}.add1")
    return steps


def _attention(name: str, parts: tuple[str, ...], side: int, width: int) -> Step:
    """Every head of every window by itself; a bias for each head and each difference of two places in a window."""
    heads, inside = width // HEAD, WINDOW**2
    every = (side // WINDOW) ** 2 * heads
    kind = SelfAttention(every, every, inside, inside, HEAD, HEAD, causal=False)
    bias = ((f"{name}.bias", (2 * WINDOW - 1) ** 2 * heads),)
    return Step(name, kind, parts, side**2 * width, bias, note=NOTE)


def _norm(name: str, x: str, tokens: int, width: int) -> Step:
    weights = ((f"{name}.weight", width), (f"{name}.bias", width))
    return Step(name, Vector("norm", tokens * width), (x,), tokens * width, weights)


def _linear(name: str, x: str, shape: tuple[int, int, int], *, bias: bool = True) -> Step:
    m, n, k = shape
    weights = ((f"{name}.weight", n * k), *(((f"{name}.bias", n),) if bias else ()))
    return Step(name, Product(1, m, n, k, weight=True), (x,), m * n, weights)
