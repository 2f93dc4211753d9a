"""The event loop of ``timing``, compiled: fetch, three units, four token queues and one read port.

Costs of the instructions come in; start and finish of each go out. Events are taken in the order of their times:
of the four (the next instruction of each unit, the next chunk of fetch) the earliest that is known. One that is
not known yet waits for something that has not started, so it cannot be earlier.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intarsia.ground.compiled import compiled, kept

CHUNK: Final = 128
QUEUE_ENTRIES: Final = 512
TOKEN: Final = 1
NEVER: Final = 1 << 62

_POPS: Final = np.array([[-1, 1], [0, 3], [2, -1]], dtype=np.int64)
_PUSHES: Final = np.array([[-1, 0], [1, 2], [3, -1]], dtype=np.int64)
_FETCH: Final = 3
_BUSY, _PORT, _TOKENS, _QUEUE = range(4)


class _Clocks(NamedTuple):
    """What changes during a run."""

    members: NDArray[np.int64]  # [unit, instructions]: those of each unit, as they are dispatched
    arrival: NDArray[np.int64]  # [instructions]: cycle of dispatch
    tokens: NDArray[np.int64]  # [queue, instructions]: cycle from which each token can be taken
    given: NDArray[np.int64]  # [queue]
    taken: NDArray[np.int64]  # [queue]
    dispatched: NDArray[np.int64]  # [unit]
    done: NDArray[np.int64]  # [unit]
    free: NDArray[np.int64]  # [unit or fetch]: when its last was done
    spent: NDArray[np.int64]  # [unit or fetch, cause]
    port: NDArray[np.int64]  # when the read port is free; cycles of it in use
    fetched: NDArray[np.int64]  # instructions handed out, instructions read


def run(
    unit: NDArray[np.int8],
    flags: NDArray[np.uint8],
    costs: NDArray[np.int64],
    chunk: NDArray[np.int64],
    times: NDArray[np.int64],
    chunks: NDArray[np.int64],
) -> tuple[NDArray[np.int64], int, int]:
    """Times a program.

    Args:
        unit: of each instruction.
        flags: [instructions, 4]: pop_prev, pop_next, push_prev, push_next.
        costs: [3, instructions]: cycles alone, beats of the port, cycles that hide behind a wait for the port.
        chunk: [CHUNK + 1]: cycles to read so many instructions.
        times: filled, [2, instructions]: start and finish.
        chunks: filled, [chunks, 3]: asked for, read, handed out.

    Returns:
        Cycles [unit or fetch, cause], cycles of the port in use, and how many instructions have run.
    """
    count = len(unit)
    queues, three, four = (np.zeros(4, dtype=np.int64), np.zeros(3, dtype=np.int64), np.zeros(4, dtype=np.int64))
    state = _Clocks(
        members=np.empty((3, count), dtype=np.int64),
        arrival=np.empty(count, dtype=np.int64),
        tokens=np.empty((4, count), dtype=np.int64),
        given=queues,
        taken=queues.copy(),
        dispatched=three,
        done=three.copy(),
        free=four,
        spent=np.zeros((4, 4), dtype=np.int64),
        port=np.zeros(2, dtype=np.int64),
        fetched=np.zeros(2, dtype=np.int64),
    )
    ran = _loop(state, unit, flags, costs, chunk, times, chunks)
    return state.spent, int(state.port[1]), int(ran)


@kept
def _loop(state: Any, unit: Any, flags: Any, costs: Any, chunk: Any, times: Any, chunks: Any) -> Any:
    ran = 0
    while True:
        _dispatch(state, unit, times, chunks)
        best, when = _earliest(state, flags, len(unit))
        if best < 0:
            return ran
        if best == _FETCH:
            _read(state, when, chunk, len(unit), chunks)
        else:
            _start(state, best, when, flags, costs, times)
            ran += 1


@compiled
def _dispatch(state: Any, unit: Any, times: Any, chunks: Any) -> None:
    """Hands out what has been read, one a cycle, as far as it is known when the queues have places."""
    while state.fetched[0] < state.fetched[1]:
        index = state.fetched[0]
        u = unit[index]
        place = state.free[_FETCH]
        ahead = state.dispatched[u] - QUEUE_ENTRIES
        if ahead >= 0:
            if state.done[u] <= ahead:
                return
            place = max(place, times[1, state.members[u, ahead]])
        state.spent[_FETCH, _QUEUE] += place - state.free[_FETCH]
        state.spent[_FETCH, _BUSY] += 1
        state.free[_FETCH] = place + 1
        state.arrival[index] = place + 1
        state.members[u, state.dispatched[u]] = index
        state.dispatched[u] += 1
        state.fetched[0] += 1
        chunks[index // CHUNK, 2] = place + 1


@compiled
def _earliest(state: Any, flags: Any, count: int) -> Any:
    """The unit, or fetch, whose next event is the earliest, and its cycle; -1 if none is known."""
    best, when = -1, NEVER
    if state.fetched[0] == state.fetched[1] < count:
        best, when = _FETCH, state.free[_FETCH]
    for u in range(3):
        if state.done[u] == state.dispatched[u]:
            continue
        index = state.members[u, state.done[u]]
        ready = max(state.free[u], state.arrival[index])
        for side in range(2):
            if flags[index, side]:
                queue = _POPS[u, side]
                token = state.taken[queue]
                ready = max(ready, state.tokens[queue, token] if token < state.given[queue] else NEVER)
        if ready < when:
            best, when = u, ready
    return best, when


@compiled
def _read(state: Any, when: Any, chunk: Any, count: int, chunks: Any) -> None:
    """Reads the next chunk of instructions through the port."""
    first = state.fetched[1]
    size = min(CHUNK, count - first)
    latency, beats = chunk[0] - 1, chunk[size] - chunk[0]
    wait = max(0, state.port[0] - when - latency)
    state.port[0] = when + wait + latency + beats
    state.port[1] += beats
    state.free[_FETCH] = when + wait + chunk[size]
    state.spent[_FETCH, _PORT] += wait
    state.spent[_FETCH, _BUSY] += chunk[size]
    state.fetched[1] += size
    chunks[first // CHUNK, 0] = when
    chunks[first // CHUNK, 1] = state.free[_FETCH]


@compiled
def _start(state: Any, u: int, when: Any, flags: Any, costs: Any, times: Any) -> None:
    """Runs the next instruction of a unit from ``when`` on."""
    index = state.members[u, state.done[u]]
    cycles, beats, hidden = costs[0, index], costs[1, index], costs[2, index]
    queued = max(0, state.arrival[index] - state.free[u])
    state.spent[u, _QUEUE] += queued
    state.spent[u, _TOKENS] += when - state.free[u] - queued
    wait = 0
    if beats > 0:
        latency = cycles - hidden - beats - 1
        wait = max(0, state.port[0] - when - latency)
        state.port[0] = when + latency + wait + beats
        state.port[1] += beats
        wait = max(0, wait - hidden)
    finish = when + wait + cycles
    times[0, index], times[1, index], state.free[u] = when, finish, finish
    state.spent[u, _PORT] += wait
    state.spent[u, _BUSY] += cycles
    state.done[u] += 1
    for side in range(2):
        if flags[index, side]:
            state.taken[_POPS[u, side]] += 1
        if flags[index, 2 + side]:
            queue = _PUSHES[u, side]
            state.tokens[queue, state.given[queue]] = finish + TOKEN
            state.given[queue] += 1
