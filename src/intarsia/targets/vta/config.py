"""A VTA core's sizes: VTA's own JSON keys come in, checked widths, depths and byte counts go out.

Every size is a power of two and is kept as its logarithm, as VTA's configuration file does.
Source: ``hw_spec.h``, ``hw_spec_const.h`` and ``vta_config.json`` of apache/tvm-vta.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import asdict, dataclass
from typing import Final

from intarsia.ground import InputError

UOP_LIMIT: Final = 2048
"""Micro-operations that the RTL holds, however large its buffer is configured."""

_FIELDS: Final = {
    "LOG_INP_WIDTH": "log_inp_width",
    "LOG_WGT_WIDTH": "log_wgt_width",
    "LOG_ACC_WIDTH": "log_acc_width",
    "LOG_BATCH": "log_batch",
    "LOG_BLOCK_IN": "log_block_in",
    "LOG_BLOCK_OUT": "log_block_out",
    "LOG_UOP_BUFF_SIZE": "log_uop_buffer",
    "LOG_INP_BUFF_SIZE": "log_inp_buffer",
    "LOG_WGT_BUFF_SIZE": "log_wgt_buffer",
    "LOG_ACC_BUFF_SIZE": "log_acc_buffer",
    "TARGET": "target",
}
_HARMLESS: Final = (
    "HW_VER", "HW_FREQ", "HW_CLK_TARGET", "GEMM_II", "TALU_II", "LOG_OUT_WIDTH", "LOG_UOP_WIDTH", "LOG_OUT_BUFF_SIZE",
)  # fmt: skip
_KEYS: Final = (*_FIELDS, "LOG_BLOCK", *_HARMLESS)
_BOARDS: Final = {  # read port in bytes a cycle, clock in hertz
    "sim": (8, 100_000_000),
    "tsim": (8, 100_000_000),
    "pynq": (8, 100_000_000),
    "de10nano": (8, 100_000_000),
    "ultra96": (16, 333_000_000),
    "zcu104": (16, 333_000_000),
}


@dataclass(frozen=True, slots=True)
class VtaConfig:
    """Sizes of one core; every field but ``target`` is a logarithm to base 2.

    Attributes:
        log_batch: rows of an input and an accumulator tensor.
        log_block_in: input channels of a tensor.
        log_block_out: output channels of a tensor.
        log_inp_width: bits of an input element; the output element has the same.
        log_wgt_width: bits of a weight element.
        log_acc_width: bits of an accumulator element.
        log_uop_buffer: bytes of the micro-operation buffer, as the encoding sees it.
        log_inp_buffer: bytes of the input buffer.
        log_wgt_buffer: bytes of the weight buffer.
        log_acc_buffer: bytes of the accumulator buffer.
        target: board, which fixes the clock and the memory port.

    Raises:
        InputError: a size is out of range, or an instruction could not address the buffers.
    """

    log_batch: int = 0
    log_block_in: int = 4
    log_block_out: int = 4
    log_inp_width: int = 3
    log_wgt_width: int = 3
    log_acc_width: int = 5
    log_uop_buffer: int = 15
    log_inp_buffer: int = 15
    log_wgt_buffer: int = 18
    log_acc_buffer: int = 17
    target: str = "sim"

    def __post_init__(self) -> None:
        _check(self, "configuration")

    @classmethod
    def default(cls) -> VtaConfig:
        """The sizes of every published board: a 1×16×16 core."""
        return cls()

    @classmethod
    def named(cls, name: str) -> VtaConfig:
        """One of ``names()``."""
        if name not in _NAMED:
            raise InputError("no such configuration", where="configuration", value=name, allowed=", ".join(_NAMED))
        return _NAMED[name]

    @staticmethod
    def names() -> tuple[str, ...]:
        """Names that ``named`` knows."""
        return tuple(_NAMED)

    @classmethod
    def from_json(cls, text: str, where: str = "configuration") -> VtaConfig:
        """A configuration from VTA's own JSON file; missing keys take the default.

        Raises:
            InputError: not JSON, an unknown key, a value of the wrong kind or a core that cannot be encoded.
        """
        values = _read(text, where)
        block = values.pop("LOG_BLOCK", None)
        if block is not None:
            values.setdefault("LOG_BLOCK_IN", block)
            values.setdefault("LOG_BLOCK_OUT", block)
        fields = {_FIELDS[key]: value for key, value in values.items() if key in _FIELDS}
        inp_width = values.get("LOG_INP_WIDTH", 3)
        if (out_width := values.get("LOG_OUT_WIDTH", inp_width)) != inp_width:
            raise InputError(
                "LOG_OUT_WIDTH is LOG_INP_WIDTH", where=where, value=str(out_width), allowed=str(inp_width)
            )
        try:
            return cls(**fields)  # type: ignore[arg-type]  # _read has seen to the kinds
        except InputError as error:
            raise InputError(error.what, where=where, value=error.value, allowed=error.allowed) from None

    def to_json(self) -> str:
        """The configuration in VTA's own keys, one line; ``from_json`` reads it back."""
        values = asdict(self)
        keys = {key: values[field] for key, field in _FIELDS.items()}
        if self.log_block_in == self.log_block_out:
            block = keys.pop("LOG_BLOCK_IN")
            del keys["LOG_BLOCK_OUT"]
            keys["LOG_BLOCK"] = block
        return json.dumps(dict(sorted(keys.items())))

    def __str__(self) -> str:
        return f"VTA {self.batch}x{self.block_in}x{self.block_out} on {self.target}"

    @property
    def batch(self) -> int:
        """Rows of an input and of an accumulator tensor."""
        return 1 << self.log_batch

    @property
    def block_in(self) -> int:
        """Input channels of a tensor."""
        return 1 << self.log_block_in

    @property
    def block_out(self) -> int:
        """Output channels of a tensor."""
        return 1 << self.log_block_out

    @property
    def uop_bytes(self) -> int:
        """Bytes of a micro-operation."""
        return 4

    @property
    def inp_bytes(self) -> int:
        """Bytes of an input tensor, [batch, block_in]."""
        return self.batch * self.block_in << self.log_inp_width >> 3

    @property
    def wgt_bytes(self) -> int:
        """Bytes of a weight tensor, [block_out, block_in]."""
        return self.block_out * self.block_in << self.log_wgt_width >> 3

    @property
    def acc_bytes(self) -> int:
        """Bytes of an accumulator tensor, [batch, block_out]."""
        return self.batch * self.block_out << self.log_acc_width >> 3

    @property
    def out_bytes(self) -> int:
        """Bytes of an output tensor, [batch, block_out]."""
        return self.batch * self.block_out << self.log_inp_width >> 3

    @property
    def log_uop_depth(self) -> int:
        """Width of a micro-operation's index in an instruction."""
        return self.log_uop_buffer - 2

    @property
    def log_inp_depth(self) -> int:
        """Width of an input tensor's index."""
        return self.log_inp_buffer - (self.inp_bytes.bit_length() - 1)

    @property
    def log_wgt_depth(self) -> int:
        """Width of a weight tensor's index."""
        return self.log_wgt_buffer - (self.wgt_bytes.bit_length() - 1)

    @property
    def log_acc_depth(self) -> int:
        """Width of an accumulator tensor's index."""
        return self.log_acc_buffer - (self.acc_bytes.bit_length() - 1)

    @property
    def log_src_depth(self) -> int:
        """Width of a micro-operation's source, which is an input tensor or an accumulator."""
        return max(self.log_acc_depth, self.log_inp_depth)

    @property
    def uop_depth(self) -> int:
        """Micro-operations that a program may use: the buffer's, but at most the RTL's 2048."""
        return min(1 << self.log_uop_depth, UOP_LIMIT)

    @property
    def inp_depth(self) -> int:
        """Input tensors on chip."""
        return 1 << self.log_inp_depth

    @property
    def wgt_depth(self) -> int:
        """Weight tensors on chip."""
        return 1 << self.log_wgt_depth

    @property
    def acc_depth(self) -> int:
        """Accumulator tensors on chip, and output tensors."""
        return 1 << self.log_acc_depth

    @property
    def port_bytes(self) -> int:
        """Bytes that the shared read port, or the write port, moves in a cycle."""
        return _BOARDS[self.target][0]

    @property
    def clock_hz(self) -> int:
        """Clock of the board in hertz."""
        return _BOARDS[self.target][1]


def _read(text: str, where: str) -> dict[str, int | str]:
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            "not JSON", where=where, value=f"line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    if not isinstance(values, dict):
        raise InputError("not a JSON object", where=where, value=type(values).__name__, allowed="{...}")
    for key, value in values.items():
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, n=1, cutoff=0.0)
            raise InputError("unknown key", where=where, value=key, allowed=", ".join(_KEYS), hint=near[0])
        kind = str if key in ("TARGET", "HW_VER") else int
        if not isinstance(value, kind) or isinstance(value, bool):
            raise InputError(f"{key} is of the wrong kind", where=where, value=repr(value), allowed=kind.__name__)
    return values


def _check(config: VtaConfig, where: str) -> None:
    def refuse(what: str, value: object, allowed: str) -> None:
        raise InputError(what, where=where, value=str(value), allowed=allowed)

    if config.target not in _BOARDS:
        refuse("unknown TARGET", config.target, ", ".join(_BOARDS))
    for key, width in (("LOG_INP_WIDTH", 3), ("LOG_WGT_WIDTH", 3), ("LOG_ACC_WIDTH", 5)):
        if getattr(config, _FIELDS[key]) != width:
            refuse(f"{key} is not supported", getattr(config, _FIELDS[key]), str(width))
    for key in ("LOG_BATCH", "LOG_BLOCK_IN", "LOG_BLOCK_OUT"):
        if not 0 <= getattr(config, _FIELDS[key]) <= 8:
            refuse(f"{key} is out of range", getattr(config, _FIELDS[key]), "0 to 8")
    depths = {
        "UOP": config.log_uop_depth,
        "INP": config.log_inp_depth,
        "WGT": config.log_wgt_depth,
        "ACC": config.log_acc_depth,
    }
    for name, depth in depths.items():
        if depth < 1:
            size = getattr(config, _FIELDS[f"LOG_{name}_BUFF_SIZE"])
            refuse(f"LOG_{name}_BUFF_SIZE holds less than two elements", size, f"at least {size + 1 - depth}")
    if (uop_bits := config.log_acc_depth + config.log_src_depth + config.log_wgt_depth) > 32:
        parts = f"{config.log_acc_depth} + {config.log_src_depth} + {config.log_wgt_depth} = {uop_bits}"
        refuse("a micro-operation does not fit (acc, source and weight index bits)", parts, "at most 32 bits")
    if config.log_uop_depth > 13:
        refuse("the first half of GEMM does not fit in 64 bits (log2 of the uop depth)", depths["UOP"], "at most 13")
    if config.log_acc_depth > 11:
        refuse("the second half of ALU does not fit in 64 bits (log2 of the acc depth)", depths["ACC"], "at most 11")


_NAMED: Final = {"default": VtaConfig(), "batch16": VtaConfig(log_batch=4)}
