"""Odd little operators and instructions: several axes in a subscript, reads outside, results that share elements."""

from __future__ import annotations

import random

from intarsia.ground.errors import InputError
from intarsia.machines import parse_instruction
from intarsia.operators import Operator, parse_operator


def sliding_lanes(l, j):
    """c[l] += a[l+j] * b[j]: registers that two axes address together."""
    return parse_instruction(
        f"instruction sliding\nsliding: l<{l} ; j<{j}\n"
        f"  c:int32[{l}] a:int8[{l + j - 1}] b:int8[{j}]\n"
        "  c[l] += a[l+j] * b[j]\nmemory c=a a=b b=c\ncycles 1\nsource test"
    )


def greatest_lanes(l, j):
    """c[l] max= a[l, j]."""
    return parse_instruction(
        f"instruction greatest\ngreatest: l<{l} ; j<{j}\n  c:int8[{l}] a:int8[{l}, {j}]\n"
        "  c[l] max= a[l, j]\nmemory c=a a=b\ncycles 1\nsource test"
    )


def pool(o, k, stride=1, channels=1):
    """The greatest of a window."""
    return parse_operator(
        f"pool: c<{channels} o<{o} ; k<{k}\n O:int8[{channels}, {o}] I:int8[{channels}, {(o - 1) * stride + k}]\n"
        f" O[c, o] max= I[c, {stride}*o+k]"
    )


def smeared(o, k):
    """A transposed convolution: an output element is the sum over several (o, k)."""
    return parse_operator(
        f"smeared: o<{o} k<{k}\n O:int32[{o + k - 1}] I:int8[{o}] W:int8[{k}]\n O[o+k] += I[o] * W[k]"
    )


def _subscript(rng: random.Random, extents: dict[str, int], names: list[str]) -> tuple[str, int]:
    """A sum of some axes with coefficients, and a size that holds most of its values."""
    terms = [(name, rng.choice((1, 1, 1, 2, 3))) for name in names]
    constant = rng.choice((0, 0, 0, -1, 1))
    reach = sum(c * (extents[name] - 1) for name, c in terms) + constant + 1
    text = "+".join(f"{c}*{name}" for name, c in terms) + (f"{constant:+d}" if constant else "")
    return text, max(1, reach - rng.choice((0, 0, 0, 1)))


def odd_operator(rng: random.Random, most: int) -> Operator:
    """A product of two tensors with up to two axes in a subscript."""
    while True:
        extents = {name: rng.randint(1, 4) for name in ("p", "q", "r", "s")}
        parallel = ["p", "q"][: rng.randint(1, 2)]
        reductions = ["r", "s"][: rng.randint(0, 2)]
        axes = parallel + reductions
        tensors, accesses = [], []
        homes = [parallel] if rng.random() < 0.15 else [[name] for name in parallel]
        for tensor, rows in (("O", homes), ("A", None), ("B", None)):
            chosen = rows or [rng.sample(axes, rng.randint(1, min(2, len(axes)))) for _ in range(rng.randint(1, 2))]
            found = [_subscript(rng, extents, row) for row in chosen]
            sizes = ", ".join(str(size) for _, size in found)
            dtype = "int32" if tensor == "O" else "int8"
            tensors.append(f"{tensor}:{dtype}[{sizes}]{' const' if tensor == 'B' else ''}")
            accesses.append(f"{tensor}[{', '.join(text for text, _ in found)}]")
        head = " ".join(f"{n}<{extents[n]}" for n in parallel)
        tail = f" ; {' '.join(f'{n}<{extents[n]}' for n in reductions)}" if reductions else ""
        text = f"odd: {head}{tail}\n {' '.join(tensors)}\n {accesses[0]} += {accesses[1]} * {accesses[2]}"
        try:
            operator = parse_operator(text)
        except InputError:  # an access that never reads its tensor
            continue
        if 1 < operator.iterations <= most:
            return operator
