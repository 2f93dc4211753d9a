"""One scalar operation after the other: what an instruction computes, without the package's own interpreter."""

from itertools import product

import numpy as np

IDENTITY = {"+=": lambda _: 0, "max=": lambda info: info.min, "min=": lambda info: info.max}


def evaluate(operator, inputs):
    (statement,) = operator.statements
    out = operator.tensor(statement.write.tensor)
    wrap = np.dtype(out.dtype)
    identity = IDENTITY[statement.combine](np.iinfo(wrap) if wrap.kind == "i" else None)
    result = np.full(out.shape, identity, dtype=np.int64 if wrap.kind == "i" else wrap)
    for point in product(*(range(a.extent) for a in operator.axes)):
        here = dict(zip([a.name for a in operator.axes], point, strict=True))
        value = 1
        for read in statement.reads:
            value = value * inputs[read.tensor][index(read, here)].item()
        place = index(statement.write, here)
        match statement.combine:
            case "+=":
                result[place] += value
            case "max=":
                result[place] = max(result[place], value)
            case "min=":
                result[place] = min(result[place], value)
    return result.astype(wrap)


def index(access, here):
    return tuple(s.constant + sum(c * here[a] for a, c in s.terms) for s in access.subscripts)
