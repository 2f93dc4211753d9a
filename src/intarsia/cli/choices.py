"""What commands share that search over plans: restrictions of choices, and a line of progress."""

from __future__ import annotations

import sys
from argparse import ArgumentParser

from intarsia.ground import InputError


def only_option(parser: ArgumentParser) -> None:
    """``--only CHOICE=V,V``, as often as there are choices."""
    parser.add_argument(
        "--only", metavar="CHOICE=V,V", action="append", default=[],
        help="restrict a choice: tensor, pipeline, data, context, expert, microbatch, interleave, order, zero, "
        "sequence_parallel, recompute, attention, dtype, gradient_bytes",
    )  # fmt: skip


def restrictions(texts: list[str]) -> dict[str, tuple[str, ...]]:
    """Choices and the values they are restricted to.

    Raises:
        InputError: a text is no restriction, or a choice is restricted twice.
    """
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, _, listed = text.partition("=")
        name, values = name.strip().replace("-", "_"), tuple(value.strip() for value in listed.split(","))
        if not name or not all(values):
            raise InputError(
                "a restriction is not CHOICE=VALUE,VALUE", where="--only", value=text or "nothing", hint="tensor=4,8"
            )
        if name in found:
            raise InputError("a choice is restricted twice", where="--only", value=name, hint=f"{name}=V,V")
        found[name] = values
    return found


def budgets(texts: list[str], where: str) -> dict[str, float]:
    """Numbers by what they limit.

    Args:
        texts: ``WHAT=N``.
        where: the option.

    Raises:
        InputError: a text is none, or the same is limited twice.
    """
    found: dict[str, float] = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            number = float(value)
        except ValueError:
            raise InputError("a budget is not WHAT=N", where=where, value=text, hint="dollars=500000") from None
        if name in found:
            raise InputError("a budget is there twice", where=where, value=name)
        found[name] = number
    return found


def told_on_terminal(text: str) -> None:
    """A line of progress that the next one overwrites, where somebody looks."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def end_of_progress() -> None:
    """Wipe the line of progress."""
    told_on_terminal("")
