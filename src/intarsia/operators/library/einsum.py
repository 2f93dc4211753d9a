"""Any einsum: ``einsum("bij,bjk->bik", shapes)``; its letters are the axes, its operands the tensors A, B, C, ..."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from string import ascii_letters, ascii_uppercase

from intarsia.ground.errors import InputError
from intarsia.operators.library.parameters import extents, positive
from intarsia.operators.operator import Operator
from intarsia.operators.text import parse_operator

OPERANDS = [letter for letter in ascii_uppercase if letter != "O"]


def einsum(
    equation: str,
    shapes: Sequence[Sequence[int]],
    dtypes: Sequence[str] = (),
    out: str = "int32",
    constant: Sequence[str] = (),
) -> Operator:
    """The operator of an einsum equation.

    Args:
        equation: as NumPy has it, without ellipsis; a letter twice in an operand is its diagonal. Without ``->`` the
            output has the letters that occur once, in alphabetical order.
        shapes: one for each operand.
        dtypes: one for each operand; int8 if empty.
        out: dtype of the output.
        constant: names of the constant operands, such as ``B``.

    Returns:
        Tensors O, A, B, C, ... in the order of the equation.

    Raises:
        InputError: for an equation that is none, a repeated or unknown output letter, shapes that do not fit.
    """
    operands, output = _equation(equation)
    if len(shapes) != len(operands):
        what = f"{len(operands)} operands, {len(shapes)} shapes"
        raise InputError(what, where="einsum", value=equation)
    sizes = _sizes(operands, shapes)
    types = list(dtypes) or ["int8"] * len(operands)
    if len(types) != len(operands):
        raise InputError(f"{len(operands)} operands, {len(types)} dtypes", where="einsum", value=", ".join(types))
    names = OPERANDS[: len(operands)]
    unknown = next((c for c in constant if c not in names), None)
    if unknown is not None:
        raise InputError("unknown constant operand", where="einsum", value=unknown, allowed=", ".join(names))
    parallel = [(x, sizes[x]) for x in output]
    reduction = [(x, e) for x, e in sizes.items() if x not in output]
    tensors = [
        f"{name}:{dtype}{[*shape]}{' const' if name in constant else ''}"
        for name, dtype, shape in zip(names, types, shapes, strict=True)
    ]
    reads = [f"{name}[{', '.join(letters)}]" for name, letters in zip(names, operands, strict=True)]
    return parse_operator(f"""einsum: {extents(parallel)} ; {extents(reduction)}
  O:{out}{[sizes[x] for x in output]} {" ".join(tensors)}
  O[{", ".join(output)}] += {" * ".join(reads)}""")


def letters_of(equation: str) -> list[str]:
    """The letters of each operand of an equation.

    Raises:
        InputError: if it is none.
    """
    return _equation(equation)[0]


def _equation(equation: str) -> tuple[list[str], str]:
    text = re.sub(r"\s", "", equation)
    if "..." in text:
        raise InputError("an ellipsis", where="einsum", value=equation, hint="name every dimension by a letter")
    left, arrow, output = text.partition("->")
    operands = left.split(",")
    if not text or not re.fullmatch(r"[A-Za-z]*(,[A-Za-z]*)*(->[A-Za-z]*)?", text) or len(operands) > len(OPERANDS):
        raise InputError("not an einsum equation", where="einsum", value=equation, hint="bij,bjk->bik")
    counts = Counter(left.replace(",", ""))
    output = output if arrow else "".join(x for x in sorted(counts) if counts[x] == 1)
    repeated = next((x for x, n in Counter(output).items() if n > 1), None)
    if repeated:
        raise InputError("the output repeats a letter", where="einsum", value=repeated)
    unknown = next((x for x in output if x not in counts), None)
    if unknown:
        allowed = ", ".join(x for x in ascii_letters if x in counts)
        raise InputError("the output has a letter that no operand has", where="einsum", value=unknown, allowed=allowed)
    return operands, output


def _sizes(operands: Sequence[str], shapes: Sequence[Sequence[int]]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for name, letters, shape in zip(OPERANDS, operands, shapes, strict=False):
        if len(letters) != len(shape):
            what = f"operand {name} has {len(letters)} letters and {len(shape)} dimensions"
            raise InputError(what, where="einsum", value=letters)
        for letter, extent in zip(letters, shape, strict=True):
            if sizes.setdefault(letter, extent) != extent:
                what = f"letter {letter} has two extents"
                raise InputError(what, where="einsum", value=f"{sizes[letter]} and {extent}")
    positive("einsum", **sizes)
    return sizes
