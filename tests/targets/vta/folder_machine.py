"""Another implementation of VTA, for the tests: slow, sequential, and written from the specification of the core alone.

It reads the files of a folder and nothing else; no code of the package is used.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path

import numpy as np

LOAD, STORE, GEMM, FINISH, ALU = range(5)
UOP, WGT, INP, ACC, OUT = range(5)


@dataclass
class Sizes:
    """Of a core, from VTA's own keys."""

    batch: int
    block_in: int
    block_out: int
    log_uop: int
    log_inp: int
    log_wgt: int
    log_acc: int


def sizes_of(configuration: dict) -> Sizes:
    block_in = configuration.get("LOG_BLOCK_IN", configuration.get("LOG_BLOCK"))
    block_out = configuration.get("LOG_BLOCK_OUT", configuration.get("LOG_BLOCK"))
    batch = configuration["LOG_BATCH"]
    inp = batch + block_in + configuration["LOG_INP_WIDTH"] - 3
    wgt = block_out + block_in + configuration["LOG_WGT_WIDTH"] - 3
    acc = batch + block_out + configuration["LOG_ACC_WIDTH"] - 3
    return Sizes(
        1 << batch,
        1 << block_in,
        1 << block_out,
        configuration["LOG_UOP_BUFF_SIZE"] - 2,
        configuration["LOG_INP_BUFF_SIZE"] - inp,
        configuration["LOG_WGT_BUFF_SIZE"] - wgt,
        configuration["LOG_ACC_BUFF_SIZE"] - acc,
    )


def fields(word: int, *widths: int) -> list[int]:
    """Fields of a word, least significant first."""
    found = []
    for width in widths:
        found.append(word & ((1 << width) - 1))
        word >>= width
    return found


class Machine:
    """A core and its memory."""

    def __init__(self, sizes: Sizes, memory: np.ndarray) -> None:
        self.s, self.memory = sizes, memory
        self.uop = np.zeros(1 << sizes.log_uop, dtype=np.uint32)
        self.inp = np.zeros((1 << sizes.log_inp, sizes.batch, sizes.block_in), dtype=np.int8)
        self.wgt = np.zeros((1 << sizes.log_wgt, sizes.block_out, sizes.block_in), dtype=np.int8)
        self.acc = np.zeros((1 << sizes.log_acc, sizes.batch, sizes.block_out), dtype=np.int32)

    def run(self, program: bytes) -> None:
        words = np.frombuffer(program, dtype="<u8").reshape(-1, 2).tolist()
        for number, (low, high) in enumerate(words):
            opcode = low & 7
            if opcode == FINISH:
                assert number == len(words) - 1, "FINISH is not the last instruction"
                return
            {LOAD: self.load, STORE: self.store, GEMM: self.gemm, ALU: self.alu}[opcode](low >> 7, high)
        raise AssertionError("no FINISH")

    def load(self, low: int, high: int) -> None:
        memory, sram, dram = fields(low, 3, 16, 32)
        y_size, x_size, stride, y0, y1, x0, x1 = fields(high, 16, 16, 16, 4, 4, 4, 4)
        buffer = {UOP: self.uop, WGT: self.wgt, INP: self.inp, ACC: self.acc}[memory]
        size = buffer[0].nbytes
        rows = [np.zeros_like(buffer[: x0 + x_size + x1]) for _ in range(y0 + y_size + y1)]
        for y in range(y_size):
            begin = (dram + y * stride) * size
            raw = self.memory[begin : begin + x_size * size]
            rows[y0 + y][x0 : x0 + x_size] = raw.view(buffer.dtype).reshape(x_size, *buffer.shape[1:])
        data = np.concatenate(rows) if rows else buffer[:0]
        assert sram + len(data) <= len(buffer)
        buffer[sram : sram + len(data)] = data

    def store(self, low: int, high: int) -> None:
        memory, sram, dram = fields(low, 3, 16, 32)
        y_size, x_size, stride, *pads = fields(high, 16, 16, 16, 4, 4, 4, 4)
        assert memory == OUT
        assert not any(pads)
        for y in range(y_size):
            data = self.acc[sram + y * x_size : sram + (y + 1) * x_size].astype(np.int8)
            begin = (dram + y * stride) * self.s.batch * self.s.block_out
            self.memory[begin : begin + data.size] = data.reshape(-1).view(np.uint8)

    def indices(self, low: int, factors: list[int]):
        _, begin, end, outer, inner = fields(low, 1, self.s.log_uop, self.s.log_uop + 1, 14, 14)
        widths = (self.s.log_acc, max(self.s.log_acc, self.s.log_inp), self.s.log_wgt)
        uops = [fields(int(u), *widths) for u in self.uop[begin:end]]
        for o, i in product(range(outer), range(inner)):
            for uop in uops:
                yield [u + o * factors[2 * k] + i * factors[2 * k + 1] for k, u in enumerate(uop)]

    def gemm(self, low: int, high: int) -> None:
        s = self.s
        factors = fields(high, s.log_acc, s.log_acc, s.log_inp, s.log_inp, s.log_wgt, s.log_wgt)
        for dst, src, wgt in self.indices(low, factors):
            if low & 1:
                self.acc[dst] = 0
            else:
                self.acc[dst] += self.inp[src].astype(np.int32) @ self.wgt[wgt].T.astype(np.int32)

    def alu(self, low: int, high: int) -> None:
        a = self.s.log_acc
        *factors, operation, use_imm, imm = fields(high, a, a, a, a, 3, 1, 16)
        imm = imm - (1 << 16) if imm >> 15 else imm
        for dst, src, _ in self.indices(low, [*factors, 0, 0]):
            left = self.acc[dst].astype(np.int64)
            right = np.full_like(left, imm) if use_imm else self.acc[src].astype(np.int64)
            self.acc[dst] = self.operate(operation, left, right).astype(np.int32)

    @staticmethod
    def operate(operation: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        if operation == 3:
            return np.where(right >= 0, left >> np.maximum(right, 0), left << np.maximum(-right, 0))
        return [np.minimum, np.maximum, np.add, None, np.multiply][operation](left, right)


def execute(folder: Path, memory: np.ndarray | None = None) -> np.ndarray:
    """The logical output of a folder's program, on its own memory or on another."""
    manifest = json.loads((folder / "manifest.json").read_text())
    memory = np.fromfile(folder / "memory.bin", dtype=np.uint8) if memory is None else memory.copy()
    assert len(memory) == manifest["memory_bytes"]
    program = (folder / "program.bin").read_bytes()
    assert len(program) == 16 * manifest["instructions"]
    Machine(sizes_of(manifest["configuration"]), memory).run(program)
    return memory[np.load(folder / "output_index.npy")].view(np.int8)


def repack(folder: Path, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """The folder's memory with other inputs: every step of the manifest's layout followed to the letter."""
    manifest = json.loads((folder / "manifest.json").read_text())
    memory = np.fromfile(folder / "memory.bin", dtype=np.uint8)
    regions = {r["name"]: r for r in manifest["regions"]}
    for step in manifest["layout"]:
        if step["rule"] == "as in memory.bin":
            continue
        assert step["rule"] == "gather"
        region = regions[step["region"]]
        values = gather(step, arrays[step["array"]])
        raw = encode(step["encoding"], values).view(np.uint8).reshape(-1)
        assert raw.size == region["bytes"] == step["elements"] * step["element_bytes"]
        memory[region["address"] : region["address"] + raw.size] = raw
    return memory


def gather(step: dict, array: np.ndarray) -> np.ndarray:
    """[elements, *registers]: what each register of each element of a region holds."""
    assert list(array.shape) == step["shape"]
    assert str(array.dtype) == step["dtype"]
    dims, registers = step["dims"], step["registers"]
    vectors = prod(d["extent"] for d in dims)
    positions = np.indices([d["extent"] for d in dims]).reshape(len(dims), vectors, 1)
    lanes = np.indices(registers).reshape(len(registers), -1)[:, None, :]
    address = np.zeros((vectors, 1), dtype=np.int64)
    variables: dict[str, np.ndarray | int] = dict(step["others"])
    for dim, p in zip(dims, positions, strict=True):
        address = address + p // dim["tile"] * dim["outer"] + p % dim["tile"] * dim["inner"]
        variables[dim["variable"]] = dim["origin"] + dim["step"] * (dim["first"] + p)
    live = np.ones((len(address), prod(registers)), dtype=bool)
    for digits, lane in zip(step["digits"], lanes, strict=True):
        rest = lane
        for name, extent in digits:
            variables[name] = rest % extent
            rest = rest // extent
        live &= rest == 0

    def affine(form: dict):
        return form["constant"] + sum(c * variables[name] for name, c in form.get("terms", {}).items())

    def index(form: dict):
        value = affine(form["value"]) // form["divide"]
        return (value % form["modulo"] if form["modulo"] else value) + affine(form["plus"])

    for guard in step["guards"]:
        found = index(guard["index"])
        live &= (guard["least"] <= found) & (found <= guard["most"])
    inside = np.ones_like(live)
    place = np.zeros(live.shape, dtype=np.int64)
    for size, subscript in zip(step["shape"], step["subscripts"], strict=True):
        at = subscript["constant"] + sum(t["times"] * index(t["index"]) for t in subscript["terms"])
        at = np.broadcast_to(at, live.shape)
        inside = inside & (at >= 0) & (at < size)
        place = place * size + at
    flat = array.reshape(-1)
    held = np.where(inside, flat[np.clip(place, 0, flat.size - 1)], step["pad"])
    result = np.zeros((step["elements"], prod(registers)), dtype=np.int64)
    result[address[:, 0]] = np.where(live, held, 0)
    return result.reshape(-1, *registers)


def encode(encoding: dict, values: np.ndarray) -> np.ndarray:
    """The bytes of register values; biases may be written as weights whose products with constants sum to them."""
    if encoding["kind"] in ("int8", "int32"):
        return values.astype(encoding["kind"])
    assert encoding["kind"] == "products"
    # Lanes beyond the operator's are 0; all others along the other axis are equal.
    axis = {"column": 1, "row": 2}[encoding["along"]]
    biases = np.where(values.max(axis=axis) > 0, values.max(axis=axis), values.min(axis=axis))
    digits = np.zeros((*biases.shape, len(encoding["factors"])), dtype=np.int8)
    for place in np.ndindex(biases.shape):
        digits[place] = split(int(biases[place]), encoding["factors"])
    return digits


def split(bias: int, factors: list[int]) -> list[int]:
    """int8 digits whose products with the factors sum to a bias: greedy, the lane with factor 1 last."""
    found = [0] * len(factors)
    left = bias
    for lane in sorted(range(len(factors)), key=lambda i: -factors[i]):
        found[lane] = max(-127, min(127, round(left / factors[lane])))
        left -= found[lane] * factors[lane]
    assert left == 0, bias
    return found
