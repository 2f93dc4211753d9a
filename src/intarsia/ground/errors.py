"""What is said when input is bad: one message, one type.

Infeasible and out of time are answers (see ``intarsia.solvers``), never exceptions.
"""

from __future__ import annotations


class InputError(Exception):
    """Something that the user gave is wrong; the command line prints it and exits with 2.

    Attributes:
        what: what failed, in a short sentence without a final full stop.
        where: the file, argument or text position concerned, empty if obvious.
        value: the offending value as text, empty if there is none.
        allowed: what would have been accepted, empty if self-evident.
        hint: what to try, empty if ``allowed`` says it.
    """

    def __init__(self, what: str, *, where: str = "", value: str = "", allowed: str = "", hint: str = "") -> None:
        self.what = what
        self.where = where
        self.value = value
        self.allowed = allowed
        self.hint = hint
        super().__init__(self._text())

    def at(self, where: str) -> InputError:
        """The same error at another place, which only the caller knows."""
        return InputError(self.what, where=where, value=self.value, allowed=self.allowed, hint=self.hint)

    def _text(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        if self.value:
            text += f": {self.value}"
        if self.allowed:
            text += f"; allowed: {self.allowed}"
        if self.hint:
            text += f"; try: {self.hint}"
        return text


def at_column(what: str, *, source: str, line: int, column: int, allowed: str = "", hint: str = "") -> InputError:
    """An error in a text, with the line and a caret under the column (both counted from 1)."""
    lines = source.splitlines()
    shown = lines[line - 1] if 0 < line <= len(lines) else ""
    caret = " " * (column - 1) + "^"
    where = f"line {line}, column {column}"
    error = InputError(what, where=where, allowed=allowed, hint=hint)
    error.args = (f"{error.args[0]}\n  {shown}\n  {caret}",)
    return error
