"""Does a store remember answers, over processes and versions, and refuse what is none?"""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from intarsia.ground import InputError, store
from intarsia.ground.store import Store, default_store, digest


def test_an_answer_is_found_again_after_reopening(tmp_path: Path) -> None:
    question: store.Json = {"operator": "gemm", "sizes": [1, 2]}
    with Store(tmp_path / "new" / "s.sqlite") as first:
        assert first.get(question) is None
        first.put(question, {"cycles": 7})
        first.put(question, {"cycles": 8})
    with Store(tmp_path / "new" / "s.sqlite") as second:
        assert second.get({"sizes": [1, 2], "operator": "gemm"}) == {"cycles": 8}
        assert second.get({"sizes": [2, 1], "operator": "gemm"}) is None


def test_other_sources_ask_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store(tmp_path / "s.sqlite") as kept:
        kept.put("question", 1)
        monkeypatch.setattr(store, "sources", lambda: "other")
        assert kept.get("question") is None


def test_several_writers_do_not_lose_answers(tmp_path: Path) -> None:
    def write(i: int) -> None:
        with Store(tmp_path / "s.sqlite") as mine:
            mine.put(i, i * i)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(40)))
    with Store(tmp_path / "s.sqlite") as kept:
        assert [kept.get(i) for i in range(40)] == [i * i for i in range(40)]


@pytest.mark.parametrize(
    "change", ["substr(answer, 1, 80)", "answer || ' '", "replace(answer, '7', '8')", "x'ff00'", "''"]
)
def test_a_damaged_answer_is_none(tmp_path: Path, change: str) -> None:
    with Store(tmp_path / "s.sqlite") as kept:
        kept.put("question", {"cycles": 7, "plan": ["a", "b", "c"]})
    file = sqlite3.connect(tmp_path / "s.sqlite")
    with closing(file), file:
        file.execute(f"UPDATE result SET answer = {change}")
    with Store(tmp_path / "s.sqlite") as kept:
        assert kept.get("question") is None
        kept.put("question", 5)
        assert kept.get("question") == 5


def test_an_answer_under_another_question_is_none(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite") as kept:
        kept.put("question", 5)
    file = sqlite3.connect(tmp_path / "s.sqlite")
    with closing(file), file:
        file.execute("UPDATE result SET key = ?", (digest("other"),))
    with Store(tmp_path / "s.sqlite") as kept:
        assert kept.get("other") is None


def test_digests_are_of_the_value_not_of_the_order_of_its_fields() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest([1, 2]) != digest([2, 1])


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "s.sqlite"
    file.write_text("no store at all " * 100)
    with pytest.raises(InputError) as error:
        Store(file)
    assert str(error.value) == (
        f"{str(file)!r}: the store of results cannot be used (file is not a database); "
        "try: another path, or remove the file"
    )


def test_a_store_under_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with pytest.raises(InputError, match="the store of results cannot be used"):
        Store(tmp_path / "a" / "s.sqlite")


def test_the_default_is_in_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert default_store() == Path("/somewhere/intarsia/results.sqlite")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", "/home/ada")
    assert default_store() == Path("/home/ada/.cache/intarsia/results.sqlite")
