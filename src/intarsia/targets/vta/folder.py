"""A compiled operator as a folder that another implementation of VTA can execute and check: one program, one run.

``program.bin`` (instructions, 16 bytes each), ``memory.bin`` (device memory before the run, byte k is address k),
``inputs.npz`` (x, w, bias as given or seeded), ``expected.npy`` (the reference's output), ``output_index.npy`` (byte
address of each output element after the run) and ``manifest.json``, which comes last: whoever finds it finds the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from intarsia.ground import InputError, folder
from intarsia.operators import Operator, numpy_dtype
from intarsia.targets.vta.lowering.bias import bias_shape
from intarsia.targets.vta.manifest import manifest, roles
from intarsia.targets.vta.operator import Array, CompiledOperator, Data
from intarsia.targets.vta.simulator import simulate

SEAL = "manifest.json"


class WrongProgramError(Exception):
    """A program that passed every check gave another output than the reference: a bug of this package.

    Attributes:
        elements: how many output elements differ.
    """

    def __init__(self, operator: Operator, elements: int) -> None:
        self.elements = elements
        super().__init__(
            f"the program of this operator gives {elements} wrong output elements; nothing was written\n{operator}"
        )


@dataclass(frozen=True, slots=True)
class File:
    """A written file, in bytes."""

    name: str
    size: int


def refuse_foreign(path: Path) -> None:
    """Refuse a folder that holds files and was not written here.

    Raises:
        InputError: for such a folder.
    """
    try:
        if not any(path.iterdir()):
            return
    except OSError:  # no folder yet, or none that can be read: whoever writes into it says so
        return
    try:
        found = json.loads((path / SEAL).read_text(encoding="utf-8"))
        ours = str(found["format"]).startswith("intarsia.")
    except (OSError, ValueError, TypeError, KeyError):
        ours = False
    if not ours:
        what = f"the output folder holds other files and no {SEAL} of intarsia"
        raise InputError(what, where=repr(str(path)), hint="a new or an empty folder")


def write_folder(path: Path, compiled: CompiledOperator, data: Data) -> tuple[File, ...]:
    """Run a compiled operator on the simulator, compare, and write everything that another implementation needs.

    It runs on the given inputs and on ``sharp`` ones, and must be right on both.

    Args:
        path: the folder: new, empty, or written here before.
        compiled: the operator's program.
        data: the inputs.

    Returns:
        The files, the manifest last.

    Raises:
        InputError: the folder cannot be written or holds other files, or a bias is beyond what the program can add.
        SimulationError: the program breaks a rule of the core; nothing is written.
        WrongProgramError: the simulated output is not the reference's; nothing is written.
    """
    refuse_foreign(path)
    compiled.check_bias(data)
    program, named = compiled.program, roles(compiled.operator)
    with folder(path, seal=SEAL) as staged:
        memory = program.image(data.inputs, data.bias)
        memory.tofile(staged / "memory.bin")
        expected = compiled.expected(data)
        simulate(program.stream, memory, program.config)
        sharp = compiled.run(compiled.sharp(0))
        wrong = int(
            np.count_nonzero(program.unpack(memory) != expected) + np.count_nonzero(sharp.output != sharp.expected)
        )
        if wrong:
            raise WrongProgramError(compiled.operator, wrong)
        (staged / "program.bin").write_bytes(program.program())
        arrays = {named[name]: array for name, array in data.inputs.items()}
        arrays |= {} if data.bias is None else {"bias": data.bias}
        np.savez(staged / "inputs.npz", allow_pickle=False, **arrays)
        np.save(staged / "expected.npy", expected)
        np.save(staged / "output_index.npy", program.output_index)
        sizes = {file.name: file.stat().st_size for file in sorted(staged.iterdir())}
        document = manifest(program, compiled.operator, files=sizes, checked=True)
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        (staged / SEAL).write_text(text, encoding="utf-8")
    return (*(File(name, size) for name, size in sizes.items()), File(SEAL, len(text.encode())))


def read_inputs(path: Path, operator: Operator, *, bias: bool) -> Data:
    """The arrays x, w and bias of a file that the user gave.

    Args:
        path: an ``.npz`` file.
        operator: what they are inputs of.
        bias: whether the operator's epilogue adds one.

    Raises:
        InputError: no such file, not an archive of arrays, or an array that is missing, unknown or of another shape or
            dtype than the operator's.
    """
    arrays = _arrays(path)
    wanted = {role: (t.name, t.shape, t.dtype) for t in operator.inputs for role in [roles(operator)[t.name]]}
    if bias:
        wanted["bias"] = ("the bias", bias_shape(operator, 0), "int32")
    for name in arrays:
        if name not in wanted:
            raise InputError("unknown array", where=str(path), value=name, allowed=", ".join(wanted))
    for name, (meaning, shape, dtype) in wanted.items():
        allowed = f"{dtype}[{', '.join(map(str, shape))}]"
        if name not in arrays:
            raise InputError("missing array", where=str(path), value=f"{name} ({meaning})", allowed=allowed)
        array = arrays[name]
        if array.shape != shape or array.dtype != numpy_dtype(dtype):
            found = f"{array.dtype}[{', '.join(map(str, array.shape))}]"
            raise InputError(f"wrong shape or dtype of {name}", where=str(path), value=found, allowed=allowed)
    tensors = {meaning: arrays[role] for role, (meaning, _, _) in wanted.items() if role != "bias"}
    return Data(tensors, arrays.get("bias"))


def _arrays(path: Path) -> Mapping[str, Array]:
    allowed = "an .npz file with x, w and bias, as numpy.savez writes it"
    try:
        archive = np.load(path, allow_pickle=False)
        if isinstance(archive, np.ndarray):
            raise InputError("a single array", where=str(path), allowed=allowed)
        with archive:
            return {name: np.ascontiguousarray(archive[name]) for name in archive.files}
    except FileNotFoundError:
        raise InputError("no such file", where=str(path)) from None
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        reason = getattr(error, "strerror", None) or ""
        raise InputError("not a file of NumPy arrays", where=str(path), value=reason, allowed=allowed) from error
