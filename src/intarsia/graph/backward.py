"""The kernels of a part's backward pass, by rule from its steps.

A contraction gives two: the input gradient and the weight gradient. Vector work gives its derivative, or nothing where
it passes the gradient on as it is. A tensor that several steps read gets the sum of their gradients.
"""

from __future__ import annotations

from collections.abc import Iterator

from intarsia.graph.convolution import GRADIENT_BYTES, Convolution, input_gradient_of, result_of, weight_gradient_of
from intarsia.graph.draft import Draft, Touch, vector
from intarsia.graph.forward import INDEX_BYTES, Scale, fused, mask_of, reads_of
from intarsia.graph.part import ACTIVATION_BYTES, Part, kept_of
from intarsia.graph.rules import RULES
from intarsia.graph.step import Gather, Product, SelfAttention, Step, Vector
from intarsia.graph.work import Contraction, Lookup, Work


def backward(part: Part, scale: Scale) -> tuple[Draft, ...]:
    """The kernels in order; the gradient of the part's output is given."""
    return tuple(_Backward(part, scale).run())


class _Backward:
    """What is known while the steps are met in reverse: the parts of each tensor's gradient so far."""

    def __init__(self, part: Part, scale: Scale) -> None:
        self.part = part
        self.scale = scale
        self.roots = scale.roots
        self.wanted = {name for name in part.trained if name == part.boundary or self._made_here(name)}
        self.found: dict[str, list[Touch]] = {}

    def run(self) -> Iterator[Draft]:
        output = self.part.output
        self.found[output] = [(f"gradient of {output}", self.scale.bytes_of(output))]
        for step in reversed(self.part.steps):
            if self.roots[step.name] == step.name and step.name in self.part.trained and step.name in self.found:
                yield from self._summed(step.name)
                yield from self._derivative(step, tuple(self.found[step.name]))
        if self.part.boundary in self.found:
            yield from self._summed(self.part.boundary, "gradient of the input")

    def _made_here(self, name: str) -> bool:
        return name not in dict(self.part.inputs)

    def _summed(self, name: str, shown: str = "") -> Iterator[Draft]:
        """One gradient of several; gradients of parts of a tensor need no sum."""
        given = self.found[name]
        excess = sum(size for _, size in given) - self.scale.bytes_of(name)
        if len(given) > 1 and excess > 0:
            whole = (f"gradient of {name}", self.scale.bytes_of(name))
            self.found[name] = [whole]
            work = vector(("add",), excess // ACTIVATION_BYTES, backward=True)
            yield Draft(shown or f"{name}.sum", work, tuple(given), (whole,), pointwise=True)

    def _inputs(self, step: Step) -> tuple[Touch, ...]:
        """Input tensors that want a gradient, with their bytes; the same one as often as it is read."""
        reads = reads_of(step, self.scale)
        return tuple(touch for touch in reads if touch[0] in self.wanted)

    def _give(self, step: Step, inputs: tuple[Touch, ...]) -> tuple[Touch, ...]:
        """Gradients of inputs as tensors that a kernel writes."""
        written: list[Touch] = []
        for tensor, size in inputs:
            found = self.found.setdefault(tensor, [])
            made = (f"gradient {len(found)} of {tensor} by {step.name}", size)
            found.append(made)
            written.append(made)
        return tuple(written)

    def _derivative(self, step: Step, given: tuple[Touch, ...]) -> Iterator[Draft]:
        b, e = self.scale.microbatch, self.scale.element_bytes
        match step.kind:
            case Product(batch, m, n, k, True):
                if self._inputs(step):
                    yield self._draft(step, "input", Contraction(batch, b * m, k, n, e), given)
                work = Contraction(batch, k, n, b * m, e, GRADIENT_BYTES, accumulates=True)
                yield from self._weight(step, work, given)
            case Product(batch, m, n, k):
                yield from self._two(
                    step, Contraction(b * batch, m, k, n, e), Contraction(b * batch, k, n, m, e), given
                )
            case Convolution() as conv:
                if self._inputs(step):
                    made = (result_of if conv.transposed else input_gradient_of)(conv, b, e)
                    yield self._draft(step, "input", made, given)
                yield from self._weight(step, weight_gradient_of(conv, b, e), given)
            case Vector():
                yield from self._vector(step, step.kind, given)
            case Gather(rows, width):
                moved = b * rows * width
                read = (ACTIVATION_BYTES + GRADIENT_BYTES) * moved + INDEX_BYTES * b * rows
                work_ = Lookup(b * rows, width, read, GRADIENT_BYTES * moved)
                yield Draft(f"{step.name}.weight", work_, given, ())
            case SelfAttention() as attention:
                yield from self._attention(step, attention, given)
            case _:
                return

    def _draft(self, step: Step, what: str, work: Work, given: tuple[Touch, ...], *, pointwise: bool = False) -> Draft:
        """A kernel that gives every input its gradient."""
        kept = kept_of(step, self.roots, self.part.trained) if what != "input" else frozenset()
        reads = (*given, *((tensor, self.scale.bytes_of(tensor)) for tensor in sorted(kept)))
        if what != "input":
            reads += mask_of(step, self.scale)
        return Draft(f"{step.name}.{what}", work, reads, self._give(step, self._inputs(step)), pointwise=pointwise)

    def _weight(self, step: Step, work: Contraction, given: tuple[Touch, ...]) -> Iterator[Draft]:
        yield Draft(f"{step.name}.weight", work, (*given, *reads_of(step, self.scale)), ())
        if len(step.weights) > 1:
            yield self._reduction(step, "bias", given, sum(size for _, size in step.weights[1:]))

    def _reduction(self, step: Step, what: str, given: tuple[Touch, ...], summed: int) -> Draft:
        """The sum of a gradient over what its weights were spread over."""
        count = self.scale.microbatch * step.elements
        name = f"{step.name}.{what}"
        return Draft(name, vector(("add",), count, backward=True), given, ((f"sum {name}", GRADIENT_BYTES * summed),))

    def _two(self, step: Step, left: Contraction, right: Contraction, given: tuple[Touch, ...]) -> Iterator[Draft]:
        reads = reads_of(step, self.scale)
        for i, (what, work) in enumerate((("left", left), ("right", right))):
            if reads[i][0] in self.wanted:
                (made,) = self._give(step, reads[i : i + 1])
                made = (f"{made[0]} {what}", made[1])
                self.found[reads[i][0]][-1] = made
                yield Draft(f"{step.name}.{what}", work, (*given, reads[1 - i]), (made,), core=True)

    def _vector(self, step: Step, kind: Vector, given: tuple[Touch, ...]) -> Iterator[Draft]:
        rule = RULES[kind.rule]
        if kind.rule == "unknown" or rule.backward:
            work = vector(rule.backward, self.scale.microbatch * kind.count, backward=True)
            draft = self._draft(step, "back", work, given, pointwise=rule.pointwise)
            if rule.passes > 1:
                reads = tuple((tensor, rule.passes * size) for tensor, size in draft.reads)
                draft = Draft(draft.name, draft.work, reads, draft.writes, draft.pointwise)
            yield draft
            return
        whole = self.scale.bytes_of(step.name)
        for i, (tensor, size) in enumerate(self._inputs(step)):
            if size >= whole or kind.rule == "copy":
                part = given if size >= whole else ((f"part of {given[0][0]} for {tensor}", size),)
                self.found.setdefault(tensor, []).extend(part)
            else:
                yield Draft(
                    f"{step.name}.spread{i}",
                    vector(("add",), self.scale.microbatch * step.elements, backward=True),
                    given,
                    self._give(step, ((tensor, size),)),
                )
        if step.weights and kind.rule != "copy":
            yield self._reduction(step, "weight", given, step.parameters)

    def _attention(self, step: Step, a: SelfAttention, given: tuple[Touch, ...]) -> Iterator[Draft]:
        reads = reads_of(step, self.scale)
        if self.scale.flash:
            yield self._draft(step, "back", fused(a, self.scale, products=5), given)
            return
        b, e = self.scale.microbatch * a.heads, self.scale.element_bytes
        (scores,) = mask_of(step, self.scale)
        raw, back = (f"{step.name}.d-scores", scores[1]), (f"{step.name}.d-raw", scores[1])
        queries, keys, values = reads[:3]
        name, count = step.name, b * a.queries * a.keys
        softmax = vector(RULES["softmax"].backward, count, backward=True)
        made = self._give(step, (queries, keys, values))
        yield Draft(f"{name}.d-scores", Contraction(b, a.queries, a.keys, a.value_width, e), (*given, values), (raw,))
        yield Draft(
            f"{name}.d-values", Contraction(b, a.keys, a.value_width, a.queries, e), (*given, scores), made[2:3]
        )
        yield Draft(f"{name}.d-softmax", softmax, (raw, scores), (back,))
        yield Draft(f"{name}.d-queries", Contraction(b, a.queries, a.query_width, a.keys, e), (back, keys), made[:1])
        yield Draft(f"{name}.d-keys", Contraction(b, a.keys, a.query_width, a.queries, e), (back, queries), made[1:2])
