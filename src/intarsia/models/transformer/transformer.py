"""A transformer by its sizes: what its weights and operations are, and its layers at any variant."""

from __future__ import annotations

from dataclasses import dataclass, replace

from intarsia.graph import Layer, ServedLayer, Serving, Variant
from intarsia.ground.errors import InputError
from intarsia.models.transformer.chain import chain
from intarsia.models.transformer.count import active_parameters, all_parameters, training_flops
from intarsia.models.transformer.kinds import Activation, Experts, Latent, Norm, Positions
from intarsia.models.transformer.refusal import refusal, serving_refusal
from intarsia.models.transformer.served import served_chain


@dataclass(frozen=True, slots=True)
class Transformer:
    """A stack of equal blocks of attention and feed-forward parts between an embedding and a head.

    Attributes:
        name: as the user named it.
        hidden: channels of a token between blocks.
        blocks: how many.
        heads: of queries.
        kv_heads: of keys and values.
        head_width: channels of a head.
        ffn: inner width of a plain feed-forward part.
        vocab: rows of the token table.
        sequence: tokens that it is usually trained on.
        gated: the feed-forward part has two products in, one of which gates the other.
        activation: between the products.
        norm: layer or RMS.
        qkv_bias: queries, keys and values have a bias.
        projection_bias: the product after attention has one.
        ffn_bias: the products of the feed-forward part have one.
        head_bias: the logits have one.
        positions: learned, rotary or alibi.
        position_rows: of the table of learned positions.
        rotary_width: channels of a head that are rotated.
        tied: the head's weights are the token table's.
        causal: a token sees those before it.
        token_types: rows of the table of segments (BERT).
        sentence_head: a pooler and a classifier of sentence pairs stand beside the head (BERT).
        transform_head: a product, an activation and a norm come before the logits (BERT).
        embedding_width: channels of a token's row in the table, where a product widens it to hidden (OPT-350M).
        embedding_norm: a norm follows the embedding.
        final_norm: a norm follows the last block.
        post_norm: norms follow the residual additions instead of starting the branches.
        parallel: both branches start from the same tokens (GPT-J, GPT-NeoX).
        shared_norm: and from the same norm (GPT-J).
        branch_norms: a second norm ends each branch (Gemma 2).
        head_norms: queries and keys are normalised in each head (Qwen 3).
        capped: logits pass a tanh (Gemma 2).
        dropout: of the embedding and of each branch's result.
        attention_dropout: of attention's probabilities.
        latent: sizes of latent attention.
        experts: sizes of routed experts.
        window: tokens that attention sees back to, 0 for all; counted where the model answers, not in training.
        global_every: every so many-th block sees all tokens nevertheless (Gemma 2); 0 for none.
    """

    name: str
    hidden: int
    blocks: int
    heads: int
    kv_heads: int
    head_width: int
    ffn: int
    vocab: int
    sequence: int
    gated: bool = False
    activation: Activation = Activation.GELU_TANH
    norm: Norm = Norm.LAYER
    qkv_bias: bool = False
    projection_bias: bool = False
    ffn_bias: bool = False
    head_bias: bool = False
    positions: Positions = Positions.ROTARY
    position_rows: int = 0
    rotary_width: int = 0
    tied: bool = False
    causal: bool = True
    token_types: int = 0
    sentence_head: bool = False
    transform_head: bool = False
    embedding_width: int = 0
    embedding_norm: bool = False
    final_norm: bool = True
    post_norm: bool = False
    parallel: bool = False
    shared_norm: bool = False
    branch_norms: bool = False
    head_norms: bool = False
    capped: bool = False
    dropout: bool = False
    attention_dropout: bool = False
    latent: Latent | None = None
    experts: Experts | None = None
    window: int = 0
    global_every: int = 0

    @property
    def query_width(self) -> int:
        """Channels of a head's query and key."""
        return self.latent.content_width + self.latent.rotary_width if self.latent else self.head_width

    @property
    def value_width(self) -> int:
        """Channels of a head's value."""
        return self.latent.value_width if self.latent else self.head_width

    @property
    def table_width(self) -> int:
        """Channels of a row of the token table."""
        return self.embedding_width or self.hidden

    @property
    def dense_blocks(self) -> int:
        """Blocks with a plain feed-forward part."""
        return self.experts.dense_first if self.experts else self.blocks

    @property
    def parameters(self) -> int:
        """All weights, tied ones once, elements."""
        return all_parameters(self)

    @property
    def active_parameters(self) -> int:
        """Weights that one token meets: all, less the experts that its router does not choose."""
        return active_parameters(self)

    @property
    def trained(self) -> Transformer:
        """The same without what only serving counts."""
        return replace(self, window=0, global_every=0)

    def flops(self, sequence: int) -> int:
        """Operations of one sequence's forward and backward pass without recomputation: what MFU counts.

        Attention counts in full, causal or not, as in Narayanan et al. (SC'21), appendix.
        """
        return training_flops(self, sequence)

    def refusal(self, variant: Variant) -> str:
        """Why the model cannot be cut so, or empty."""
        return refusal(self, variant)

    def layers(self, variant: Variant) -> tuple[Layer, ...]:
        """Embedding, blocks, head, loss, as one device of the variant sees them.

        Raises:
            InputError: for a variant that ``refusal`` refuses.
        """
        reason = refusal(self, variant)
        if reason:
            raise InputError(f"cannot be cut so: {reason}", where=self.name)
        return chain(self, variant)

    def serving_refusal(self, serving: Serving) -> str:
        """Why the model cannot answer so, or empty."""
        return serving_refusal(self, serving)

    def served(self, serving: Serving) -> tuple[ServedLayer, ...]:
        """Embedding, blocks, head, as one device of the phase sees them.

        Raises:
            InputError: for shapes that ``serving_refusal`` refuses.
        """
        reason = serving_refusal(self, serving)
        if reason:
            raise InputError(f"cannot answer so: {reason}", where=self.name)
        return served_chain(self, serving)
