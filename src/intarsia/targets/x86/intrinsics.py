"""How this LLVM spells the instructions that multiply and accumulate: found by compiling, never assumed.

In comes an instruction's name in the catalogue; out goes its spelling as text. LLVM has changed operand types of these
intrinsics (``vpdpbusd`` takes 64 bytes in LLVM 22, 16 words in older ones), so each known spelling is compiled, newest
first, and the first that becomes the one instruction is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from intarsia.ground import InputError
from intarsia.targets.x86.code_generator import AVX512, Passes, assembly, optimised
from intarsia.targets.x86.features import Features


@dataclass(frozen=True, slots=True)
class Spelling:
    """An instruction ``c += a · b`` as LLVM spells it.

    Attributes:
        name: in the catalogue.
        mnemonics: in assembly; the first is the instruction's own, others are what LLVM may make better of it.
        register: ``zmm`` (512 bits) or ``ymm`` (256).
        accumulator: LLVM's type of c.
        factor: LLVM's type of a and b; other types of the same bits need a ``bitcast``.
        declaration: what the module says once.
        body: the lines that compute ``{d}`` from ``{c}``, ``{a}``, ``{b}``; ``{t}`` stands for a name of their own.
    """

    name: str
    mnemonics: tuple[str, ...]
    register: str
    accumulator: str
    factor: str
    declaration: str
    body: str

    def text(self, d: str, c: str, a: str, b: str) -> str:
        """Lines that set a new value ``d`` (such as ``%sum.1``) to ``c`` plus the product of ``a`` and ``b``."""
        return self.body.format(d=d, c=c, a=a, b=b, t=f"{d}.t")


@dataclass(frozen=True, slots=True)
class _Known:
    """An instruction: the sets of features of which one must be there, and its spellings, newest first."""

    needs: tuple[tuple[str, ...], ...]
    spellings: tuple[Spelling, ...]


def usable(features: Features) -> tuple[str, ...]:
    """The instructions that code may use, by their names in the catalogue, best first.

    Raises:
        InputError: if not even AVX2 is there.
    """
    names = tuple(name for name, known in KNOWN.items() if any(features.has(*names) for names in known.needs))
    if not names:
        what = f"the processor ({features.cpu}) has none of the instructions that kernels are made of"
        raise InputError(what, allowed="AVX512-VNNI, AVX-VNNI or AVX2 with FMA")
    return names


def lacking(name: str, features: Features) -> tuple[str, ...]:
    """The fewest features that are missing for an instruction."""
    missing = [tuple(n for n in names if not features.has(n)) for names in KNOWN[name].needs]
    return min(missing, key=len)


@cache
def spelling(name: str, features: Features) -> Spelling:
    """How an instruction of the catalogue is spelled.

    Raises:
        InputError: if the features lack it, or if no known spelling compiles to it.
    """
    if name not in usable(features):
        raise InputError(f"the processor ({features.cpu}) lacks {name}", allowed=", ".join(usable(features)))
    for candidate in KNOWN[name].spellings:
        if _compiles(candidate, features):
            return candidate
    raise InputError(f"this LLVM has no known spelling of {name}", allowed="llvmlite 0.50 (LLVM 22)")


def _compiles(candidate: Spelling, features: Features) -> bool:
    """Whether a function of it alone becomes the instruction, once, in registers of its size."""
    vector, factor = candidate.accumulator, candidate.factor
    text = f"""{candidate.declaration}
define {vector} @probe({vector} %c, {factor} %a, {factor} %b) {{
{candidate.text("%d", "%c", "%a", "%b")}
  ret {vector} %d
}}
"""
    try:
        module = optimised(text, features, Passes())
    except RuntimeError:  # this LLVM does not know the spelling
        return False
    lines = [line.split() for line in assembly(module, features).splitlines()]
    found = [words for words in lines if set(candidate.mnemonics).intersection(words)]
    return len(found) == 1 and f"%{candidate.register}" in found[0][-1]


def _called(name: str, mnemonic: str, register: str, intrinsic: str, types: tuple[str, str]) -> Spelling:
    """A spelling that is a call of one intrinsic on accumulator and factors."""
    vector, factor = types
    return Spelling(
        name,
        (mnemonic,),
        register,
        vector,
        factor,
        f"declare {vector} @{intrinsic}({vector}, {factor}, {factor})",
        f"  {{d}} = call {vector} @{intrinsic}({vector} {{c}}, {factor} {{a}}, {factor} {{b}})",
    )


def _dots(name: str, mnemonic: str, register: str, intrinsic: str, *types: tuple[str, str]) -> tuple[Spelling, ...]:
    return tuple(_called(name, mnemonic, register, intrinsic, pair) for pair in types)


def _fma(name: str, register: str, lanes: int) -> tuple[Spelling, ...]:
    vector, intrinsic = f"<{lanes} x float>", f"llvm.fma.v{lanes}f32"
    call = f"  {{d}} = call {vector} @{intrinsic}({vector} {{a}}, {vector} {{b}}, {vector} {{c}})"
    declaration = f"declare {vector} @{intrinsic}({vector}, {vector}, {vector})"
    return (Spelling(name, ("vfmadd213ps", "vfmadd231ps"), register, vector, vector, declaration, call),)


_MADD = "llvm.x86.avx2.pmadd.wd"
_FENCE = "llvm.arithmetic.fence.v8f32"
"""Keeps the additions in their order: LLVM would add products to each other first, which takes more registers."""
KNOWN: dict[str, _Known] = {
    "x86.vpdpbusd": _Known(
        ((*AVX512, "avx512vnni"),),
        _dots(
            "x86.vpdpbusd", "vpdpbusd", "zmm", "llvm.x86.avx512.vpdpbusd.512",
            ("<16 x i32>", "<64 x i8>"), ("<16 x i32>", "<16 x i32>"),
        ),
    ),
    "x86.vpdpbusd.ymm": _Known(
        ((*AVX512, "avx512vnni"), ("avxvnni", "avx2")),
        _dots(
            "x86.vpdpbusd.ymm", "vpdpbusd", "ymm", "llvm.x86.avx512.vpdpbusd.256",
            ("<8 x i32>", "<32 x i8>"), ("<8 x i32>", "<8 x i32>"),
        ),
    ),
    "x86.vpdpwssd": _Known(
        ((*AVX512, "avx512vnni"),),
        _dots(
            "x86.vpdpwssd", "vpdpwssd", "zmm", "llvm.x86.avx512.vpdpwssd.512",
            ("<16 x i32>", "<32 x i16>"), ("<16 x i32>", "<16 x i32>"),
        ),
    ),
    "x86.vpmaddwd.ymm": _Known(
        (("avx2",),),
        (
            Spelling(
                "x86.vpmaddwd.ymm", ("vpmaddwd", "vpdpwssd"), "ymm", "<8 x i32>", "<16 x i16>",
                f"declare <8 x i32> @{_MADD}(<16 x i16>, <16 x i16>)\n"
                f"declare <8 x float> @{_FENCE}(<8 x float>)",
                f"  {{t}} = call <8 x i32> @{_MADD}(<16 x i16> {{a}}, <16 x i16> {{b}})\n"
                "  {t}.sum = add <8 x i32> {t}, {c}\n"
                "  {t}.bits = bitcast <8 x i32> {t}.sum to <8 x float>\n"
                f"  {{t}}.kept = call <8 x float> @{_FENCE}(<8 x float> {{t}}.bits)\n"
                "  {d} = bitcast <8 x float> {t}.kept to <8 x i32>",
            ),
        ),
    ),
    "x86.vdpbf16ps": _Known(
        ((*AVX512, "avx512bf16"),),
        _dots(
            "x86.vdpbf16ps", "vdpbf16ps", "zmm", "llvm.x86.avx512bf16.dpbf16ps.512",
            ("<16 x float>", "<32 x bfloat>"), ("<16 x float>", "<16 x i32>"),
        ),
    ),
    "x86.vfmadd231ps": _Known((AVX512,), _fma("x86.vfmadd231ps", "zmm", 16)),
    "x86.vfmadd231ps.ymm": _Known((("avx2", "fma"),), _fma("x86.vfmadd231ps.ymm", "ymm", 8)),
}  # fmt: skip
"""Every instruction that kernels may be made of, the best first for each kind of element."""
