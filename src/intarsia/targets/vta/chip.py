"""On-chip state of a simulated core: contents, and who touched each element last."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intarsia.targets.vta.config import VtaConfig


class Chip(NamedTuple):
    """On-chip state; stamps are instruction indices, -1 for never.

    The weights of a 16×16 block lie as [input pair, output, 2] for the matrix kernel, else as in memory.
    """

    uop: NDArray[np.int64]  # [uops, 3]: dst, src, wgt
    inp: NDArray[np.int16]  # [tensors · batch · block_in]
    wgt: NDArray[np.int16]  # [tensors · block_out · block_in]
    acc: NDArray[np.int32]  # [tensors · batch · block_out]
    uop_writer: NDArray[np.int64]
    inp_writer: NDArray[np.int64]
    inp_reader: NDArray[np.int64]
    wgt_writer: NDArray[np.int64]
    wgt_reader: NDArray[np.int64]
    acc_writer: NDArray[np.int64]
    acc_reader: NDArray[np.int64]  # by STORE
    fresh: NDArray[np.uint8]  # [acc tensors]: the out buffer holds what acc holds


class Shape(NamedTuple):
    """What the kernels need of a configuration."""

    batch: int
    block_in: int
    block_out: int
    dst_bits: int
    src_bits: int
    wgt_bits: int
    alu_sees_wgt: bool  # the RTL's ALU takes a micro-operation's wgt for more bits of its source


def chip_of(config: VtaConfig) -> Chip:
    """A core that nothing has been loaded into."""
    depths = (config.uop_depth, config.inp_depth, config.wgt_depth, config.acc_depth)
    uop, inp, wgt, acc = (np.full(depth, -1, dtype=np.int64) for depth in depths)
    return Chip(
        np.zeros((config.uop_depth, 3), dtype=np.int64),
        np.zeros(config.inp_depth * config.inp_bytes, dtype=np.int16),
        np.zeros(config.wgt_depth * config.wgt_bytes, dtype=np.int16),
        np.zeros(config.acc_depth * config.batch * config.block_out, dtype=np.int32),
        uop, inp, inp.copy(), wgt, wgt.copy(), acc, acc.copy(),
        np.zeros(config.acc_depth, dtype=np.uint8),
    )  # fmt: skip


def shape_of(config: VtaConfig) -> Shape:
    """The sizes for ``execute``."""
    bits = (config.log_acc_depth, config.log_src_depth, config.log_wgt_depth)
    return Shape(
        config.batch, config.block_in, config.block_out, *bits, alu_sees_wgt=config.log_inp_depth < config.log_acc_depth
    )
