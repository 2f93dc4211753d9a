"""Vision transformers (Dosovitskiy et al., ICLR 2021) with a class token and a linear head, as torchvision has them.

DeiT (Touvron et al., ICML 2021) has the same graph with fewer heads; stochastic depth is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from intarsia.graph import Convolution, Product, SelfAttention, Step, Steps, Vector, View
from intarsia.models.traced import Traced

DOSOVITSKIY = "Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021"
TOUVRON = "Touvron et al., Training data-efficient image transformers, ICML 2021, table 1; without distillation"
CHANNELS = 3


@dataclass(frozen=True, slots=True)
class Vit:
    """A configuration: channels of a token, blocks, heads, inner width, source, extent of a patch and of the image."""

    hidden: int
    blocks: int
    heads: int
    ffn: int
    source: str
    patch: int = 16
    pixels: int = 224
    classes: int = 1000

    @property
    def patches(self) -> int:
        """Of an image."""
        return (self.pixels // self.patch) ** 2

    @property
    def tokens(self) -> int:
        """Patches, and the class token."""
        return self.patches + 1


VITS = {
    "deit-tiny": Vit(192, 12, 3, 768, TOUVRON),
    "deit-small": Vit(384, 12, 6, 1536, TOUVRON),
    "vit-base-16": Vit(768, 12, 12, 3072, DOSOVITSKIY),
    "vit-large-16": Vit(1024, 24, 16, 4096, DOSOVITSKIY),
}


@cache
def vit(name: str) -> Traced:
    """The model of a name of ``VITS``."""
    return Traced(name, vit_steps(VITS[name]), source=VITS[name].source)


def vit_steps(config: Vit) -> Steps:
    """The graph, with its loss."""
    c, whole = config, config.tokens * config.hidden
    side = (c.patch, c.patch)
    patches = Convolution((c.pixels, c.pixels), side, CHANNELS, c.hidden, side, (0, 0, 0, 0), (1, 1))
    weights = (("patches.weight", patches.weights), ("patches.bias", c.hidden))
    steps = [
        Step("embedding.patches", patches, ("image",), c.patches * c.hidden, weights),
        Step("embedding.class", Vector("copy", whole), ("embedding.patches",), whole, (("class", c.hidden),)),
        Step("embedding.positions", Vector("add", whole), ("embedding.class",), whole, (("positions", whole),)),
        Step("embedding.dropout", Vector("dropout", whole), ("embedding.positions",), whole),
    ]
    for i in range(c.blocks):
        steps += _block(c, f"block{i}", steps[-1].name)
    steps += [
        _norm("head.norm", steps[-1].name, c),
        Step("head.class", View(), ("head.norm",), c.hidden),
        _linear("head.linear", "head.class", 1, c.classes, c.hidden),
        Step("loss", Vector("loss", c.classes), ("head.linear",), 1),
    ]
    return Steps((("image", CHANNELS * c.pixels**2),), tuple(steps), "loss")


def _block(c: Vit, name: str, x: str) -> tuple[Step, ...]:
    """Attention and feed-forward part, each behind a norm and added to what it started from."""
    tokens, whole, inner = c.tokens, c.tokens * c.hidden, c.tokens * c.ffn
    width = c.hidden // c.heads
    attention = SelfAttention(c.heads, c.heads, tokens, tokens, width, width, causal=False)
    parts = tuple(f"{name}.{part}" for part in ("queries", "keys", "values"))
    return (
        _norm(f"{name}.norm1", x, c),
        _linear(f"{name}.qkv", f"{name}.norm1", tokens, 3 * c.hidden, c.hidden),
        *(Step(part, View(), (f"{name}.qkv",), whole) for part in parts),
        Step(f"{name}.attention", attention, parts, whole),
        _linear(f"{name}.projection", f"{name}.attention", tokens, c.hidden, c.hidden),
        Step(f"{name}.add1", Vector("add", whole), (f"{name}.projection", x), whole),
        _norm(f"{name}.norm2", f"{name}.add1", c),
        _linear(f"{name}.expand", f"{name}.norm2", tokens, c.ffn, c.hidden),
        Step(f"{name}.gelu", Vector("gelu", inner), (f"{name}.expand",), inner),
        _linear(f"{name}.contract", f"{name}.gelu", tokens, c.hidden, c.ffn),
        Step(f"{name}.add2", Vector("add", whole), (f"{name}.contract", f"{name}.add1"), whole),
    )


def _norm(name: str, x: str, c: Vit) -> Step:
    weights = ((f"{name}.weight", c.hidden), (f"{name}.bias", c.hidden))
    return Step(name, Vector("norm", c.tokens * c.hidden), (x,), c.tokens * c.hidden, weights)


def _linear(name: str, x: str, m: int, n: int, k: int) -> Step:
    weights = ((f"{name}.weight", n * k), (f"{name}.bias", n))
    return Step(name, Product(1, m, n, k, weight=True), (x,), m * n, weights)
