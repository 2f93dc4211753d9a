"""Reads the text of an operator back into an ``Operator``; every error points at its line and column.

Grammar (white space is free, lines are not; ``#`` begins a comment)::

    operator  = name ":" axes [";" axes] NEWLINE tensors NEWLINE statement {NEWLINE statement}
    axes      = { name "<" integer }            before the semicolon parallel, after it reduction
    tensors   = { name ":" dtype "[" integers "]" ["const"] ["pad=" pad] }   on one line or several
    pad       = ["-"] (number | "inf")          inf for floating dtypes only
    statement = access ("+=" | "max=" | "min=") access { "*" access }
    access    = name "[" affine { "," affine } "]"
    affine    = term { ("+" | "-") term };  term = [integer "*"] axis | axis "*" integer | integer

What is asked beyond the grammar: names are declared once; a parallel axis moves every write and a reduction axis none;
a statement's tensors are all integers or all floating; a tensor is read or written, not both, and is used; a written
tensor has one combining operator; a write stays inside its tensor; a tensor fits in 32-bit byte addresses and a
subscript in 32-bit signed integers.
"""

from intarsia.operators.text.declarations import tensors_of_any_size
from intarsia.operators.text.parse import parse_operator

__all__ = ["parse_operator", "tensors_of_any_size"]
