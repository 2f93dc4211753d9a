"""What each kind of vector work computes, forward and backward, and what its derivative must keep."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """Vector work of one kind.

    Attributes:
        forward: functions of each element.
        backward: functions of each element of the derivative; none where the gradient is passed on as it is.
        keeps_inputs: the derivative needs the inputs.
        keeps_result: it needs the result.
        mask_bytes: it needs so many bytes for each element of the result beside them.
        pointwise: each element of the result depends on one of each input, so that it may follow another kernel.
        passes: how often forward and backward read their inputs (batch statistics come before their use).
    """

    forward: tuple[str, ...]
    backward: tuple[str, ...] = ()
    keeps_inputs: bool = False
    keeps_result: bool = False
    mask_bytes: int = 0
    pointwise: bool = True
    passes: int = 1


RULES: dict[str, Rule] = {
    "add": Rule(("add",)),
    "subtract": Rule(("add",)),
    "scale": Rule(("multiply",), ("multiply",)),
    "multiply": Rule(("multiply",), ("multiply", "multiply"), keeps_inputs=True),
    "gate": Rule(("multiply",), ("multiply", "multiply", "add"), keeps_inputs=True),
    "layer-scale": Rule(("multiply",), ("multiply", "multiply", "add"), keeps_inputs=True),
    "divide": Rule(("divide",), ("divide", "multiply"), keeps_inputs=True),
    "relu": Rule(("relu",), ("relu",), keeps_result=True),
    "relu6": Rule(("relu", "relu"), ("relu", "relu"), keeps_result=True),
    "clip": Rule(("relu", "relu"), ("relu", "relu"), keeps_inputs=True),
    "sigmoid": Rule(("exp", "add", "divide"), ("multiply", "multiply", "add"), keeps_result=True),
    "tanh": Rule(("tanh",), ("multiply", "multiply", "add"), keeps_result=True),
    "exp": Rule(("exp",), ("multiply",), keeps_result=True),
    "log": Rule(("exp",), ("divide",), keeps_inputs=True),
    "erf": Rule(("erf",), ("exp", "multiply"), keeps_inputs=True),
    "root": Rule(("root",), ("divide",), keeps_result=True),
    "power": Rule(("root",), ("root", "multiply"), keeps_inputs=True),
    "gelu": Rule(("erf", "multiply", "add"), ("erf", "exp", "multiply", "add"), keeps_inputs=True),
    "gelu-tanh": Rule(("tanh", "multiply", "multiply", "add"), ("tanh", "multiply", "add"), keeps_inputs=True),
    "silu": Rule(("exp", "divide", "multiply"), ("exp", "divide", "multiply", "add"), keeps_inputs=True),
    "hard-swish": Rule(("add", "relu", "multiply"), ("relu", "multiply", "add"), keeps_inputs=True),
    "compare": Rule(("compare",)),
    "select": Rule(("compare",), ("compare",), mask_bytes=1),
    "cast": Rule(("add",), ("add",)),
    "dropout": Rule(("dropout",), ("dropout",), mask_bytes=1),
    "batch-norm": Rule(("norm", "add"), ("norm", "multiply", "add"), keeps_inputs=True, pointwise=False, passes=2),
    "norm": Rule(("norm", "add"), ("norm", "multiply", "add"), keeps_inputs=True, pointwise=False),
    "softmax": Rule(
        ("compare", "exp", "add", "divide"), ("multiply", "add", "multiply"), keeps_result=True, pointwise=False
    ),
    "max-pool": Rule(("compare",), ("add",), mask_bytes=8, pointwise=False),
    "mean-pool": Rule(("add",), ("add",), pointwise=False),
    "sum": Rule(("add",), ("add",), pointwise=False),
    "resize": Rule(("multiply", "add"), ("multiply", "add"), pointwise=False),
    "loss": Rule(("compare", "exp", "add", "divide"), ("exp", "add"), keeps_inputs=True, pointwise=False),
    "copy": Rule((), (), pointwise=False),
    "unknown": Rule((), (), keeps_inputs=True, pointwise=False),
}
"""By the names that front ends give.

A maximum keeps an index of 8 bytes for each window, as PyTorch does. A gate is a second input with one number for each
channel, so that its gradient is a sum; a layer scale is a weight of that shape.
"""
