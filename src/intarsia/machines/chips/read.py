"""A chip from its name in the catalogue or from a file of the same form; one file describes one chip."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec

from intarsia.ground import InputError
from intarsia.ground.records import decode_record, read_record, refuse_unknown
from intarsia.machines.chips.chip import Chip, Dataflow, Mapping, TensorCores, VectorCores


class _Tensor(msgspec.Struct, forbid_unknown_fields=True):
    count: int
    width: int
    depth: int
    dataflow: Dataflow


class _Vector(msgspec.Struct, forbid_unknown_fields=True):
    count: int
    width: int


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """A chip as people write it: data sheets' units in the names."""

    name: str
    family: str
    clock_ghz: float
    tensor_cores: _Tensor
    vector_cores: _Vector
    onchip_mib: float
    local_kib: float
    hbm_gib: float
    hbm_tb_per_s: float
    link_gb_per_s: float
    source: str
    best_tflops: float = 0.0
    fp8_factor: float = 1.0
    serial: bool = True
    assumed: list[str] = []
    second_tensor_cores: _Tensor | None = None
    costs: Mapping = Mapping.EMBEDDED


_MAY_BE_ZERO = frozenset({"best_tflops"})


def chip_names() -> tuple[str, ...]:
    """The catalogue, sorted."""
    folder = files("intarsia.machines.chips") / "catalogue"
    return tuple(sorted(entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json")))


def read_chip(text: str) -> Chip:
    """The chip of a catalogue name (any case) or of a JSON file.

    Raises:
        InputError: the name is unknown, or the file is wrong.
    """
    if text.endswith(".json"):
        return _chip(read_record(Path(text), _File, what="chip file"), text)
    return _named(text.lower())


@cache
def _named(name: str) -> Chip:
    if name not in chip_names():
        raise refuse_unknown(name, chip_names(), what="chip", hint="a file of your own chip, NAME.json")
    entry = files("intarsia.machines.chips") / "catalogue" / f"{name}.json"
    return _chip(decode_record(entry.read_bytes(), _File, what="chip file", where=name), name)


def _chip(file: _File, where: str) -> Chip:
    sizes = {field: getattr(file, field) for field in file.__struct_fields__}
    sizes |= {f"tensor_cores.{k}": v for k, v in msgspec.structs.asdict(file.tensor_cores).items()}
    sizes |= {f"vector_cores.{k}": v for k, v in msgspec.structs.asdict(file.vector_cores).items()}
    more = file.second_tensor_cores
    if more is not None:
        sizes |= {f"second_tensor_cores.{k}": v for k, v in msgspec.structs.asdict(more).items()}
        for field, word, allowed in (
            ("tensor_cores.dataflow", str(file.tensor_cores.dataflow), "systolic"),
            ("second_tensor_cores.dataflow", str(more.dataflow), "systolic"),
            ("serial", str(file.serial).lower(), "false"),
        ):
            if word != allowed:
                what = f"with a second kind of tensor cores, {field} has one value"
                raise InputError(what, where=where, value=word, allowed=allowed)
    for field, value in sizes.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if value < 0 or (value == 0 and field not in _MAY_BE_ZERO):
            allowed = "0 or more" if field in _MAY_BE_ZERO else "more than 0"
            raise InputError(f"the chip's {field} is not possible", where=where, value=str(value), allowed=allowed)
    return Chip(
        name=file.name,
        family=file.family,
        clock=file.clock_ghz * 1e9,
        tensor=TensorCores(
            file.tensor_cores.count, file.tensor_cores.width, file.tensor_cores.depth, file.tensor_cores.dataflow
        ),
        vector=VectorCores(file.vector_cores.count, file.vector_cores.width),
        onchip_bytes=int(file.onchip_mib * 2**20),
        local_bytes=int(file.local_kib * 2**10),
        hbm_bytes=int(file.hbm_gib * 2**30),
        hbm_bandwidth=file.hbm_tb_per_s * 1e12,
        link_bandwidth=file.link_gb_per_s * 1e9,
        best_flops=file.best_tflops * 1e12,
        fp8_factor=file.fp8_factor,
        serial=file.serial,
        source=file.source,
        assumed=tuple(file.assumed),
        mapping=file.costs,
        second=None if more is None else TensorCores(more.count, more.width, more.depth, more.dataflow),
    )
