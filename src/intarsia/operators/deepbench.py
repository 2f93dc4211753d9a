"""Baidu's DeepBench: its convolutions and matrix products as operators, by the name of their row.

The tables in ``data/`` are the shapes of DeepBench (Apache-2.0). In them ``w``, ``h`` are the image's width and
height, ``s``, ``r`` the kernel's width and height, and GEMMs have A (m by k) for weights. Rows are named
``conv/inference_device/3``: kind, set, and the row's place within its set, counted from 0.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, get_args

from intarsia.ground.errors import InputError
from intarsia.operators.library import conv2d, gemm
from intarsia.operators.operator import Operator
from intarsia.operators.shorthand import INTEGERS, Dtypes, nearest

Kind = Literal["conv", "gemm"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SETS = {
    "training": ("training",),
    "inference_server": ("inference_server",),
    "inference_device": ("inference_device",),
    "inference": ("inference_server", "inference_device"),
    "all": ("training", "inference_server", "inference_device"),
}
"""The sets of the tables, and two names for several of them."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of DeepBench: its name such as ``conv/inference_device/3``, and its operator."""

    name: str
    operator: Operator


def rows(kind: Kind, which: str, dtypes: Dtypes = INTEGERS) -> tuple[Row, ...]:
    """The rows of a set, in the order of the table; several sets one after the other.

    Args:
        kind: ``conv`` or ``gemm``.
        which: a key of ``SETS``.
        dtypes: of the activations, the weights, the output.

    Raises:
        InputError: for an unknown kind or set.
    """
    _check(kind, which)
    tables = [(name, _table(kind, name)) for name in SETS[which]]
    named = [(f"{kind}/{name}/{i}", row) for name, table in tables for i, row in enumerate(table)]
    return tuple(Row(name, _operator(kind, row, dtypes)) for name, row in named)


def row(name: str, dtypes: Dtypes = INTEGERS) -> Row:
    """The row of a name such as ``conv/inference_device/3``.

    Raises:
        InputError: if there is none.
    """
    kind, which, index = [*name.split("/"), "", "", ""][:3]
    _check_kind(kind)
    if name.count("/") != 2:
        hint = "conv/inference_device/3"
        raise InputError("not a row of DeepBench", where="deepbench", value=name, allowed="kind/set/index", hint=hint)
    _check(kind, which)
    table = [line for part in SETS[which] for line in _table("conv" if kind == "conv" else "gemm", part)]
    if not (index.isascii() and index.isdecimal() and len(index) < 9 and int(index) < len(table)):
        allowed = f"0 to {len(table) - 1}"
        raise InputError("no such row", where=f"deepbench:{kind}/{which}", value=index, allowed=allowed)
    return Row(name, _operator(kind, table[int(index)], dtypes))


def unique(given: Iterable[Row]) -> tuple[tuple[Row, int], ...]:
    """Rows with equal operators folded into the first of them, with how often it occurs."""
    counts: dict[Operator, int] = {}
    first: dict[Operator, Row] = {}
    for one in given:
        counts[one.operator] = counts.get(one.operator, 0) + 1
        first.setdefault(one.operator, one)
    return tuple((first[operator], count) for operator, count in counts.items())


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        hint = "conv/inference_device/3"
        raise InputError("unknown kind", where="deepbench", value=kind, allowed=", ".join(KINDS), hint=hint)


def _check(kind: str, which: str) -> None:
    _check_kind(kind)
    if which not in SETS:
        hint = nearest(which, list(SETS))
        raise InputError("unknown set", where=f"deepbench:{kind}", value=which, allowed=", ".join(SETS), hint=hint)


def _table(kind: Kind, which: str) -> list[dict[str, str]]:
    text = (files("intarsia.operators") / "data" / f"deepbench_{kind}.csv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return [line for line in csv.DictReader(lines) if line["set"] == f"{which}_set"]


def _operator(kind: str, line: dict[str, str], dtypes: Dtypes) -> Operator:
    if kind == "gemm":
        m, n, k = (int(line[x]) for x in "mnk")
        return gemm(m=m, n=n, k=k, ta=line["a_t"] == "true", tb=line["b_t"] == "true", dtypes=dtypes)
    n, c, h, w, k, r, s = (int(line[x]) for x in ("n", "c", "h", "w", "k", "r", "s"))
    stride = int(line["stride_h"]), int(line["stride_w"])
    pad = int(line["pad_h"]), int(line["pad_w"])
    return conv2d(n=n, c=c, h=h, w=w, k=k, r=r, s=s, stride=stride, pad=pad, dtypes=dtypes)
