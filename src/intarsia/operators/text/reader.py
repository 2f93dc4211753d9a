"""The words of a text, and a cursor over them whose errors point at line and column."""

from __future__ import annotations

import re
from dataclasses import dataclass

from intarsia.ground.errors import InputError, at_column

TOKEN = re.compile(
    r"""(?P<space>[ \t]+|\#[^\n]*)
      | (?P<number>\d+(\.\d+)?([eE][+-]?\d+)?)
      | (?P<name>[A-Za-z_][\w.]*)
      | (?P<sign>\+=|[-+*<:;,=\[\]()/%^])
      | (?P<bad>.)""",
    re.ASCII | re.VERBOSE,
)
LONGEST_NUMBER = 40


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the text; line and column count from 1."""

    kind: str
    text: str
    line: int
    column: int


class Reader:
    """A cursor over the tokens of the text; ``fail`` builds the error at the cursor."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens: list[Token] = []
        self.at = 0
        for number, line in enumerate(source.splitlines(), start=1):
            self._read_line(number, line)
        lines = source.splitlines() or [""]
        self.tokens.append(Token("end", "", len(lines), len(lines[-1]) + 1))

    def _read_line(self, number: int, line: str) -> None:
        for match in TOKEN.finditer(line):
            kind = next(k for k in ("space", "number", "name", "sign", "bad") if match.group(k) is not None)
            if kind == "space":
                continue
            token = Token(kind, match.group(), number, match.start() + 1)
            if kind == "bad":
                raise self.fail(f"unexpected character {token.text!r}", token)
            if kind == "number" and len(token.text) > LONGEST_NUMBER:
                raise self.fail("the number is too long", token, allowed=f"at most {LONGEST_NUMBER} characters")
            self.tokens.append(token)

    @property
    def next(self) -> Token:
        """The one at the cursor."""
        return self.tokens[self.at]

    def fail(self, what: str, token: Token | None = None, *, allowed: str = "", hint: str = "") -> InputError:
        """The error at a token, or at the cursor."""
        token = token or self.next
        return at_column(what, source=self.source, line=token.line, column=token.column, allowed=allowed, hint=hint)

    def take(self, kind: str, what: str) -> Token:
        """The token at the cursor, which is of a kind, and one step on."""
        if self.next.kind != kind:
            raise self.fail(f"expected {what}, found {self.next.text!r}" if self.next.text else f"expected {what}")
        self.at += 1
        return self.tokens[self.at - 1]

    def sign(self, text: str) -> bool:
        """Whether this sign is at the cursor; one step on if it is."""
        if self.next.kind == "sign" and self.next.text == text:
            self.at += 1
            return True
        return False

    def need(self, text: str) -> None:
        """One step over this sign, which must be there."""
        if not self.sign(text):
            found = f", found {self.next.text!r}" if self.next.text else ""
            raise self.fail(f"expected {text!r}{found}")

    def peek_sign(self, ahead: int, text: str) -> bool:
        """Whether this sign is so many steps ahead."""
        index = self.at + ahead
        return index < len(self.tokens) and self.tokens[index].text == text
