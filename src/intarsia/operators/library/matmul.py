"""Matrix products: with either operand transposed, batched, with broadcast batch dimensions.

``O[..., m, n] += A[..., m, k] * B[..., k, n]``. ``matmul`` is the field's activations times weights: B is constant
where it has no batch. ``gemm`` is DeepBench's: A is the weights (m by k) and constant, B the activations (k by n).
"""

from __future__ import annotations

from intarsia.ground.errors import InputError
from intarsia.operators.library.parameters import extents, positive
from intarsia.operators.operator import Operator
from intarsia.operators.shorthand import INTEGERS, Dtypes, Key, Shorthand, required
from intarsia.operators.text import parse_operator


def matmul(
    *,
    m: int,
    n: int,
    k: int,
    batch: tuple[int, ...] = (),
    batch_b: tuple[int, ...] = (),
    ta: bool = False,
    tb: bool = False,
    constant: str = "",
    name: str = "matmul",
    dtypes: Dtypes = INTEGERS,
) -> Operator:
    """A product of A (m by k) and B (k by n) for every point of the batch.

    Args:
        m: rows of A and O.
        n: columns of B and O.
        k: what is summed.
        batch: leading dimensions of A.
        batch_b: leading dimensions of B; the two broadcast as NumPy has it.
        ta: A is stored k by m.
        tb: B is stored n by k.
        constant: ``a``, ``b``, ``none``, or empty for the default: ``b`` where B has no batch.
        name: the operator's name, also in errors.
        dtypes: of A, B and O.

    Returns:
        Tensors O [batch, m, n], A and B; the batch's axes are b (b0, b1, ... if several).

    Raises:
        InputError: for extents that are not positive, batches that do not broadcast, an unknown ``constant``.
    """
    positive(name, m=m, n=n, k=k, **{f"batch[{i}]": e for i, e in enumerate((*batch, *batch_b))})
    if constant not in {"", "a", "b", "none"}:
        raise InputError("unknown constant operand", where=name, value=constant, allowed="a, b, none")
    chosen = constant or ("none" if batch_b else "b")
    outer = _broadcast(name, batch, batch_b)
    axes = [("b" if len(outer) == 1 else f"b{i}", e) for i, e in enumerate(outer)]
    shape_a, read_a = _operand(axes, batch, [("m", m), ("k", k)], transposed=ta)
    shape_b, read_b = _operand(axes, batch_b, [("k", k), ("n", n)], transposed=tb)
    write = ", ".join((*(a for a, _ in axes), "m", "n"))
    const_a, const_b = (" const" if chosen == x else "" for x in "ab")
    return parse_operator(f"""{name}: {extents([*axes, ("m", m), ("n", n)])} ; k<{k}
  O:{dtypes[2]}{[*outer, m, n]} A:{dtypes[0]}{shape_a}{const_a} B:{dtypes[1]}{shape_b}{const_b}
  O[{write}] += A[{read_a}] * B[{read_b}]""")


def _broadcast(name: str, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    rank = max(len(a), len(b))
    pairs = list(zip((1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b, strict=True))
    if any(x != y and 1 not in {x, y} for x, y in pairs):
        shown = f"{'x'.join(map(str, a))} and {'x'.join(map(str, b))}"
        raise InputError("the batches do not broadcast", where=name, value=shown, allowed="equal extents, or 1")
    return tuple(max(pair) for pair in pairs)


def _operand(
    axes: list[tuple[str, int]], batch: tuple[int, ...], matrix: list[tuple[str, int]], *, transposed: bool
) -> tuple[list[int], str]:
    """The shape of an operand, and its subscripts as text; a broadcast dimension has subscript 0."""
    own = axes[len(axes) - len(batch) :]
    subscripts = [axis if extent == e else "0" for (axis, extent), e in zip(own, batch, strict=True)]
    ordered = matrix[::-1] if transposed else matrix
    return [*batch, *(e for _, e in ordered)], ", ".join((*subscripts, *(x for x, _ in ordered)))


def gemm(
    *, m: int, n: int, k: int, ta: bool = False, tb: bool = False, constant: str = "a", dtypes: Dtypes = INTEGERS
) -> Operator:
    """``O[m, n] += A[m, k] * B[k, n]``, A constant by default; dtypes of B (activations), A (weights) and O."""
    x, weights, out = dtypes
    return matmul(m=m, n=n, k=k, ta=ta, tb=tb, constant=constant, name="gemm", dtypes=(weights, x, out))


_KEYS = (*required("m", "n", "k"), Key("ta", "switch"), Key("tb", "switch"), Key("constant", "word"))
SHORTHANDS = (
    Shorthand("gemm", _KEYS, gemm),
    Shorthand("matmul", (*_KEYS, Key("batch", "integers"), Key("batch_b", "integers")), matmul),
)
