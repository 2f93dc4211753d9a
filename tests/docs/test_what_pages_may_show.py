"""Are pages read as they are meant: what is run, what is compared, and what is refused?"""

from __future__ import annotations

import pytest
from pages import Change, Command, File, Python, same, steps

PAGE = """
Write `a.txt`:

```text file=a.txt
1
```

```console
$ cat a.txt
1
$ false
[exit 1]
```

```python
print(2)
```
```output
2
```

```text example
never run
```
"""


def test_a_page_is_read() -> None:
    assert steps(PAGE) == [
        File(4, "a.txt", "1\n"),
        Command(9, "cat a.txt", "1", 0),
        Command(11, "false", "", 1),
        Python(15, "print(2)\n", "2\n"),
    ]


UNCLEAR = {
    "not said": "```text\nx\n```",
    "no command": "```console\nx\n```",
    "empty": "```console\n```",
    "an output of nothing": "```output\nx\n```",
    "an output of something else": "```python\n1\n```\nbetween\n```output\n1\n```",
}


@pytest.mark.parametrize("block", UNCLEAR.values(), ids=UNCLEAR.keys())
def test_a_block_that_would_not_be_run_is_refused(block: str) -> None:
    with pytest.raises(ValueError, match=r"^line [0-9]+: "):
        steps(block + "\n")


def test_a_change_is_read() -> None:
    page = "```diff\n--- a/x.py\n+++ b/x.py\n@@ here\n one\n-two\n+three\n@@ there\n+four\n five\n```\n"
    assert steps(page) == [
        Change(1, "x.py", "one\ntwo\n", "one\nthree\n"),
        Change(1, "x.py", "five\n", "four\nfive\n"),
    ]


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("", "anything"),
        ("a\nb", "a  \nb\n"),
        ("a ... c", "a b c"),
        ("a\n...\nd", "a\nb\nc\nd"),
        ("a\n...\nd", "a\nd"),
        ("...\nd", "a\nd"),
        ("a (1+1)", "a (1+1)"),
    ],
)
def test_the_same(shown: str, printed: str) -> None:
    assert same(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [("a", ""), ("a", "a\nb"), ("a ... c", "a b\nc"), ("a\n...\nd", "a\nb"), ("a.b", "acb"), ("a\n...", "b\na")],
)
def test_not_the_same(shown: str, printed: str) -> None:
    assert not same(shown, printed)
