"""Vision transformers: blocks of a transformer over patches of an image, which a convolution makes tokens of.

The convolution and the classifier are whole on every tensor rank; the blocks are cut as any transformer's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from intarsia.graph import Contraction, Elementwise, Layer, Lookup, Variant
from intarsia.ground.errors import InputError
from intarsia.models.transformer.block import block_backward, block_forward
from intarsia.models.transformer.count import block_parameters, norm_parameters
from intarsia.models.transformer.ends import loss_backward, loss_forward
from intarsia.models.transformer.kinds import Activation, Norm, Positions
from intarsia.models.transformer.linear import GRADIENT_BYTES, bias_gradient, weight_gradient
from intarsia.models.transformer.passes import Pass
from intarsia.models.transformer.share import Share, share_of
from intarsia.models.transformer.stream import norm_backward, norm_forward
from intarsia.models.transformer.transformer import Transformer


@dataclass(frozen=True, slots=True)
class VisionTransformer:
    """A classifier of images.

    Attributes:
        trunk: the blocks; its vocabulary is the classes, its sequence the patches and the class token.
        image: height and width, pixels.
        patch: height and width, pixels.
        channels: of a pixel.
    """

    trunk: Transformer
    image: int
    patch: int
    channels: int = 3

    @property
    def name(self) -> str:
        """As the user named it."""
        return self.trunk.name

    @property
    def sequence(self) -> int:
        """0: it has images, no sequences."""
        return 0

    @property
    def parameters(self) -> int:
        """All weights, elements."""
        ends = norm_parameters(self.trunk, self.trunk.hidden) + (self.trunk.hidden + 1) * self.trunk.vocab
        return self.table_parameters + self.trunk.blocks * block_parameters(self.trunk) + ends

    @property
    def active_parameters(self) -> int:
        """The same."""
        return self.parameters

    @property
    def table_parameters(self) -> int:
        """Of the convolution, the class token and the positions."""
        return self.trunk.hidden * (self.channels * self.patch**2 + 2 + self.trunk.sequence)

    def flops(self, sequence: int) -> int:
        """Operations of one image's forward and backward pass; the image itself needs no gradient."""
        del sequence
        trunk, tokens = self.trunk, self.trunk.sequence
        patches = 2 * (tokens - 1) * trunk.hidden * self.channels * self.patch**2
        product = 2 * tokens * trunk.blocks * trunk.hidden * (4 * trunk.hidden + 2 * trunk.ffn)
        attention = 4 * trunk.blocks * tokens * tokens * trunk.hidden
        return 2 * patches + 3 * (product + attention + 2 * trunk.hidden * trunk.vocab)

    def refusal(self, variant: Variant) -> str:
        """Why the model cannot be cut so, or empty; the variant's sequence does not matter."""
        if variant.context > 1:
            return f"images are not cut by context {variant.context}"
        return self.trunk.refusal(replace(variant, sequence=self.trunk.sequence))

    def layers(self, variant: Variant) -> tuple[Layer, ...]:
        """Patches, blocks, head, loss.

        Raises:
            InputError: for a variant that ``refusal`` refuses.
        """
        reason = self.refusal(variant)
        if reason:
            raise InputError(f"cannot be cut so: {reason}", where=self.name)
        share = share_of(self.trunk, replace(variant, sequence=self.trunk.sequence))
        return (self._patches(share), _blocks(share), _head(share), _loss(share))

    def _patches(self, share: Share) -> Layer:
        b, hidden = share.sequences, self.trunk.hidden
        pixels = 2 * b * self.channels * self.image**2
        depth, rows = self.channels * self.patch**2, b * (self.trunk.sequence - 1)
        sizes = f"n={b},c={self.channels},h={self.image},w={self.image},k={hidden},r={self.patch},s={self.patch}"
        size = 2 * share.thin * hidden
        table = (self.trunk.sequence + 1) * hidden
        forward, backward = Pass(), Pass()
        product = Contraction(1, rows, hidden, depth, spec=f"conv2d:{sizes},stride={self.patch}")
        forward.then("patches", product, kept=pixels)
        forward.then("positions", Elementwise((("add", size // 2),), size + 2 * table, size))
        moved = GRADIENT_BYTES * table
        backward.beside("positions.weight", Lookup(share.thin, hidden, size + moved, moved))
        bias_gradient(backward, "patches.bias", rows, hidden)
        backward.beside("patches.weight", weight_gradient(share, hidden, depth, rows))
        return _ends("embedding", forward, backward, self.table_parameters, (pixels, size))


def _blocks(share: Share) -> Layer:
    size = 2 * share.thin * share.model.hidden
    forward, backward = block_forward(share, sparse=False), block_backward(share, sparse=False)
    return Layer(
        "block", share.model.blocks, forward, backward, block_parameters(share.model, share.tensor), 0, size, size
    )


def _head(share: Share) -> Layer:
    """A norm of every token, and the classes of the class token."""
    model, b = share.model, share.sequences
    forward, backward = Pass(), Pass()
    norm_forward(forward, "final-norm", share.thin, model.hidden)
    forward.then("logits", Contraction(1, b, model.vocab, model.hidden), kept=2 * b * model.hidden)
    bias_gradient(backward, "logits.bias", b, model.vocab)
    backward.then("logits.input", Contraction(1, b, model.hidden, model.vocab))
    backward.beside("logits.weight", weight_gradient(share, model.vocab, model.hidden, b), needs=())
    norm_backward(backward, "final-norm", share.thin, model.hidden)
    parameters = norm_parameters(model, model.hidden) + (model.hidden + 1) * model.vocab
    sizes = (2 * share.thin * model.hidden, 2 * b * model.vocab)
    return _ends("head", forward, backward, parameters, sizes)


def _loss(share: Share) -> Layer:
    """One class for each image, on every rank."""
    b = share.sequences
    small = replace(share, tokens=b, tensor=1, scattered=False, vocab=share.model.vocab)
    forward, backward = Pass(), Pass()
    forward.nodes, backward.nodes = list(loss_forward(small)), list(loss_backward(small))
    return _ends("loss", forward, backward, 0, (2 * b * share.model.vocab, 4 * b))


def _ends(name: str, forward: Pass, backward: Pass, parameters: int, sizes: tuple[int, int]) -> Layer:
    """A layer before or after the blocks, with the bytes of its input and of its output."""
    return Layer(
        name, 1, tuple(forward.nodes), tuple(backward.nodes), parameters, 0, sizes[0], sizes[1], checkpointed=False
    )


def _vit(name: str, hidden: int, blocks: int, heads: int) -> VisionTransformer:
    image, patch = 224, 16
    tokens = (image // patch) ** 2 + 1
    trunk = Transformer(
        name=name,
        hidden=hidden,
        blocks=blocks,
        heads=heads,
        kv_heads=heads,
        head_width=hidden // heads,
        ffn=4 * hidden,
        vocab=1000,
        sequence=tokens,
        activation=Activation.GELU,
        norm=Norm.LAYER,
        qkv_bias=True,
        projection_bias=True,
        ffn_bias=True,
        positions=Positions.LEARNED,
        position_rows=tokens,
        causal=False,
    )
    return VisionTransformer(trunk, image, patch)


VISION = {model.name: model for model in (_vit("vit-base", 768, 12, 12), _vit("vit-large", 1024, 24, 16))}
"""ViT-B/16 and ViT-L/16 at 224 × 224 pixels with 1000 classes (Dosovitskiy et al. 2020, table 1)."""
