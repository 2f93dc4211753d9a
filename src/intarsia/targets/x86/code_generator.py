"""LLVM, as far as this target needs it: text of its intermediate representation in, object code or assembly out.

A module that could crash the code generator, or make it emit what the processor lacks, is refused before it gets there:
a call of an intrinsic whose features are not present (LLVM ends the process on such a call), inline assembly, and
attributes that would add features to a function.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from intarsia.ground import InputError
from intarsia.targets.x86.features import Features

AVX512 = ("avx512f", "avx512bw", "avx512dq", "avx512vl")
NEEDED: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = (
    (r"avx512\.vpdp.*\.512", ((*AVX512, "avx512vnni"),)),
    (r"avx512\.vpdp.*", ((*AVX512, "avx512vnni"), ("avxvnni",))),
    (r"avx512bf16\..*", ((*AVX512, "avx512bf16"),)),
    (r"avx512\.(mask\.)?(p(add|sub|madd|mul|ack|shuf|mov)|cvt|max|min|permvar\.(?!qi)).*", (AVX512,)),
    (r"avx2\..*", (("avx2",),)),
    (r"avx\..*", (("avx",),)),
    (r"fma\..*", (("fma",),)),
    (r"sse.*|ssse3\..*", (("sse4.2", "ssse3"),)),
)
"""Intrinsics (after ``llvm.x86.``) that code may call, and the sets of features of which one must be there."""

FORBIDDEN = re.compile(r'\basm\b|"target-(?:cpu|features)"|\bmodule asm\b')
CALLED = re.compile(r"@\"?llvm\.x86\.([\w.]+)")


@dataclass(frozen=True, slots=True)
class Passes:
    """What the optimiser does beside simplifying; all is off for kernels whose loops are already as they shall be.

    Attributes:
        vectorise: turn scalar loops and straight code into vector code.
        unroll: unroll loops whose trip count is unknown or large.
    """

    vectorise: bool = False
    unroll: bool = False


def refuse_what_is_missing(text: str, features: Features) -> None:
    """Refuse a module that these features cannot run.

    Raises:
        InputError: naming what the module asks for.
    """
    found = FORBIDDEN.search(text)
    if found:
        raise InputError("a module may not choose its own instructions", value=found.group())
    for name in sorted(set(CALLED.findall(text))):
        sets = next((sets for pattern, sets in NEEDED if re.fullmatch(pattern, name)), None)
        if sets is None:
            raise InputError("an intrinsic whose features are not known", value=f"llvm.x86.{name}")
        if not any(features.has(*names) for names in sets):
            wanted = " or ".join(" with ".join(names) for names in sets)
            raise InputError(f"the processor ({features.cpu}) lacks what llvm.x86.{name} needs", value=wanted)


def optimised(text: str, features: Features, passes: Passes) -> Any:
    """A module, parsed, verified and optimised, for ``object_code`` and ``assembly``.

    Raises:
        InputError: if the features cannot run it.
        RuntimeError: if it is not well-formed; LLVM's message says where.
    """
    refuse_what_is_missing(text, features)
    llvm = library()
    module = llvm.parse_assembly(text)
    module.verify()
    tuning = llvm.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_vectorization = tuning.slp_vectorization = tuning.loop_interleaving = passes.vectorise
    tuning.loop_unrolling = passes.unroll
    builder = llvm.create_pass_builder(machine(features), tuning)
    builder.getModulePassManager().run(module, builder)
    return module


def object_code(module: Any, features: Features) -> bytes:
    """An optimised module as an object file that can be loaded anywhere."""
    return bytes(machine(features).emit_object(module))


def assembly(module: Any, features: Features) -> str:
    """An optimised module as text in AT&T's syntax."""
    return str(machine(features).emit_assembly(module))


def version() -> str:
    """The version of LLVM, such as ``22.1.0``."""
    return ".".join(map(str, library().llvm_version_info))


def machine(features: Features) -> Any:
    """LLVM's code generator for these features: position-independent code of the small code model."""
    target = library().Target.from_triple("x86_64-unknown-linux-gnu")
    return target.create_target_machine(cpu=features.cpu, features=str(features), opt=3, reloc="pic", codemodel="small")


@cache
def library() -> Any:
    """The library, its x86 target ready."""
    import llvmlite.binding as llvm  # type: ignore[import-untyped]  # has no stubs

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm
