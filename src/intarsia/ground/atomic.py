"""Files and folders that appear whole or not at all.

In comes a path that the user chose; out goes its content, or one ``InputError`` and nothing else. Whatever is written
is staged beside its destination, on the same file system, and renamed when it is complete.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from intarsia.ground.errors import InputError


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file, replacing an older one; its folders are made where they are missing.

    Raises:
        InputError: if the file cannot be written; then an older file is as it was.
    """
    data = content.encode() if isinstance(content, str) else content
    with _explained(path, "file"):
        if path.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        _nearest(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:64]}.", suffix=".partial", dir=path.parent)
        staged = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            staged.chmod(0o666 & ~_mask())
            staged.replace(path)
        finally:
            staged.unlink(missing_ok=True)


def refuse_unwritable(path: Path) -> None:
    """Refuse a path that ``write_file`` would refuse, before the work that its content takes.

    Raises:
        InputError: if the file cannot be written; nothing is made in any case.
    """
    with _explained(path, "file"):
        if path.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        with tempfile.TemporaryFile(dir=_nearest(path)):
            pass


def refuse_unwritable_folder(path: Path) -> None:
    """Refuse a path that ``folder`` would refuse, before the work that its files take.

    Raises:
        InputError: if the folder cannot be written; nothing is made in any case.
    """
    with _explained(path, "folder"), tempfile.TemporaryFile(dir=_place(path.resolve())):
        pass


@contextmanager
def folder(path: Path, *, seal: str) -> Iterator[Path]:
    """A folder to write into, which becomes ``path`` when the block ends without an exception.

    A new folder appears by one rename. An existing one keeps its other files: the old seal goes first and the new seal
    comes last, so that whoever finds the seal finds the files that belong to it. A folder in it is replaced as a whole.

    Args:
        path: where the files shall be; it and its parents need not exist.
        seal: the name of the file, written in the block, that says that the folder is whole.

    Raises:
        InputError: on entry, if ``path`` cannot be written; then nothing was made.
    """
    with _explained(path, "folder"):
        target = path.resolve()
        exists = target.is_dir()
        staged = Path(tempfile.mkdtemp(prefix=".", suffix=".partial", dir=_place(target)))
    try:
        yield staged
        with _explained(path, "folder"):
            _publish(staged, target, seal, exists=exists)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _publish(staged: Path, target: Path, seal: str, *, exists: bool) -> None:
    assert (staged / seal).is_file(), f"{seal} was not written"
    if not exists:
        staged.chmod(0o777 & ~_mask())
        target.parent.mkdir(parents=True, exist_ok=True)
        staged.replace(target)
        return
    (target / seal).unlink(missing_ok=True)
    for file in sorted(staged.iterdir(), key=lambda f: (f.name == seal, f.name)):
        old = target / file.name
        if file.is_dir() and old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        file.replace(old)


def _place(target: Path) -> Path:
    """Where a folder's files are staged: in itself, or in the nearest folder above it."""
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(None, "it is a file")
    return target if target.is_dir() else _nearest(target)


def _nearest(path: Path) -> Path:
    """The nearest folder above a path that exists."""
    nearest = next(p for p in path.absolute().parents if p.exists())
    if not nearest.is_dir():
        raise NotADirectoryError(None, f"{nearest.name} is a file")
    return nearest


def _mask() -> int:
    """The process's mask of permission bits, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


@contextmanager
def _explained(path: Path, kind: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        hint = "a path that you may write to"
        raise InputError(f"the output {kind} cannot be written ({reason})", where=repr(str(path)), hint=hint) from error
