"""Tokens: the order in which instructions may run, and what each knows to be finished when it starts.

A stream comes in; an order and vector clocks go out, or the first token fault.
An instruction starts when its unit's predecessor has finished and its tokens are there; whatever is reached by
these two relations has happened before it in every execution, and nothing else has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from intarsia.ground.compiled import kept
from intarsia.targets.vta.errors import SimulationError, wrong
from intarsia.targets.vta.isa import COLUMN, Opcode, Unit
from intarsia.targets.vta.rules import units
from intarsia.targets.vta.stream import Stream

TOKEN_LIMIT: Final = 255
"""A token queue is an 8-bit counter in the RTL; it saturates silently."""

QUEUE_ENTRIES: Final = 512
"""Instructions that wait in front of a unit; fetch stops when the queue of the next instruction is full."""

QUEUES: Final = ("load to compute", "compute to load", "compute to store", "store to compute")

_POPS: Final = np.array([[-1, 1], [0, 3], [2, -1]], dtype=np.int64)
_PUSHES: Final = np.array([[-1, 0], [1, 2], [3, -1]], dtype=np.int64)
_CONSUMER: Final = np.array([Unit.COMPUTE, Unit.LOAD, Unit.STORE, Unit.COMPUTE], dtype=np.int64)
_FLAG_COLUMNS: Final = [COLUMN[name] for name in ("pop_prev", "pop_next", "push_prev", "push_next")]

_RAN, _OVERFLOW, _DEADLOCK = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Order:
    """A legal execution.

    Attributes:
        unit: the unit of each instruction, int8 [instructions].
        sequence: the instructions in the order of this execution, int64 [instructions].
        clock: int64 [instructions, 3]; for each unit the last instruction that is finished in every
            execution when this one starts, -1 if none.
    """

    unit: NDArray[np.int8]
    sequence: NDArray[np.int64]
    clock: NDArray[np.int64]


def order_of(stream: Stream) -> Order:
    """The execution that always runs the earliest instruction that can start.

    Raises:
        SimulationError: deadlock, more than 255 tokens in a queue, tokens left behind, or a FINISH that does not
            wait for every STORE.
    """
    unit = units(stream)
    flags = np.ascontiguousarray(stream.table[:, _FLAG_COLUMNS]).astype(np.uint8)
    lists = np.argsort(unit, kind="stable")
    ends = np.cumsum(np.bincount(unit, minlength=len(Unit)))
    sequence = np.empty(len(stream), dtype=np.int64)
    clock = np.full((len(stream), len(Unit)), -1, dtype=np.int64)
    fault, where, queue, positions, held = _run(unit, flags, lists, ends, sequence, clock)
    if fault == _OVERFLOW:
        raise wrong(
            stream, where, f"the queue from {QUEUES[queue]} may hold more than {TOKEN_LIMIT} tokens and lose one"
        )
    if fault == _DEADLOCK:
        raise _deadlock(stream, unit, lists[positions[positions < ends]], held, where)
    left = [f"{held[index]} from {name}" for index, name in enumerate(QUEUES) if held[index]]
    if left:
        raise wrong(stream, len(stream) - 1, "tokens are left behind", ", ".join(left))
    _check_finish(stream, clock)
    return Order(unit, sequence, clock)


def _check_finish(stream: Stream, clock: NDArray[np.int64]) -> None:
    moves = (stream.column("opcode") == Opcode.STORE) & (stream.column("x_size") > 0)
    stores = np.flatnonzero(moves)
    if len(stores) and stores[-1] > clock[-1, Unit.STORE]:
        late = stores[np.searchsorted(stores, clock[-1, Unit.STORE], side="right")]
        raise wrong(stream, len(stream) - 1, "FINISH does not wait for the STORE", f"instruction {late}")


def _deadlock(
    stream: Stream, unit: NDArray[np.int8], waiting: NDArray[np.int64], held: NDArray[np.int64], fetched: int
) -> SimulationError:
    lines = []
    for index in waiting.tolist():
        flags = stream.table[index, _FLAG_COLUMNS]
        wanted = [
            QUEUES[queue]
            for queue, flag in zip(_POPS[unit[index]].tolist(), flags[:2].tolist(), strict=True)
            if flag and not held[queue]
        ]
        cause = f"a token from {' and from '.join(wanted)}"
        if index >= fetched:
            cause = f"fetch, which stops at instruction {fetched} before a full queue"
        lines.append(f"{Unit(unit[index]).name.lower()} waits at instruction {index} for {cause}")
    return wrong(stream, int(waiting.min()), "deadlock", "; ".join(lines))


@kept
def _run(unit: Any, flags: Any, lists: Any, ends: Any, sequence: Any, clock: Any) -> Any:
    """Fills ``sequence`` and ``clock``; returns fault, instruction, queue, positions in ``lists``, tokens held."""
    count = len(unit)
    positions = np.array([0, ends[0], ends[1]])
    dispatched = np.zeros(3, dtype=np.int64)
    done = np.zeros(3, dtype=np.int64)
    pushers = np.empty((4, count), dtype=np.int64)
    pushed = np.zeros(4, dtype=np.int64)
    popped = np.zeros(4, dtype=np.int64)
    popped_after = np.zeros((count, 2), dtype=np.int32)
    fetched = 0
    for step in range(count):
        while fetched < count and dispatched[unit[fetched]] - done[unit[fetched]] < QUEUE_ENTRIES:
            dispatched[unit[fetched]] += 1
            fetched += 1
        best = fetched
        for u in range(3):
            if positions[u] == ends[u]:
                continue
            index = lists[positions[u]]
            if index >= best:
                continue
            ready = True
            for side in range(2):
                queue = _POPS[u, side]
                if flags[index, side] and pushed[queue] == popped[queue]:
                    ready = False
            if ready:
                best = index
        if best == fetched:
            return _DEADLOCK, fetched, -1, positions, pushed - popped
        u = unit[best]
        if positions[u] > 0 and unit[lists[positions[u] - 1]] == u:
            before = lists[positions[u] - 1]
            clock[best] = clock[before]
            clock[best, u] = before
        for side in range(2):
            if flags[best, side]:
                queue = _POPS[u, side]
                giver = pushers[queue, popped[queue]]
                popped[queue] += 1
                for other in range(3):
                    clock[best, other] = max(clock[best, other], clock[giver, other])
                clock[best, unit[giver]] = max(clock[best, unit[giver]], giver)
        for side in range(2):
            if _POPS[u, side] >= 0:
                popped_after[best, side] = popped[_POPS[u, side]]
        for side in range(2):
            if flags[best, 2 + side]:
                queue = _PUSHES[u, side]
                pushers[queue, pushed[queue]] = best
                pushed[queue] += 1
                taker = clock[best, _CONSUMER[queue]]
                # The taker pops from its previous neighbour if it stands after the giver, else from its next.
                taken = 0 if taker < 0 else popped_after[taker, 0 if _CONSUMER[queue] > u else 1]
                if pushed[queue] - taken > TOKEN_LIMIT:
                    return _OVERFLOW, best, queue, positions, pushed - popped
        positions[u] += 1
        done[u] += 1
        sequence[step] = best
    return _RAN, -1, -1, positions, pushed - popped
