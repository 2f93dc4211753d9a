"""The matrix product of one GEMM operation: acc[d] += inp[s] · wgt[w]ᵀ on tensors of a core."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]  # has no stubs
from numba.core import types
from numba.extending import intrinsic

from intarsia.ground.compiled import compiled

LANES: Final = 16
"""Block sizes for which the matrix kernel is written out; other cores take the plain loops."""


def _generate_multiply16(_context: Any, acc: Any, d: Any, inp: Any, s: Any, wgt: Any, w: Any) -> Any:
    """acc[d : d + 16] += inp[s : s + 16] · wgt[w : w + 256], the weights as [input pair, output, 2].

    Written as 16-lane vector code without any machine's own instructions: pairs of 16-bit products added to 32 bits
    are what multiply-add instructions do, and elsewhere the compiler makes of it what it can. Loops that it has to
    vectorise itself reach a quarter of the speed.
    """
    signature = types.void(acc, d, inp, s, wgt, w)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        half, word = ir.IntType(16), ir.IntType(32)
        pairs, lanes, wide = ir.VectorType(half, 32), ir.VectorType(word, LANES), ir.VectorType(word, 32)

        def pointer(position: int, kind: Any) -> Any:
            array = context.make_array(signature.args[position])(context, builder, args[position])
            return builder.bitcast(builder.gep(array.data, [args[position + 1]]), kind.as_pointer())

        def read(address: Any, align: int) -> Any:
            value = builder.load(address)
            value.align = align
            return value

        nothing = ir.Constant(lanes, ir.Undefined)
        evens, odds = (ir.Constant(lanes, list(range(start, 32, 2))) for start in (0, 1))
        to, left, right = pointer(0, lanes), pointer(2, word), pointer(4, pairs)
        sums = [read(to, 4), ir.Constant(lanes, [0] * LANES)]
        for pair in range(LANES // 2):
            first = builder.insert_element(nothing, read(builder.gep(left, [word(pair)]), 2), word(0))
            both = builder.shuffle_vector(first, nothing, ir.Constant(lanes, [0] * LANES))
            inputs = builder.sext(builder.bitcast(both, pairs), wide)
            weights = builder.sext(read(builder.gep(right, [word(pair)]), 2), wide)
            products = builder.mul(inputs, weights)
            unused = ir.Constant(wide, ir.Undefined)
            added = builder.add(
                builder.shuffle_vector(products, unused, evens), builder.shuffle_vector(products, unused, odds)
            )
            sums[pair % 2] = builder.add(sums[pair % 2], added)
        builder.store(builder.add(*sums), to).align = 4
        return context.get_dummy_value()

    return signature, generate


_multiply16: Any = intrinsic(_generate_multiply16)


@compiled
def multiply_rows(acc: Any, d: Any, inp: Any, s: Any, wgt: Any, w: Any, batch: int) -> None:
    """One GEMM operation on tensors d, s, w (unsigned) of a batch × 16 × 16 core; weights as ``_multiply16``."""
    lanes, rows, block = np.uint64(LANES), np.uint64(batch), np.uint64(LANES * LANES)
    if batch == 1:
        _multiply16(acc, d * lanes, inp, s * lanes, wgt, w * block)
        return
    for b in range(rows):
        _multiply16(acc, (d * rows + b) * lanes, inp, (s * rows + b) * lanes, wgt, w * block)


@compiled
def multiply(acc: Any, d: Any, inp: Any, s: Any, wgt: Any, w: Any, batch: int, block_in: int, block_out: int) -> None:
    """One GEMM operation on tensors d, s, w (unsigned) of any core; weights as [output, input]."""
    rows, inner, outer = np.uint64(batch), np.uint64(block_in), np.uint64(block_out)
    for b in range(rows):
        for o in range(outer):
            total = np.int32(0)
            for i in range(inner):
                total += np.int32(inp[(s * rows + b) * inner + i]) * np.int32(wgt[(w * outer + o) * inner + i])
            acc[(d * rows + b) * outer + o] += total
