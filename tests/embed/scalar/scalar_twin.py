"""Twins of the scalar space for tiny boxes: every map, by the rules in plain words and by what the call computes."""

from itertools import product

import numpy as np

from intarsia.operators import parse_operator


def lanes_of(operator):
    return list(product(*(range(a.extent) for a in operator.axes)))


def place(operator, access, point):
    if access is None:
        return "1"
    here = dict(zip([a.name for a in operator.axes], point, strict=True))
    return (access.tensor, *(s.constant + sum(c * here[a] for a, c in s.terms) for s in access.subscripts))


def every_map(operator, instruction):
    """All functions from lanes to iterations or None, except the empty one."""
    lanes, points = lanes_of(instruction.semantics), lanes_of(operator)
    for images in product([None, *points], repeat=len(lanes)):
        if any(p is not None for p in images):
            yield dict(zip(lanes, images, strict=True))


class Tables:
    """Registers and elements of a pair, as the definition has them."""

    def __init__(self, operator, instruction, assignment, statement=0):
        body, meaning = operator.statements[statement], instruction.semantics.statements[0]
        held = [None if i is None else body.reads[i] for i in assignment]
        semantics = instruction.semantics
        self.combine = body.combine
        self.wr = {q: place(semantics, meaning.write, q) for q in lanes_of(semantics)}
        self.rr = {q: [place(semantics, r, q) for r in meaning.reads] for q in lanes_of(semantics)}
        self.we = {p: place(operator, body.write, p) for p in lanes_of(operator)}
        self.re = {p: [place(operator, r, p) for r in held] for p in lanes_of(operator)}


def is_call(tables, phi, *, combining=False):
    """The definition, pair by pair."""
    t = tables
    live = {q: p for q, p in phi.items() if p is not None}
    for (q, p), (q2, p2) in product(live.items(), repeat=2):
        if q != q2 and p == p2:
            return False
        if any(a == b and x != y for a, b, x, y in zip(t.rr[q], t.rr[q2], t.re[p], t.re[p2], strict=True)):
            return False
        if t.wr[q] == t.wr[q2] and t.we[p] != t.we[p2]:
            return False
        if not combining and t.we[p] == t.we[p2] and t.wr[q] != t.wr[q2]:
            return False
    held = {r: e for q, p in live.items() for r, e in zip(t.rr[q], t.re[p], strict=True)}
    for u in phi.keys() - live.keys():
        beside = [p for q, p in live.items() if t.wr[q] == t.wr[u]]
        dead = [r for r in t.rr[u] if r not in held]
        if not beside:
            continue
        if t.combine == "+=":
            if not dead:
                return False
            continue
        if len(t.rr[u]) == 1 and dead:
            continue
        if dead or not any(t.re[p] == [held[r] for r in t.rr[u]] for p in beside):
            return False
    return True


def computes(tables, phi, rng):
    """Whether the call gives the right results for random values, registers that nobody needs being neutral."""
    t = tables
    values = {}

    def value(element):
        return 1.0 if element == "1" else values.setdefault(element, rng.uniform(1, 2))

    live = {q: p for q, p in phi.items() if p is not None}
    registers = {}
    for q, p in live.items():
        for register, element in zip(t.rr[q], t.re[p], strict=True):
            if registers.setdefault(register, value(element)) != value(element):
                return False
    neutral, combine = {"+=": (0.0, np.sum), "max=": (-np.inf, np.max), "min=": (np.inf, np.min)}[t.combine]
    for result in {t.wr[q] for q in live}:
        lanes = [q for q in phi if t.wr[q] == result]
        got = combine([np.prod([registers.get(r, neutral) for r in t.rr[q]]) for q in lanes])
        elements = {t.we[live[q]] for q in lanes if q in live}
        images = {live[q] for q in lanes if q in live}
        if len(elements) != 1 or not np.isclose(got, combine([np.prod(list(map(value, t.re[p]))) for p in images])):
            return False
        if any(t.we[p] in elements and t.wr[q] != result for q, p in live.items()):
            return False
    return len(set(live.values())) == len(live)


def as_tuple(phi):
    """A dict as the rows of an array."""
    width = len(next(p for p in phi.values() if p is not None))
    return tuple((-1,) * width if p is None else p for p in phi.values())


def op(text):
    """An operator from lines separated by a bar."""
    return parse_operator(text.replace("|", "\n"))


OPERATORS = {
    "matmul": op("mm: m<1 n<2 ; k<3|O:int32[1,2] A:int8[1,3] B:int8[2,3]|O[m,n] += A[m,k]*B[n,k]"),
    "outer": op("ou: m<2 n<3|O:int32[2,3] A:int8[2] B:int8[3]|O[m,n] += A[m]*B[n]"),
    "conv": op("cv: w<3 ; k<2|O:int32[3] A:int8[4] B:int8[2]|O[w] += A[w+k]*B[k]"),
    "strided": op("st: w<2 ; k<3|O:int32[2] A:int8[4] B:int8[3]|O[w] += A[2*w+k-1]*B[k]"),
    "sum": op("sm: i<2 ; k<3|O:int32[2] A:int8[2,3]|O[i] += A[i,k]"),
    "square": op("sq: i<2 j<2|O:int32[2,2] A:int8[2]|O[i,j] += A[i]*A[j]"),
    "pool": op("po: i<3 ; k<2|O:int32[3] A:int32[4]|O[i] max= A[i+k]"),
    "least": op("le: i<2 ; k<2|O:int32[2] A:int32[3]|O[i] min= A[i+k]"),
    "product": op("pr: i<2 ; k<2|O:int32[2] A:int32[3] B:int32[2]|O[i] max= A[i+k]*B[k]"),
}
