"""The two products of attention, with fewer heads of keys and values than of queries where asked (grouped queries).

Scores ``S[b, h, q, k] += Q[b, h, q, d] * K[b, h, k, d]`` and values ``O[b, h, q, d] += P[b, h, q, k] * V[b, h, k, d]``.
With ``kv_heads`` below ``heads`` an axis ``g`` counts the query heads that share one: query head ``G*h+g``.
Nothing is constant: both operands are computed at run time.
"""

from __future__ import annotations

from intarsia.ground.errors import InputError
from intarsia.operators.library.parameters import extents, positive
from intarsia.operators.operator import Operator
from intarsia.operators.shorthand import INTEGERS, Dtypes, Key, Shorthand, required
from intarsia.operators.text import parse_operator


def scores(*, heads: int, q: int, k: int, d: int, b: int = 1, kv_heads: int = 0, dtypes: Dtypes = INTEGERS) -> Operator:
    """Queries times transposed keys.

    Args:
        heads: of the queries.
        q: queries.
        k: keys.
        d: extent of a head.
        b: batch.
        kv_heads: heads of the keys, which divide ``heads``; 0 for as many.
        dtypes: of Q, K and S.

    Returns:
        Shapes S [b, heads, q, k], Q [b, heads, q, d], K [b, kv_heads, k, d].

    Raises:
        InputError: for extents that are not positive, or heads that do not divide.
    """
    name = "attention.scores"
    shared, axes, head = _heads(name, heads, kv_heads, b=b, q=q, k=k, d=d)
    return parse_operator(f"""{name}: {extents([*axes, ("q", q), ("k", k)])} ; d<{d}
  S:{dtypes[2]}{[b, heads, q, k]} Q:{dtypes[0]}{[b, heads, q, d]} K:{dtypes[1]}{[b, shared, k, d]}
  S[b, {head}, q, k] += Q[b, {head}, q, d] * K[b, h, k, d]""")


def values(*, heads: int, q: int, k: int, d: int, b: int = 1, kv_heads: int = 0, dtypes: Dtypes = INTEGERS) -> Operator:
    """Attention weights times values; parameters as of ``scores``, dtypes of P, V and O.

    Returns:
        Shapes O [b, heads, q, d], P [b, heads, q, k], V [b, kv_heads, k, d].

    Raises:
        InputError: for extents that are not positive, or heads that do not divide.
    """
    name = "attention.values"
    shared, axes, head = _heads(name, heads, kv_heads, b=b, q=q, k=k, d=d)
    return parse_operator(f"""{name}: {extents([*axes, ("q", q), ("d", d)])} ; k<{k}
  O:{dtypes[2]}{[b, heads, q, d]} P:{dtypes[0]}{[b, heads, q, k]} V:{dtypes[1]}{[b, shared, k, d]}
  O[b, {head}, q, d] += P[b, {head}, q, k] * V[b, h, k, d]""")


def _heads(name: str, heads: int, kv_heads: int, **others: int) -> tuple[int, list[tuple[str, int]], str]:
    """The heads of keys and values, the outer axes, and the subscript of a query head."""
    shared = kv_heads or heads
    positive(name, heads=heads, kv_heads=shared, **others)
    if heads % shared:
        raise InputError("kv_heads do not divide heads", where=name, value=f"{heads} / {shared}")
    group = heads // shared
    axes = [("b", others["b"]), ("h", shared)]
    return (shared, axes, "h") if group == 1 else (shared, [*axes, ("g", group)], f"{group}*h+g")


_KEYS = (*required("heads", "q", "k", "d"), Key("b"), Key("kv_heads"))
SHORTHANDS = (
    Shorthand("attention.scores", _KEYS, scores),
    Shorthand("attention.values", _KEYS, values),
)
