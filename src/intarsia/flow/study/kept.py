"""Results as files: written in one schema, read in that one; older ones are migrated step by step or refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from intarsia.flow.study.result import SCHEMA, VERSION, Result
from intarsia.ground import InputError

RESULT = "result.json"
WHAT = "result"
_SCHEMA = re.compile(r"^intarsia\.result/(?P<version>[0-9]{1,9})$")

Content = dict[str, Any]
Step = Callable[[Content], Content]


def _whole_clusters(old: Content) -> Content:
    """From 1: values for each mm², watt or dollar were those of one chip; fronts were searches of smaller areas."""
    study, devices = old["study"], old["devices"]
    times = devices if study.get("objective", "") not in {"", "throughput"} else 1
    search = old["search"]

    def scaled(of: Content, *names: str) -> Content:
        return {**of, **{name: of[name] * times for name in names if of[name] is not None}}

    if search is not None:
        search = {**scaled(search, "value", "bound"), "sizes": {str(devices): search["points"]}, "front": ""}
    return {
        **old,
        "study": {**study, "front": "", "total": {}, "tolerance": 0.0},
        "search": search,
        "history": [scaled(one, "best", "bound") for one in old["history"]],
        "looked": [{**scaled(one, "value", "bound"), "devices": devices} for one in old["looked"]],
        "front": [],
    }


STEPS: Mapping[int, Step] = {1: _whole_clusters}
"""From a version to the next one."""


def result_text(result: Result) -> str:
    """The file's text; the same for equal results."""
    return msgspec.json.format(msgspec.json.encode(result), indent=1).decode() + "\n"


def read_result(
    path: Path, *, told: Callable[[str], None] = lambda _: None, steps: Mapping[int, Step] = STEPS
) -> Result:
    """The result of a file, or of a folder that has one.

    Args:
        path: ``result.json``, or its folder.
        told: is told that an older result was migrated.
        steps: from a version to the next one.

    Raises:
        InputError: the file cannot be read, is no result, is newer than this package, or too old to be migrated.
    """
    file = path / RESULT if path.is_dir() else path
    try:
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise InputError(f"cannot read the {WHAT}", where=str(file), value=error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"the {WHAT} is not JSON", where=str(file), value=str(error)) from error
    migrated = _migrated(content, str(file), told, steps)
    try:
        return msgspec.convert(migrated, Result)
    except msgspec.ValidationError as error:
        raise InputError(f"the {WHAT} is wrong", where=str(file), value=str(error)) from error


def _migrated(content: Any, where: str, told: Callable[[str], None], steps: Mapping[int, Step]) -> Content:
    schema = content.get("schema") if isinstance(content, dict) else None
    found = _SCHEMA.match(schema) if isinstance(schema, str) else None
    if found is None:
        raise InputError(f"this is no {WHAT} of a study", where=where, value=str(schema or ""), allowed=SCHEMA)
    version, named = int(found["version"]), found[0]
    if version > VERSION:
        hint = "a newer intarsia"
        raise InputError(
            f"the {WHAT} was written by a newer version", where=where, value=named, allowed=SCHEMA, hint=hint
        )
    if version < VERSION:
        told(f"{where}: {named} read as {SCHEMA}")
    for old in range(version, VERSION):
        if old not in steps:
            raise InputError(
                f"the {WHAT} was written by an older version, and cannot be read as one of this",
                where=where,
                value=named,
                allowed=SCHEMA,
                hint="intarsia study with the same file once more",
            )
        content = steps[old](content)
    return {**content, "schema": SCHEMA}
