"""Any number of random cases, on several processes, resumable: ``python tests/fuzz/run.py --examples 10000 --seed 1``.

A case is named ``PROPERTY:SEED:NUMBER`` and depends on nothing else; a failure prints the command that repeats it.
With ``--state FILE`` a run that was stopped goes on where it was. Exit code 1 if a case failed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from random import Random

from fuzz_cases import PROPERTIES, Finding, tally

BATCH = 25
"""Cases that a process runs before it reports."""


def main(arguments: list[str] | None = None) -> int:
    """Run what the arguments say; 0 if no case failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--property", choices=(*PROPERTIES, "all"), default="all")
    parser.add_argument("--examples", type=int, default=10_000, help="cases of each property")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--state", type=Path, help="a file that keeps what was done")
    parser.add_argument("--case", help="one case, PROPERTY:SEED:NUMBER, with its traceback")
    chosen = parser.parse_args(arguments)
    if chosen.case:
        print(one(chosen.case))
        return 0
    names = tuple(PROPERTIES) if chosen.property == "all" else (chosen.property,)
    state = _read(chosen.state)
    started = time.monotonic()
    failed = 0
    wanted = [f"{name}:{chosen.seed}:{i}" for i in range(chosen.examples) for name in names]
    done = state.get(_key(names, chosen.seed), 0)
    findings: list[Finding] = []
    for cases, found in _run(wanted[done:], chosen.processes):
        done += len(cases)
        for case, result in zip(cases, found, strict=True):
            if isinstance(result, Finding):
                findings.append(result)
                continue
            failed += 1
            print(f"FAILED {case}: {result}\n  repeat: python tests/fuzz/run.py --case {case}", flush=True)
        _write(chosen.state, state | {_key(names, chosen.seed): done})
        if sys.stderr.isatty() or done == len(wanted):
            print(f"{done} of {len(wanted)}, {failed} failed, {time.monotonic() - started:.0f} s", file=sys.stderr)
    print(f"seed {chosen.seed}: {done} of {len(wanted)} cases, {failed} failed: {tally(findings)}")
    return int(failed > 0)


def one(case: str) -> Finding:
    """Run one case; what goes wrong is raised."""
    name, seed, number = case.split(":")
    return PROPERTIES[name](Random(f"{seed}/{number}"))


def batch(cases: list[str]) -> list[Finding | str]:
    """The findings of some cases, a text for each that failed."""
    return [_caught(case) for case in cases]


def _caught(case: str) -> Finding | str:
    try:
        return one(case)
    except Exception as error:  # noqa: BLE001 (a case that fails in any way is a finding)
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"


def _run(cases: Iterable[str], processes: int) -> Iterator[tuple[list[str], list[Finding | str]]]:
    """Batches in their order, so that a count says what was done."""
    rest = iter(cases)
    batches = list(iter(lambda: list(islice(rest, BATCH)), []))
    if processes <= 1:
        for cases_ in batches:
            yield cases_, batch(cases_)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from zip(batches, pool.map(batch, batches), strict=True)


def _key(names: tuple[str, ...], seed: int) -> str:
    return f"{'+'.join(names)}:{seed}"


def _read(path: Path | None) -> dict[str, int]:
    return json.loads(path.read_text(encoding="utf-8")) if path is not None and path.exists() else {}


def _write(path: Path | None, state: dict[str, int]) -> None:
    if path is None:
        return
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(state), encoding="utf-8")
    temporary.replace(path)


if __name__ == "__main__":
    sys.exit(main())
