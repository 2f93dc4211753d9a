"""The kernels of a part's forward pass at a microbatch, one or a few for each step, before fusion."""

from __future__ import annotations

from dataclasses import dataclass

from intarsia.graph.convolution import Convolution, input_gradient_of, result_of
from intarsia.graph.draft import Draft, Touch, vector
from intarsia.graph.part import ACTIVATION_BYTES, Part
from intarsia.graph.rules import RULES
from intarsia.graph.step import Gather, Product, SelfAttention, Step, Vector, View
from intarsia.graph.variant import Attention, Dtype, Variant
from intarsia.graph.work import Contraction, FusedAttention, Lookup

INDEX_BYTES = 8
STATISTIC_BYTES = 4


@dataclass(frozen=True, slots=True)
class Scale:
    """What turns the steps of a part into kernels.

    Attributes:
        microbatch: samples.
        element_bytes: of a contraction's operands.
        flash: attention keeps its scores on the chip.
        sizes: elements of one sample of every tensor of the part.
        roots: every tensor to the one that holds its elements.
    """

    microbatch: int
    element_bytes: int
    flash: bool
    sizes: dict[str, int]
    roots: dict[str, str]

    def bytes_of(self, name: str) -> int:
        """Bytes of a tensor."""
        return ACTIVATION_BYTES * self.microbatch * self.sizes[name]


def scale_of(part: Part, variant: Variant) -> Scale:
    """The part, and what of a variant matters to a graph that is not cut."""
    element_bytes = 1 if variant.dtype is Dtype.FP8 else ACTIVATION_BYTES
    flash = variant.attention is Attention.FLASH
    return Scale(variant.microbatch, element_bytes, flash, part.sizes, part.roots)


def forward(part: Part, scale: Scale) -> tuple[Draft, ...]:
    """The kernels in order."""
    core = core_of(part)
    return tuple(draft for step in part.steps for draft in _drafts(step, scale, core=step.name in core))


def reads_of(step: Step, scale: Scale) -> tuple[Touch, ...]:
    """What a step reads of each input: of a view only its part, of an expanded one only what is there."""
    roots = scale.roots
    return tuple((roots[name], min(scale.bytes_of(name), scale.bytes_of(roots[name]))) for name in step.inputs)


def mask_of(step: Step, scale: Scale) -> tuple[Touch, ...]:
    """What a step keeps for its derivative beside inputs and result, if anything."""
    match step.kind:
        case Vector(rule) if RULES[rule].mask_bytes:
            return ((f"{step.name}.mask", RULES[rule].mask_bytes * scale.microbatch * step.elements),)
        case SelfAttention() as attention if scale.flash:
            rows = scale.microbatch * attention.heads * attention.queries
            return ((f"{step.name}.mask", STATISTIC_BYTES * rows),)
        case SelfAttention() as attention:
            return ((f"{step.name}.scores", score_bytes(attention, scale)),)
        case _:
            return ()


def score_bytes(attention: SelfAttention, scale: Scale) -> int:
    """Bytes of the scores of all heads."""
    return ACTIVATION_BYTES * scale.microbatch * attention.heads * attention.queries * attention.keys


def _drafts(step: Step, scale: Scale, *, core: bool) -> tuple[Draft, ...]:
    reads = reads_of(step, scale)
    writes = ((step.name, scale.bytes_of(step.name)), *mask_of(step, scale))
    b, e = scale.microbatch, scale.element_bytes
    match step.kind:
        case View():
            return ()
        case Product(batch, m, n, k, weight):
            work = Contraction(batch, b * m, n, k, e) if weight else Contraction(b * batch, m, n, k, e)
            return (Draft(step.name, work, reads, writes, core=core),)
        case Convolution() as conv:
            made = (input_gradient_of if conv.transposed else result_of)(conv, b, e)
            return (Draft(step.name, made, reads, writes),)
        case Vector(name, count):
            rule = RULES[name]
            read = tuple((tensor, rule.passes * size) for tensor, size in reads)
            weights = tuple((f"weight {w}", ACTIVATION_BYTES * n) for w, n in step.weights)
            work_ = vector(rule.forward, b * count)
            return (Draft(step.name, work_, (*read, *weights), writes, pointwise=rule.pointwise, core=core),)
        case Gather(rows, width):
            table = ACTIVATION_BYTES * b * rows * width
            return (Draft(step.name, Lookup(b * rows, width, table + INDEX_BYTES * b * rows, table), reads, writes),)
        case SelfAttention() as attention if scale.flash:
            return (Draft(step.name, fused(attention, scale, products=2), reads, writes, core=True),)
        case SelfAttention() as attention:
            return _eager(step, attention, (reads, writes), scale)


def fused(attention: SelfAttention, scale: Scale, *, products: int) -> FusedAttention:
    """Attention with its scores on the chip."""
    a, b = attention, scale.microbatch
    return FusedAttention(
        b * a.heads,
        a.queries,
        a.keys,
        a.query_width,
        a.value_width,
        b * a.key_heads,
        a.causal,
        products,
        scale.element_bytes,
    )


def _eager(
    step: Step, a: SelfAttention, touches: tuple[tuple[Touch, ...], tuple[Touch, ...]], scale: Scale
) -> tuple[Draft, ...]:
    """Scores, softmax and values as three kernels, the scores in memory between them."""
    (queries, keys, values, *_), (result, scores) = touches
    b, e = scale.microbatch * a.heads, scale.element_bytes
    raw = (f"{step.name}.raw", scores[1])
    softmax = vector(RULES["softmax"].forward, scale.microbatch * a.heads * a.queries * a.keys)
    return (
        Draft(
            f"{step.name}.scores",
            Contraction(b, a.queries, a.keys, a.query_width, e),
            (queries, keys),
            (raw,),
            core=True,
        ),
        Draft(f"{step.name}.softmax", softmax, (raw,), (scores,), core=True),
        Draft(
            f"{step.name}.values",
            Contraction(b, a.queries, a.value_width, a.keys, e),
            (scores, values),
            (result,),
            core=True,
        ),
    )


def core_of(part: Part) -> frozenset[str]:
    """Steps of attention that is written out: products of two activations, and what lies between them."""
    products = {s.name for s in part.steps if isinstance(s.kind, Product) and not s.kind.weight}
    after = set(products)
    for step in part.steps:
        if not isinstance(step.kind, Product | Convolution) and after.intersection(step.inputs):
            after.add(step.name)
    before = set(products)
    for step in reversed(part.steps):
        if step.name in before:
            kept_heavy = isinstance(step.kind, Product) and step.kind.weight
            before |= set() if kept_heavy else set(step.inputs)
    between = after & before
    return frozenset(s.name for s in part.steps if s.name in between and isinstance(s.kind, Product | Vector))
