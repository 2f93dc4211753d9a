"""Are files and folders written whole or not at all?"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from intarsia.ground import InputError, folder, write_file


def names(path: Path) -> list[str]:
    return sorted(str(p.relative_to(path)) for p in path.rglob("*"))


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    file = tmp_path / "new" / "a.txt"
    write_file(file, "one")
    write_file(file, b"two")
    assert file.read_bytes() == b"two"
    assert names(tmp_path) == ["new", "new/a.txt"]


def test_a_file_has_the_usual_permissions(tmp_path: Path) -> None:
    write_file(tmp_path / "a", "x")
    (tmp_path / "b").write_text("x")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_a_file_under_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    where = tmp_path / "a" / "b"
    with pytest.raises(InputError) as error:
        write_file(where, "y")
    assert str(error.value) == (
        f"{str(where)!r}: the output file cannot be written (a is a file); try: a path that you may write to"
    )


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the output file cannot be written"):
        write_file(tmp_path, "y")
    assert names(tmp_path) == []


def test_a_new_folder_appears_whole_with_its_parents(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b"
    with folder(target, seal="seal") as staged:
        (staged / "data").write_text("d")
        (staged / "seal").write_text("s")
        assert not target.exists()
    assert names(tmp_path) == ["a", "a/b", "a/b/data", "a/b/seal"]
    assert target.stat().st_mode & 0o777 == 0o777 & ~current_mask()


def current_mask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def test_after_a_failure_nothing_is_left(tmp_path: Path) -> None:
    def fail() -> None:
        with folder(tmp_path / "a" / "b", seal="seal") as staged:
            (staged / "data").write_text("d")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert names(tmp_path) == []


def test_an_existing_folder_keeps_its_other_files(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("m")
    (tmp_path / "data").write_text("old")
    (tmp_path / "seal").write_text("old")
    with folder(tmp_path, seal="seal") as staged:
        (staged / "data").write_text("new")
        (staged / "seal").write_text("new")
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"mine": "m", "data": "new", "seal": "new"}


def test_a_failure_leaves_an_existing_folder_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "seal").write_text("old")

    def fail() -> None:
        with folder(tmp_path, seal="seal") as staged:
            (staged / "seal").write_text("new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"seal": "old"}


@pytest.mark.parametrize("below", [".", "b", "b/c"])
def test_a_folder_at_or_under_a_file_is_refused_before_the_work(tmp_path: Path, below: str) -> None:
    (tmp_path / "a").write_text("x")
    target = tmp_path / "a" / below
    with pytest.raises(InputError) as error, folder(target, seal="seal"):
        pytest.fail("the block ran")
    assert str(error.value).startswith(f"{str(target)!r}: the output folder cannot be written (")
    assert str(error.value).endswith("; try: a path that you may write to")
    assert names(tmp_path) == ["a"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="Permission denied"), folder(tmp_path / "a", seal="seal"):
        pytest.fail("the block ran")


def test_a_path_that_no_file_can_have_is_refused() -> None:
    with pytest.raises(InputError, match="null"), folder(Path("a\0b"), seal="seal"):
        pytest.fail("the block ran")
