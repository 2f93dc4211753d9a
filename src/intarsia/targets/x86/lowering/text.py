"""The text of one function in LLVM's intermediate representation, block by block.

A value is a number or the name of a register. Sums and products of numbers are computed here, so that addresses of
fixed shapes become constants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

Value: TypeAlias = int | str
Carried: TypeAlias = tuple[str, str]
"""Type and value of what a loop hands from one iteration to the next."""


class Text:
    """A function that grows at its end; loops are closed by the call that opens them."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._names = 0
        self._block = "entry"

    def name(self) -> str:
        """A register that has not been used."""
        self._names += 1
        return f"%v{self._names}"

    def line(self, text: str) -> None:
        """An instruction without a result, or one that names its own."""
        self.lines.append(f"  {text}")

    def new(self, text: str) -> str:
        """An instruction with a result."""
        found = self.name()
        self.lines.append(f"  {found} = {text}")
        return found

    def add(self, left: Value, right: Value) -> Value:
        """A sum of two i64."""
        if isinstance(left, int) and isinstance(right, int):
            return left + right
        if left == 0:
            return right
        if right == 0:
            return left
        return self.new(f"add nsw i64 {left}, {right}")

    def times(self, left: Value, factor: int) -> Value:
        """An i64 times a number."""
        if isinstance(left, int):
            return left * factor
        if factor == 0:
            return 0
        return left if factor == 1 else self.new(f"mul nsw i64 {left}, {factor}")

    def at(self, pointer: str, offset: Value) -> str:
        """A pointer some bytes further."""
        return pointer if offset == 0 else self.new(f"getelementptr inbounds i8, ptr {pointer}, i64 {offset}")

    def sum(self, terms: Sequence[tuple[Value, int]], constant: int = 0) -> Value:
        """A sum of i64 times numbers."""
        total: Value = 0
        for value, factor in terms:
            total = self.add(total, self.times(value, factor))
        return self.add(total, constant)

    def block(self, label: str) -> None:
        """Begin a block; the one before must have ended with a branch."""
        self.lines.append(f"{label}:")
        self._block = label

    def label(self) -> str:
        """The name of a block that has not been used."""
        self._names += 1
        return f"b{self._names}"

    def loop(
        self,
        start: Value,
        stop: Value,
        step: int,
        body: Callable[[Value, list[str]], list[str]],
        carried: Sequence[Carried] = (),
    ) -> list[str]:
        """A loop that runs at least once: ``for index from start below stop by step``.

        Args:
            start: i64.
            stop: i64, above the start.
            step: positive.
            body: writes an iteration, given the index and what the last one handed on; returns what it hands on.
            carried: what the first iteration is given.

        Returns:
            What the last iteration handed on.
        """
        if isinstance(start, int) and isinstance(stop, int) and start + step >= stop:
            return body(start, [value for _, value in carried])
        head = self.label()
        before = self._block
        self.line(f"br label %{head}")
        self.block(head)
        index = self.name()
        names = [self.name() for _ in carried]
        place = len(self.lines)
        handed = body(index, names)
        following = self.new(f"add nuw nsw i64 {index}, {step}")
        again = self.new(f"icmp slt i64 {following}, {stop}")
        end = self.label()
        phis = [f"  {index} = phi i64 [ {start}, %{before} ], [ {following}, %{self._block} ]"]
        phis += [
            f"  {name} = phi {kind} [ {value}, %{before} ], [ {new}, %{self._block} ]"
            for name, (kind, value), new in zip(names, carried, handed, strict=True)
        ]
        self.lines[place:place] = phis
        self.line(f"br i1 {again}, label %{head}, label %{end}")
        self.block(end)
        return handed

    def when(self, condition: str, body: Callable[[], None]) -> None:
        """Run a part only if an i1 is true."""
        yes, end = self.label(), self.label()
        self.line(f"br i1 {condition}, label %{yes}, label %{end}")
        self.block(yes)
        body()
        self.line(f"br label %{end}")
        self.block(end)

    def function(self, name: str, parameters: str) -> str:
        """The whole function; it returns nothing."""
        return "\n".join([f"define void @{name}({parameters}) nounwind {{", "entry:", *self.lines, "  ret void", "}"])
