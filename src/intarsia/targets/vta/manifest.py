"""How logical tensors become the bytes of device memory, as data: rules that any language can follow.

A compiled program comes in; out goes a document whose rules give, for every register of every vector of a region, the
element that it holds. A *variable* is the index of a dim of the region (``origin + step * (first + position)``) or a
digit of the register's lane; an *index* is ``floor(value / divide) mod modulo + plus`` over variables.
``docs/folder.md`` describes the same with an example; the tests repack inputs with nothing but this document.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from intarsia.embed.embedding import Embedding
from intarsia.embed.layout import Dim, flat_of, subscript_over_loops
from intarsia.operators import Affine, Operator
from intarsia.program import CallSpace
from intarsia.targets.vta.config import VtaConfig
from intarsia.targets.vta.lowering.bias import bias_shape, channel_dims
from intarsia.targets.vta.lowering.epilogue import Epilogue, constant_factor
from intarsia.targets.vta.lowering.packing import Packing
from intarsia.targets.vta.lowering.program import VtaProgram
from intarsia.targets.vta.lowering.tiling import Place

Document = dict[str, Any]
"""A JSON object."""


NOTHING = Affine(())


@dataclass(frozen=True, slots=True)
class Index:
    """``floor(value / divide) mod modulo + plus``; a modulo of 0 stands for none."""

    value: Affine
    divide: int = 1
    modulo: int = 0
    plus: Affine = NOTHING

    def json(self) -> Document:
        """As the manifest has it."""
        return {
            "value": _affine(self.value),
            "divide": self.divide,
            "modulo": self.modulo,
            "plus": _affine(self.plus),
        }


@dataclass(frozen=True, slots=True)
class Guard:
    """A register holds zero unless ``least <= index <= most``."""

    index: Index
    least: int
    most: int

    def json(self) -> Document:
        """As the manifest has it."""
        return {"index": self.index.json(), "least": self.least, "most": self.most}


@dataclass(frozen=True, slots=True)
class Subscript:
    """``constant + sum(times * index)``, with the guards that come with it."""

    constant: int
    terms: tuple[tuple[int, Index], ...]
    guards: tuple[Guard, ...]

    def json(self) -> Document:
        """As the manifest has it."""
        return {"constant": self.constant, "terms": [{"times": c, "index": i.json()} for c, i in self.terms]}


def roles(operator: Operator) -> dict[str, str]:
    """Tensor name to the name of its array in ``inputs.npz``: the constant factor is w, the other one x."""
    names = [t.name for t in operator.inputs]
    constant = [t.name for t in operator.inputs if t.constant]
    weights = constant[0] if len(constant) == 1 else names[-1] if len(names) > 1 else ""
    return {name: "w" if name == weights else "x" for name in names}


def manifest(program: VtaProgram, operator: Operator, *, files: Document, checked: bool) -> Document:
    """The document that describes a compiled program.

    Args:
        program: the program.
        operator: what it computes.
        files: name of each file beside the manifest, to its bytes.
        checked: whether the program ran on the simulator and gave the reference's output.
    """
    config, out = program.config, operator.outputs[0]
    return {
        "format": "intarsia.vta 1",
        "operator": str(operator),
        "embeddings": [str(embedding).splitlines() for embedding in program.embeddings],
        "configuration": json.loads(config.to_json()),
        "instructions": len(program.stream),
        "predicted_cycles": program.timing.cycles,
        "checked": checked,
        "dtype": "int8",
        "output": {"tensor": out.name, "shape": list(out.shape), "dtype": "int8", "declared": out.dtype},
        "epilogue": _epilogue(program.epilogue),
        "memory_bytes": program.memory.size,
        "regions": [{"name": n, "address": a, "bytes": s} for n, a, s in program.memory.regions],
        "layout": layout_steps(program, operator),
        "files": files,
    }


def layout_steps(program: VtaProgram, operator: Operator) -> list[Document]:
    """One step for each region that is written before the run."""
    steps = [_pack(name, part, roles(operator)) for name, part in program.packings]
    if program.epilogue is not None and program.epilogue.bias != "none":
        steps.append(_bias(program, operator, program.epilogue))
    fixed = [*(name for name, _ in program.constants), "uop"]
    steps += [{"region": name, "rule": "as in memory.bin"} for name in fixed]
    return steps


def _epilogue(epilogue: Epilogue | None) -> Document | None:
    if epilogue is None:
        return None
    bias = " + bias" if epilogue.bias != "none" else ""
    return {
        "formula": f"clip((acc >> {epilogue.shift}){bias}, {epilogue.low}, {epilogue.high}), modulo 2**32",
        "shift": epilogue.shift,
        "low": epilogue.low,
        "high": epilogue.high,
        "bias": epilogue.bias,
    }


def _pack(region: str, part: Packing, named: dict[str, str]) -> Document:
    """The rule of a factor's region."""
    layout, embedding = part.factor.layout, part.embedding
    found = [subscript(embedding, s, layout.dims) for s in part.factor.access.subscripts]
    width = 4 if part.wide else 1
    return {
        "region": region,
        "rule": "gather",
        "tensor": part.tensor,
        "array": named[part.tensor],
        "shape": list(layout.tensor.shape),
        "dtype": layout.tensor.dtype,
        "pad": part.pad,
        "encoding": {"kind": f"int{8 * width}"},
        "element_bytes": prod(layout.registers) * width,
        "elements": part.place.tensors,
        "dims": [_dim(d, p) for d, p in zip(layout.dims, part.place.places, strict=True)],
        **_registers(embedding, layout.operand, layout.registers),
        "subscripts": [s.json() for s in found],
        "guards": [g.json() for s in found for g in s.guards],
    }


def _bias(program: VtaProgram, operator: Operator, epilogue: Epilogue) -> Document:
    """The rule of the bias region: which bias each register of an output vector is given, and how it is encoded."""
    plan, config = program.plan, program.config
    space = plan.space
    access = space.written.access
    shape = operator.tensor(access.tensor).shape
    channels = [access.subscripts[d] for d in channel_dims(operator, space.embedding.statement)]
    found = [flat_subscript(space.embedding, s, only=_bias_variables(space, plan.bias_loops)) for s in channels]
    lanes = _registers(space.embedding, space.written.layout.operand, space.written.layout.registers)
    extents = [shape[d] for d in channel_dims(operator, space.embedding.statement)]
    dims = [
        {"variable": n, "extent": p.extent, "first": 0, "origin": 0, "step": 1, "tile": p.tile, "outer": p.outer,
         "inner": p.inner}
        for n, p in zip(plan.bias_loops, plan.bias_region.places, strict=True)
    ]  # fmt: skip
    return {
        "region": "bias",
        "rule": "gather",
        "tensor": "bias",
        "array": "bias",
        "shape": list(bias_shape(operator, space.embedding.statement)),
        "dtype": "int32",
        "pad": 0,
        "encoding": _encoding(epilogue, config),
        "element_bytes": {"wgt": config.wgt_bytes, "inp": config.inp_bytes}.get(epilogue.bias, config.acc_bytes),
        "elements": plan.bias_region.tensors,
        "dims": dims,
        **lanes,
        "subscripts": [s.json() for s in found],
        "guards": [g.json() for s in found for g in s.guards],
        "extents": extents,
    }


def _encoding(epilogue: Epilogue, config: VtaConfig) -> Document:
    """How the values of an element of the bias region, one for each register of an output vector, are written."""
    if not epilogue.by_gemm:
        return {"kind": "int32"}
    return {
        "kind": "products",
        "along": "column" if epilogue.bias == "wgt" else "row",
        "factors": constant_factor(1, config.block_in)[0].tolist(),
    }


def _bias_variables(space: CallSpace, loops: Sequence[str]) -> frozenset[str]:
    lanes = {loop.name for loop in space.embedding.loops if loop.lane}
    return frozenset({*loops, *lanes})


def _dim(dim: Dim, place: Place) -> Document:
    return {
        "variable": dim.name,
        "extent": place.extent,
        "first": place.first,
        "origin": dim.origin,
        "step": dim.step,
        "tile": place.tile,
        "outer": place.outer,
        "inner": place.inner,
    }


def _registers(embedding: Embedding, operand: str, shape: tuple[int, ...]) -> Document:
    """The registers of an operand, the digits of each of its axes, and the digits that do not matter to it."""
    accesses = (embedding.meaning.write, *embedding.meaning.reads)
    meaning = next(a for a in accesses if a.tensor == operand)
    axes = [s.terms[0][0] for s in meaning.subscripts]
    others = [a.name for a in embedding.instruction.semantics.axes if a.name not in axes]
    return {
        "registers": list(shape),
        "digits": [[[loop.name, loop.extent] for loop in embedding.lane_loops(axis)] for axis in axes],
        "others": {loop.name: loop.extent - 1 for axis in others for loop in embedding.lane_loops(axis)},
    }


def subscript(embedding: Embedding, given: Affine, dims: tuple[Dim, ...]) -> Subscript:
    """A subscript of a factor over the dims of its layout and the digits of its lanes."""
    over = subscript_over_loops(embedding, given)
    if over is None:
        return flat_subscript(embedding, given)
    names = {loop.name for loop in embedding.outer}
    outer = Affine(tuple((n, c) for n, c in over.terms if n in names))
    inner = tuple((n, c) for n, c in over.terms if n not in names)
    sliding = next((d for d in dims if d.value == outer), None)
    moving = () if not outer.terms else ((sliding.name, 1),) if sliding is not None else outer.terms
    index = Index(Affine((*moving, *inner), over.constant - given.constant))
    guards: tuple[Guard, ...] = ()
    if len(given.terms) == 1:
        axis, coefficient = given.terms[0]
        end = coefficient * (embedding.operator.axis(axis).extent - 1)
        guards = (Guard(index, min(0, end), max(0, end)),)
    return Subscript(given.constant, ((1, index),), guards)


def flat_subscript(embedding: Embedding, given: Affine, only: frozenset[str] | None = None) -> Subscript:
    """A subscript axis by axis, each unflattened; with ``only``, other loops stand at 0."""
    terms: list[tuple[int, Index]] = []
    guards: list[Guard] = []
    for axis, coefficient in given.terms:
        flat = flat_of(embedding, axis)
        place = flat.axes.index(axis)
        value = _restricted(flat.value, only)
        index = Index(
            value,
            prod(flat.extents[place + 1 :]),
            flat.extents[place] if place > 0 else 0,
            _restricted(flat.shifts[place], only),
        )
        terms.append((coefficient, index))
        if len(flat.axes) > 1 or only is not None:
            guards.append(Guard(Index(value), 0, prod(flat.extents) - 1))
        if len(given.terms) == 1 or only is not None:
            guards.append(Guard(index, 0, embedding.operator.axis(axis).extent - 1))
    return Subscript(given.constant, tuple(terms), tuple(guards))


def _restricted(affine: Affine, only: frozenset[str] | None) -> Affine:
    if only is None:
        return affine
    return Affine(tuple((n, c) for n, c in affine.terms if n in only), affine.constant)


def _affine(affine: Affine) -> Document:
    return {"constant": affine.constant, **({"terms": dict(affine.terms)} if affine.terms else {})}
