"""Everything by which a user may name one operator: its text, a file of it, a shorthand, a row of DeepBench."""

from __future__ import annotations

import re
from pathlib import Path

from intarsia.ground.errors import InputError
from intarsia.operators import deepbench
from intarsia.operators.library import einsum, shorthands
from intarsia.operators.library.einsum import letters_of
from intarsia.operators.operator import DTYPES, Operator
from intarsia.operators.shorthand import Shorthand, build, integer, nearest
from intarsia.operators.text import parse_operator


def read_operator(spec: str) -> Operator:
    """The operator that a text, a path or a shorthand names.

    Args:
        spec: the text form (recognised by a line break or a combining operator); or a shorthand such as
            ``conv2d:n=1,c=3,h=224,w=224,k=64,r=7,s=7,stride=2,pad=3`` (``kinds()`` lists them),
            ``einsum:bij,bjk->bik;b=2,i=8,j=16,k=8`` or ``deepbench:conv/inference_device/3``; or the path of a file
            that holds the text form.

    Raises:
        InputError: for anything that names no operator, with the nearest valid name.
    """
    if "\n" in spec or any(combine in spec for combine in ("+=", "max=", "min=")):
        return parse_operator(spec)
    kind, colon, rest = spec.partition(":")
    if colon and kind == "deepbench":
        return deepbench.row(rest).operator
    if colon and kind == "einsum":
        return _einsum(rest)
    known = shorthands()
    if colon and kind in known:
        return build(known[kind], rest)
    return _file(spec, known)


def kinds() -> tuple[str, ...]:
    """The kinds that a shorthand may begin with, in alphabetical order."""
    return tuple(sorted((*shorthands(), "deepbench", "einsum")))


def _file(spec: str, known: dict[str, Shorthand]) -> Operator:
    path = Path(spec)
    kind, colon, _ = spec.partition(":")
    names = sorted((*known, "deepbench", "einsum"))
    if not _is_file(path):
        if spec in names:
            raise InputError("a colon and sizes are missing", where=spec, hint=_example(spec, known))
        if spec and not colon and _is_folder(path):
            raise InputError("it is a folder", where=repr(spec), allowed="an operator's text, a file, a shorthand")
        hint = nearest(kind, names)
        raise InputError("unknown kind, and no such file", value=spec, allowed=", ".join(names), hint=hint)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("cannot be read as an operator's text", where=spec, value=str(error)) from error
    if re.search(r"^[ \t]*instruction[ \t]+[A-Za-z_]", text, re.MULTILINE):
        raise InputError("it is an instruction, not an operator", where=spec, hint=f"intarsia instructions {spec}")
    try:
        return parse_operator(text)
    except InputError as error:
        located = InputError(error.what, where=f"{spec}: {error.where}", allowed=error.allowed, hint=error.hint)
        located.args = (f"{spec}: {error.args[0]}",)
        raise located from error


def _example(kind: str, known: dict[str, Shorthand]) -> str:
    if kind == "deepbench":
        return "deepbench:conv/inference_device/3"
    if kind == "einsum":
        return "einsum:bij,bjk->bik;b=2,i=8,j=16,k=8"
    values = {"integers": "16x16", "switch": "1", "dtype": "int8", "word": "b", "integer": "16"}
    return f"{kind}:" + ",".join(f"{key.name}={values[key.form]}" for key in known[kind].keys if key.required)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long, or no name at all
        return False


def _einsum(text: str) -> Operator:
    """``bij,bjk->bik;b=2,i=8,j=16,k=8``, also with ``dtype=``, ``out=`` and ``constant=``."""
    equation, _, settings = text.partition(";")
    operands = letters_of(equation)
    sizes: dict[str, int] = {}
    named: dict[str, str] = {}
    for item in filter(None, (part.strip() for part in settings.split(","))):
        key, equals, value = (part.strip() for part in item.partition("="))
        if key in {"dtype", "out", "constant"}:
            named[key] = value
        elif not equals or not any(key in letters and len(key) == 1 for letters in operands):
            allowed = ", ".join((*dict.fromkeys("".join(operands)), "dtype", "out", "constant"))
            raise InputError("unknown key", where="einsum", value=item, allowed=allowed)
        else:
            sizes[key] = integer(value, f"einsum, {key}")
    letters = list(dict.fromkeys("".join(operands)))
    missing = [x for x in letters if x not in sizes]
    if missing:
        what = "missing extents" if len(missing) > 1 else "missing extent"
        given = ",".join(f"{x}={sizes.get(x, 16)}" for x in letters)
        raise InputError(what, where="einsum", value=", ".join(missing), hint=f"einsum:{equation};{given}")
    dtype = named.get("dtype", "int8")
    out = named.get("out", "float32" if "float" in dtype else "int32")
    for given in (dtype, out):
        if given not in DTYPES:
            raise InputError("unknown dtype", where="einsum", value=given, allowed=", ".join(DTYPES))
    return einsum(
        equation, [[sizes[x] for x in ls] for ls in operands], [dtype] * len(operands), out, named.get("constant", "")
    )
