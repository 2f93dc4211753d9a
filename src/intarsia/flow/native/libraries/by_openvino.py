"""OpenVINO on the CPU, fed with uint8: bytes become floats, are multiplied, and its own passes make it int8 again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from intarsia.flow.native.libraries.library import Array, Prepared
from intarsia.flow.native.shapes import Convolution, Form, Problem

LEVELS = 256
SCALE = 0.5
"""Of the activations: a power of two other than 1, which its passes would leave out."""


@dataclass(frozen=True, slots=True)
class OpenVino:
    """OpenVINO with some number of threads."""

    openvino: Any
    threads: int

    @property
    def name(self) -> str:
        """Name and version."""
        return f"openvino {self.openvino.__version__.partition('-')[0]}"

    @property
    def refusals(self) -> tuple[type[Exception], ...]:
        """As which Python sees its own exception, ``ov::Exception``."""
        return (RuntimeError,)

    def prepare(self, problem: Problem, form: Form) -> Prepared | None:
        """Convolutions and products requantised; it has no sums in int32."""
        if form != "uint8":
            return None
        settings = {
            "INFERENCE_NUM_THREADS": self.threads,
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,
            "PERFORMANCE_HINT": "LATENCY",
        }
        request = self.openvino.compile_model(self._model(problem), "CPU", settings).create_infer_request()
        request.set_input_tensor(self.openvino.Tensor(problem.x, shared_memory=True))

        def result(_: object) -> Array:
            found: Array = request.get_output_tensor().data
            return found

        return Prepared(request.infer, result, "uint8")

    def _model(self, problem: Problem) -> Any:
        """The graph; images come and go with the channels last.

        Its passes find int8 only where activations are bytes times a scale, channels are moved after that, and the
        result's levels are named.
        """
        ops = self.openvino.opset13
        axes = list(range(problem.x.ndim))
        x = ops.parameter(list(problem.x.shape), np.uint8)
        image = ops.multiply(ops.convert(x, np.float32), np.float32(SCALE))
        y = _node(ops, problem, _moved(ops, problem, image, [0, axes[-1], *axes[1:-1]]), _weights(ops, problem))
        ends = [np.float32(0), np.float32(LEVELS - 1)] * 2
        y = _moved(ops, problem, ops.fake_quantize(y, *ends, LEVELS), [0, *axes[2:], 1])
        return self.openvino.Model([ops.convert(y, np.uint8)], [x])


def library(threads: int) -> OpenVino:
    """OpenVINO."""
    import openvino
    import openvino.opset13

    return OpenVino(openvino, threads)


def _moved(ops: Any, problem: Problem, value: Any, order: list[int]) -> Any:
    """Images with their dimensions in another order."""
    return ops.transpose(value, np.array(order)) if isinstance(problem.shape, Convolution) else value


def _weights(ops: Any, problem: Problem) -> Any:
    """Bytes times a scale for each output channel; of groups: [groups, k / groups, c / groups, kernel]."""
    w, shape = problem.w, problem.shape
    scales = (1, w.shape[1])
    if isinstance(shape, Convolution):
        scales = (w.shape[0], *(1,) * (w.ndim - 1))
        if shape.groups > 1:
            w = w.reshape(shape.groups, shape.k // shape.groups, *w.shape[1:])
            scales = (*w.shape[:2], *(1,) * (w.ndim - 2))
    scale = ops.constant(np.full(scales, problem.scale / SCALE, np.float32))
    return ops.multiply(ops.convert(ops.constant(w), np.float32), scale)


def _node(ops: Any, problem: Problem, x: Any, w: Any) -> Any:
    shape = problem.shape
    if not isinstance(shape, Convolution):
        return ops.matmul(x, w, transpose_a=False, transpose_b=False)
    rank = len(shape.size)
    pad, one = list(shape.pad[:rank]), [1] * rank
    call = ops.group_convolution if shape.groups > 1 else ops.convolution
    return call(x, w, list(shape.stride[:rank]), pad, pad, one)
