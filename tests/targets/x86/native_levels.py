"""Levels of features that native code can be run at here, where need be with one instruction replaced.

An instruction that this processor lacks is replaced, in the module that LLVM is given, by a function that computes the
same of instructions that it has; all else is the code that the other processor would run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from intarsia.ground import InputError
from intarsia.machines import Instruction, find_instruction
from intarsia.operators import Operator
from intarsia.targets.x86 import Engine, Features, at_level, code_generator, host_features, spelling, usable
from intarsia.targets.x86.engine import KERNEL
from intarsia.targets.x86.lowering.emit import module_of

VPDPBUSD = "llvm.x86.avx512.vpdpbusd.256"
DOT_BYTES = """
define internal <8 x i32> @replaced(<8 x i32> %c, <32 x i8> %a, <32 x i8> %b) alwaysinline nounwind {
  %u = bitcast <32 x i8> %a to <16 x i16>
  %s = bitcast <32 x i8> %b to <16 x i16>
  %u0 = and <16 x i16> %u, splat (i16 255)
  %u1 = lshr <16 x i16> %u, splat (i16 8)
  %s8 = shl <16 x i16> %s, splat (i16 8)
  %s0 = ashr <16 x i16> %s8, splat (i16 8)
  %s1 = ashr <16 x i16> %s, splat (i16 8)
  %p0 = call <8 x i32> @llvm.x86.avx2.pmadd.wd(<16 x i16> %u0, <16 x i16> %s0)
  %p1 = call <8 x i32> @llvm.x86.avx2.pmadd.wd(<16 x i16> %u1, <16 x i16> %s1)
  %d0 = add <8 x i32> %c, %p0
  %d1 = add <8 x i32> %d0, %p1
  ret <8 x i32> %d1
}
declare <8 x i32> @llvm.x86.avx2.pmadd.wd(<16 x i16>, <16 x i16>)
"""
"""Even and odd bytes, widened: each product of two pairs fits 32 bits."""

VDPBF16PS = "llvm.x86.avx512bf16.dpbf16ps.512"
DOT_BFLOATS = """
define internal <16 x i32> @flushed(<16 x i32> %x) alwaysinline nounwind {
  %exponent = and <16 x i32> %x, splat (i32 2139095040)
  %tiny = icmp eq <16 x i32> %exponent, zeroinitializer
  %sign = and <16 x i32> %x, splat (i32 -2147483648)
  %kept = select <16 x i1> %tiny, <16 x i32> %sign, <16 x i32> %x
  ret <16 x i32> %kept
}
define internal <16 x i32> @step(<16 x i32> %c, <16 x i32> %a, <16 x i32> %b) alwaysinline nounwind {
  %a0 = call <16 x i32> @flushed(<16 x i32> %a)
  %b0 = call <16 x i32> @flushed(<16 x i32> %b)
  %fa = bitcast <16 x i32> %a0 to <16 x float>
  %fb = bitcast <16 x i32> %b0 to <16 x float>
  %fc = bitcast <16 x i32> %c to <16 x float>
  %fd = call <16 x float> @llvm.fma.v16f32(<16 x float> %fa, <16 x float> %fb, <16 x float> %fc)
  %d = bitcast <16 x float> %fd to <16 x i32>
  %kept = call <16 x i32> @flushed(<16 x i32> %d)
  ret <16 x i32> %kept
}
define internal <16 x float> @replaced(<16 x float> %c, <32 x bfloat> %a, <32 x bfloat> %b) alwaysinline nounwind {
  %wc = bitcast <16 x float> %c to <16 x i32>
  %wa = bitcast <32 x bfloat> %a to <16 x i32>
  %wb = bitcast <32 x bfloat> %b to <16 x i32>
  %c0 = call <16 x i32> @flushed(<16 x i32> %wc)
  %a1 = and <16 x i32> %wa, splat (i32 -65536)
  %b1 = and <16 x i32> %wb, splat (i32 -65536)
  %a0 = shl <16 x i32> %wa, splat (i32 16)
  %b0 = shl <16 x i32> %wb, splat (i32 16)
  %d1 = call <16 x i32> @step(<16 x i32> %c0, <16 x i32> %a1, <16 x i32> %b1)
  %d0 = call <16 x i32> @step(<16 x i32> %d1, <16 x i32> %a0, <16 x i32> %b0)
  %d = bitcast <16 x i32> %d0 to <16 x float>
  ret <16 x float> %d
}
declare <16 x float> @llvm.fma.v16f32(<16 x float>, <16 x float>, <16 x float>)
"""
"""As Intel's manual has VDPBF16PS: the second of a pair first, each a fused multiplication and addition that rounds to
nearest even; denormals, read or made, are zero. (What rounds up to the least normal number is kept here.)"""


class Replacing(Engine):
    """Makes code for features that this processor lacks, with the one instruction that needs them replaced."""

    def __init__(self, features: Features, runs_on: Features, intrinsic: str, body: str) -> None:
        super().__init__(features, keep=False)
        self._engine, self._intrinsic, self._body = Engine(runs_on, keep=False), intrinsic, body

    def compile(self, text, passes=KERNEL):
        code_generator.refuse_what_is_missing(text, self.features)
        if self._intrinsic not in text:
            return self._engine.compile(text, passes)
        lines = [line for line in text.split("\n") if not (line.startswith("declare") and self._intrinsic in line)]
        return self._engine.compile("\n".join(lines).replace(f"@{self._intrinsic}", "@replaced") + self._body, passes)


def plus(features: Features, *names: str) -> Features:
    """Features with some more."""
    present = tuple(sorted({*features.present, *names}))
    return Features(features.cpu, present, tuple(n for n in features.absent if n not in names))


def runs(level: str) -> bool:
    """Whether this processor has a level."""
    try:
        at_level(level)
    except InputError:
        return False
    return True


def vnni_engine() -> Engine:
    """An engine of the level avx-vnni: this processor's own, or one that replaces the instruction."""
    if runs("avx-vnni"):
        return Engine(at_level("avx-vnni"), keep=False)
    return Replacing(plus(at_level("avx2"), "avxvnni"), at_level("avx2"), VPDPBUSD, DOT_BYTES)


def bfloat_engine() -> Engine:
    """An engine of the level avx512-bf16, likewise."""
    if runs("avx512-bf16"):
        return Engine(at_level("avx512-bf16"), keep=False)
    return Replacing(plus(host_features(), "avx512bf16"), host_features(), VDPBF16PS, DOT_BFLOATS)


@dataclass(frozen=True)
class Way:
    """How bytes are multiplied: an instruction, an engine that runs it, and whether bytes are widened for it."""

    instruction: Instruction
    engine: Engine
    widened: bool = False

    def embedded(self, operator: Operator) -> Operator:
        """The operator that is embedded for one on bytes."""
        if not self.widened:
            return operator
        read = {r.tensor for r in operator.statements[0].reads}
        return replace(
            operator,
            tensors=tuple(replace(t, dtype="int16") if t.name in read else t for t in operator.tensors),
        )

    def given(self, operator: Operator) -> dict[str, str]:
        """Dtypes of tensors that are handed in narrower than they are embedded."""
        read = {r.tensor for r in operator.statements[0].reads}
        return {t.name: t.dtype for t in operator.tensors if t.name in read} if self.widened else {}

    def asm(self, plan) -> str:
        """The code of a plan as it is for the processor that has the instruction."""
        features = self.engine.features
        text = module_of(plan, spelling(self.instruction.name, features))
        module = code_generator.optimised(text, features, KERNEL)
        return code_generator.assembly(module, features)


LEVELS = {"avx512-vnni": "x86.vpdpbusd", "avx-vnni": "x86.vpdpbusd.ymm", "avx2": "x86.vpmaddwd.ymm"}
"""Levels, and what multiplies bytes there."""
HAS_AVX2 = runs("avx2")
HAS_ZMM = HAS_AVX2 and "x86.vpdpbusd" in usable(host_features())


def way_of(name: str) -> Way:
    """A way by its name: a level, or ``ymm``, the 256-bit instruction as a processor with AVX512-VNNI has it."""
    instruction = find_instruction("x86.vpdpbusd.ymm" if name == "ymm" else LEVELS[name])
    engine = vnni_engine() if name == "avx-vnni" else Engine(at_level("avx2") if name == "avx2" else None, keep=False)
    return Way(instruction, engine, widened=name == "avx2")


def params(*names: str):
    """Ways as parameters of a test; those that cannot run here are skipped."""
    found = []
    for name in names:
        needs_zmm = name in {"avx512-vnni", "ymm"}
        can = HAS_ZMM if needs_zmm else HAS_AVX2
        lacks = f"the processor lacks {'AVX512-VNNI' if needs_zmm else 'AVX2'}"
        found.append(pytest.param(name, marks=pytest.mark.skipif(not can, reason=lacks), id=name))
    return found
