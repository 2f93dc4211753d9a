"""PyTorch on the CPU: oneDNN's quantised operators with packed weights, and ``torch._int_mm``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from intarsia.flow.native.libraries.library import Array, Prepared
from intarsia.flow.native.shapes import Convolution, Form, Problem


@dataclass(frozen=True, slots=True)
class Torch:
    """PyTorch with some number of threads."""

    torch: Any

    @property
    def name(self) -> str:
        """Name and version."""
        return f"torch {self.torch.__version__}"

    @property
    def refusals(self) -> tuple[type[Exception], ...]:
        """Every check of its operators raises this one, ``NotImplementedError`` included."""
        return (RuntimeError,)

    def prepare(self, problem: Problem, form: Form) -> Prepared | None:
        """Convolutions and products requantised; sums of products only."""
        if isinstance(problem.shape, Convolution):
            return _convolution(self.torch, problem, problem.shape) if form == "uint8" else None
        return _requantised(self.torch, problem) if form == "uint8" else _sums(self.torch, problem)


def library(threads: int) -> Torch:
    """PyTorch."""
    import torch

    torch.set_num_threads(threads)
    return Torch(torch)


def _convolution(torch: Any, problem: Problem, shape: Convolution) -> Prepared:
    """The image's channels lie last, as oneDNN wants them."""
    rank = len(shape.size)
    x = torch.from_numpy(problem.x).movedim(-1, 1)
    stride, pad = list(shape.stride[:rank]), list(shape.pad[:rank])
    scales = torch.full((shape.k,), problem.scale, dtype=torch.float32)
    zeroes = torch.zeros(shape.k, dtype=torch.int32)
    w = torch.ops.onednn.qconv_prepack(
        torch.from_numpy(problem.w), scales, 1.0, 0, stride, pad, [1] * rank, shape.groups, list(x.shape)
    )
    call = torch.ops.onednn.qconv_pointwise.default if rank != 1 else torch.ops.onednn.qconv1d_pointwise.default

    def run() -> Any:
        return call(
            x,
            1.0,
            0,
            w,
            scales,
            zeroes,
            None,
            stride,
            pad,
            [1] * rank,
            shape.groups,
            1.0,
            0,
            torch.uint8,
            "none",
            [],
            "",
        )

    return Prepared(run, lambda y: np.ascontiguousarray(y.movedim(1, -1).numpy()), "uint8")


def _requantised(torch: Any, problem: Problem) -> Prepared:
    x, n = torch.from_numpy(problem.x), problem.w.shape[1]
    w = torch.ops.onednn.qlinear_prepack(torch.from_numpy(problem.w.T.copy()), list(x.shape))
    scales, zeroes = torch.full((n,), problem.scale, dtype=torch.float32), torch.zeros(n, dtype=torch.int32)
    call = torch.ops.onednn.qlinear_pointwise.default

    def run() -> Any:
        return call(x, 1.0, 0, w, scales, zeroes, None, 1.0, 0, torch.uint8, "none", [], "")

    return Prepared(run, _array, "uint8")


def _sums(torch: Any, problem: Problem) -> Prepared:
    x, w = torch.from_numpy(problem.x), torch.from_numpy(problem.w)
    return Prepared(lambda: torch._int_mm(x, w), _array, "int32")  # noqa: SLF001 (its only product of bytes)


def _array(y: Any) -> Array:
    found: Array = y.numpy()
    return found
