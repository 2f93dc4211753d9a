"""What a shorthand such as ``conv2d:n=1,c=3,h=224`` may say: kinds with their keys, and the reading of values.

A file of ``library/`` declares its kinds in ``SHORTHANDS``; ``spec.py`` finds them there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, assert_never

from intarsia.ground.errors import InputError
from intarsia.operators.operator import DTYPES, Operator

Form = Literal["integer", "integers", "switch", "dtype", "word"]
Dtypes = tuple[str, str, str]
"""The element types of the activations (or first operand), the weights (or second), the output."""

INTEGERS: Dtypes = ("int8", "int8", "int32")
SWITCHES = {"0": False, "false": False, "no": False, "1": True, "true": True, "yes": True}


LARGEST_EXTENT = 2**31 - 1
LONGEST = 40
"""Characters of an integer that are looked at."""


@dataclass(frozen=True, slots=True)
class Key:
    """One ``key=value`` of a kind; without ``required`` the function's default holds."""

    name: str
    form: Form = "integer"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Shorthand:
    """A kind, its keys, and the function that takes their values as keyword arguments."""

    kind: str
    keys: tuple[Key, ...]
    build: Callable[..., Operator]
    default: Dtypes = INTEGERS


DTYPE_KEYS = (Key("dtype", "dtype"), Key("x", "dtype"), Key("weights", "dtype"), Key("out", "dtype"))
"""``dtype`` sets the activations (and all, where it is floating-point); the others set one type each."""


def required(*names: str) -> tuple[Key, ...]:
    """Integer keys that must be given."""
    return tuple(Key(name, required=True) for name in names)


def build(shorthand: Shorthand, text: str) -> Operator:
    """The operator of ``key=value,key=value``.

    Raises:
        InputError: for an unknown, repeated or missing key, a bad value, or what the kind's function refuses.
    """
    values = _values(shorthand, text)
    for key in shorthand.keys:
        if key.required and key.name not in values:
            names = ", ".join(k.name for k in shorthand.keys if k.required)
            raise InputError("missing key", where=shorthand.kind, value=key.name, hint=f"give {names}")
    dtypes = _dtypes(shorthand, {k.name: values.pop(k.name) for k in DTYPE_KEYS if k.name in values})
    return shorthand.build(**values, dtypes=dtypes)


def _values(shorthand: Shorthand, text: str) -> dict[str, Any]:
    keys = {k.name: k for k in (*shorthand.keys, *DTYPE_KEYS)}
    values: dict[str, Any] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = (part.strip() for part in item.partition("="))
        if not equals:
            hint = f"{name}=16" if name in keys else ""
            raise InputError("expected key=value", where=shorthand.kind, value=item, allowed=", ".join(keys), hint=hint)
        if name not in keys:
            hint = nearest(name, list(keys))
            raise InputError("unknown key", where=shorthand.kind, value=name, allowed=", ".join(keys), hint=hint)
        if name in values:
            raise InputError("the key is given twice", where=shorthand.kind, value=name)
        values[name] = _value(keys[name], value, f"{shorthand.kind}, {name}")
    return values


def _value(key: Key, text: str, where: str) -> Any:
    match key.form:
        case "integer":
            return integer(text, where)
        case "integers":
            return tuple(integer(part, where) for part in text.split("x"))
        case "switch":
            if text.lower() not in SWITCHES:
                raise InputError("not a switch", where=where, value=text, allowed=", ".join(SWITCHES))
            return SWITCHES[text.lower()]
        case "dtype":
            if text not in DTYPES:
                raise InputError("unknown dtype", where=where, value=text, allowed=", ".join(DTYPES))
            return text
        case "word":
            return text
        case _:
            assert_never(key.form)


def integer(text: str, where: str) -> int:
    """An integer that a user typed; what it stands for has limits of its own.

    Raises:
        InputError: if it is none, or too large for anything.
    """
    if not re.fullmatch(r"-?[0-9]+", text):
        raise InputError("not an integer", where=where, value=repr(text), allowed="an integer such as 16")
    if len(text) > LONGEST or abs(int(text)) > LARGEST_EXTENT:
        raise InputError("the integer is too large", where=where, value=text[:40], allowed=f"up to {LARGEST_EXTENT}")
    return int(text)


def _dtypes(shorthand: Shorthand, given: Mapping[str, str]) -> Dtypes:
    x, weights, out = shorthand.default
    if "dtype" in given:
        x = given["dtype"]
        if out == shorthand.default[0]:
            out = x
        if "float" in x:
            weights, out = x, x if out == x else "float32"
    return given.get("x", x), given.get("weights", weights), given.get("out", out)


def nearest(name: str, names: list[str]) -> str:
    """The nearest of the valid names, empty if none is near."""
    return next(iter(get_close_matches(name, names, n=1, cutoff=0.5)), "")
