"""Native code at run time: text of LLVM's intermediate representation in, functions that can be called out.

Code is optimised for the processor's features, kept on disk by its content, and loaded once however often it is asked
for. An engine is safe from several threads.
"""

from __future__ import annotations

import ctypes
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from intarsia.ground import QUIET, InputError, Trace
from intarsia.targets.x86 import code_generator
from intarsia.targets.x86.code_cache import CodeCache, default_folder, key_of
from intarsia.targets.x86.code_generator import Passes
from intarsia.targets.x86.features import Features, host_features

VERSION = "1"
"""Of what this file and the code generator do with a module; code that another version made is not taken."""

KERNEL = Passes()
DEFINED = re.compile(r"^define\b(?!.*\b(?:internal|private)\b.*@).*?@([\w.$]+)\(", re.MULTILINE)


class Native:
    """A module as code in memory; the code stays for as long as this or a function made of it does.

    Attributes:
        text: the module.
        features: what it was compiled for.
        passes: how it was optimised.
    """

    def __init__(self, text: str, features: Features, passes: Passes, loaded: tuple[Any, Any]) -> None:
        self.text = text
        self.features = features
        self.passes = passes
        self._jit, self._code = loaded

    def address(self, name: str) -> int:
        """Where a function begins; valid as long as this object lives.

        Raises:
            InputError: if the processor that this runs on lacks a feature that the code may use.
            KeyError: if the module defines no such function for others.
        """
        lacking = [name for name in self.features.present if not host_features().has(name)]
        if lacking:
            raise InputError("this processor cannot run code that may use", value=", ".join(lacking))
        return int(self._code[name])

    def function(self, name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
        """A function that Python can call; it lets go of the interpreter's lock while it runs.

        Args:
            name: as the module defines it.
            result: the ctypes type of its result, None for none.
            arguments: the ctypes types of its arguments (``c_void_p`` takes an array's ``ctypes.data``).

        Raises:
            InputError: if the processor that this runs on lacks a feature that the code may use.
            KeyError: if the module defines no such function for others.
        """
        made: Any = ctypes.CFUNCTYPE(result, *arguments)(self.address(name))
        made.native = self  # the code lives as long as its last function
        return made  # type: ignore[no-any-return]  # ctypes makes the class at run time

    def asm(self) -> str:
        """The code as assembly in AT&T's syntax: made again from the text, which gives the same code each time."""
        module = code_generator.optimised(self.text, self.features, self.passes)
        return code_generator.assembly(module, self.features)


class Engine:
    """Compiles modules for one choice of features and holds what is loaded.

    Attributes:
        features: what code may use.
    """

    def __init__(
        self, features: Features | None = None, *, folder: Path | None = None, keep: bool = True, trace: Trace = QUIET
    ) -> None:
        """An engine.

        Args:
            features: what code may use; the processor's own if not given. Code for more than the processor has
                can be made and read, but not called.
            folder: where object code is kept; the user's cache folder if not given.
            keep: whether it is kept at all.
            trace: told when code cannot be kept.

        Raises:
            InputError: if this is no x86-64 processor.
        """
        self.features = features or host_features()
        self._cache = CodeCache((folder or default_folder()) if keep else None)
        self._trace = trace
        self._lock = threading.RLock()
        self._live: WeakValueDictionary[str, Native] = WeakValueDictionary()
        self._jit: Any = None
        self._loaded = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of how code was made; empty if nothing."""
        return (self._cache.problem,) if self._cache.problem else ()

    def compile(self, text: str, passes: Passes = KERNEL) -> Native:
        """A module as code; the same module gives the same object while that one lives.

        Raises:
            InputError: if the module asks for what the features lack.
            RuntimeError: if the module is not well-formed.
        """
        code_generator.refuse_what_is_missing(text, self.features)
        version = f"{VERSION} llvm {code_generator.version()}"
        key = key_of(version, self.features.cpu, str(self.features), repr(passes), text)
        with self._lock:
            native = self._live.get(key)
            if native is None:
                native = Native(text, self.features, passes, self._load(text, self._object(key, text, passes)))
                self._live[key] = native
        return native

    def _object(self, key: str, text: str, passes: Passes) -> bytes:
        known = bool(self._cache.problem)
        code = self._cache.get(key)
        if code is None:
            module = code_generator.optimised(text, self.features, passes)
            code = code_generator.object_code(module, self.features)
            self._cache.put(key, code)
        if self._cache.problem and not known:
            self._trace.note(self._cache.problem)
        return code

    def _load(self, text: str, code: bytes) -> tuple[Any, Any]:
        """The compiler that holds the code, and the code; the first must not go before the second."""
        llvm = code_generator.library()
        if self._jit is None:
            self._jit = llvm.create_lljit_compiler(code_generator.machine(self.features), use_jit_link=True)
        self._loaded += 1
        library = llvm.JITLibraryBuilder().add_object_img(code).add_current_process()
        for name in DEFINED.findall(text):
            library.export_symbol(name)
        return self._jit, library.link(self._jit, f"module{self._loaded}")
