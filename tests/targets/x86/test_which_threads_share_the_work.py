"""Threads share every unit of a work once, in the order of its phases, and end with their pools or the process."""

import ctypes
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import int8_functions as f
import numpy as np
import pytest

import intarsia
from intarsia.ground import InputError
from intarsia.targets.x86 import Engine
from intarsia.targets.x86.threads import Phase, Pool, Work
from intarsia.targets.x86.threads.layout import AWAKE, NUMBER, STATE, TAKEN, THREAD, THREADS

pytestmark = pytest.mark.skipif(not f.NATIVE, reason=f.REASON)

MARKS = """declare i64 @llvm.readcyclecounter()
define void @mark(ptr %marks, ptr %own, i64 %first, i64 %last) nounwind {
start:
  br label %unit
unit:
  %i = phi i64 [%first, %start], [%next, %done]
  %mark = getelementptr i64, ptr %marks, i64 %i
  %before = atomicrmw add ptr %mark, i64 1 monotonic
  %had = load i64, ptr %own
  %more = add i64 %had, 1
  store i64 %more, ptr %own
  %wait.at = getelementptr i64, ptr %own, i64 1
  %wait = load i64, ptr %wait.at
  %now = call i64 @llvm.readcyclecounter()
  %until = add i64 %now, %wait
  br label %busy
busy:
  %later = call i64 @llvm.readcyclecounter()
  %still = icmp ult i64 %later, %until
  br i1 %still, label %busy, label %done
done:
  %next = add i64 %i, 1
  %on = icmp ult i64 %next, %last
  br i1 %on, label %unit, label %end
end:
  ret void
}
define void @begin(ptr %marks, ptr %own, i64 %first, i64 %last) nounwind {
  %begun.at = getelementptr i64, ptr %own, i64 2
  %begun = load i64, ptr %begun.at
  %more = add i64 %begun, 1
  store i64 %more, ptr %begun.at
  %units = load i64, ptr %own
  %late = icmp ne i64 %units, 0
  %wrong = zext i1 %late to i64
  %wrong.at = getelementptr i64, ptr %own, i64 3
  store i64 %wrong, ptr %wrong.at
  ret void
}
define void @check(ptr %marks, ptr %own, i64 %first, i64 %last) nounwind {
start:
  %count.at = getelementptr i64, ptr %own, i64 4
  %count = load i64, ptr %count.at
  br label %unit
unit:
  %i = phi i64 [0, %start], [%next, %unit]
  %all = phi i64 [0, %start], [%sum, %unit]
  %mark = getelementptr i64, ptr %marks, i64 %i
  %one = load atomic i64, ptr %mark monotonic, align 8
  %sum = add i64 %all, %one
  %next = add i64 %i, 1
  %on = icmp ult i64 %next, %count
  br i1 %on, label %unit, label %end
end:
  %early = icmp ne i64 %sum, %count
  %wrong = zext i1 %early to i64
  %wrong.at = getelementptr i64, ptr %own, i64 3
  %had = load i64, ptr %wrong.at
  %now = or i64 %had, %wrong
  store i64 %now, ptr %wrong.at
  ret void
}
"""
"""``mark`` counts each unit of its range, and how many units its thread has done, each for some ticks; ``begin`` counts
how often it was called, and whether units were done before; ``check`` sees whether all units are done."""
UPWARD = 0x800
"""To C's library: round up."""
UNITS, TICKS, BEGUN, WRONG, COUNT = range(5)
"""Words of a thread."""


class Counted:
    """A work that counts."""

    def __init__(self, count, parts, *, threads=None, ticks=0, phases=1, each=False, cycles=1 << 40):
        self.native = Engine().compile(MARKS)
        self.marks = np.zeros(count, np.int64)
        self.own = np.zeros((threads or parts, 16), np.int64)
        self.own[:, TICKS] = ticks
        begin = self.native.address("begin") if each else 0
        made = [Phase(self.native.address("mark"), count, parts, begin) for _ in range(phases)]
        frames = [(self.marks.ctypes.data, row.ctypes.data) for row in self.own]
        self.work = Work(made, frames[:parts], cycles=cycles)

    def clear(self):
        self.marks[:] = 0
        self.own[:, [UNITS, BEGUN, WRONG]] = 0

    def share(self, pool):
        """Which threads took part; every unit was done once."""
        self.clear()
        pool.share(self.work)
        assert (self.marks == 1).all()
        assert self.own[:, UNITS].sum() == len(self.marks)
        return {int(i) for i in np.flatnonzero(self.own[:, UNITS])}

    def share_until(self, pool, threads):
        """Shares until all of some threads took part in one run."""
        deadline = time.monotonic() + 30
        while self.share(pool) != threads:
            assert time.monotonic() < deadline, "some thread never takes part"


@pytest.fixture
def pool():
    made = Pool(3, Engine())
    yield made
    made.close()


def helpers():
    gc.collect()
    return [thread for thread in threading.enumerate() if thread.name == "intarsia"]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64, 1000])
def test_every_unit_is_done_once(pool, count):
    for parts in {1, min(2, count), min(3, count)}:
        work = Counted(count, parts)
        for _ in range(200):
            assert work.share(pool) <= set(range(parts))


def test_all_threads_take_part_in_what_takes_long(pool):
    Counted(60, 3, ticks=100_000).share_until(pool, {0, 1, 2})


def test_no_more_threads_take_part_than_are_wanted(pool):
    Counted(60, 3, ticks=100_000).share_until(pool, {0, 1, 2})
    work = Counted(60, 2, threads=3, ticks=100_000)
    for _ in range(20):
        assert 2 not in work.share(pool)
    work.share_until(pool, {0, 1})


def test_each_thread_begins_once_before_its_first_unit(pool):
    work = Counted(60, 3, ticks=50_000, each=True)
    for _ in range(50):
        took_part = work.share(pool)
        assert {int(i) for i in np.flatnonzero(work.own[:, BEGUN])} == took_part
        assert work.own[:, BEGUN].max() == 1
        assert not work.own[:, WRONG].any()


def test_a_phase_begins_when_the_one_before_has_ended(pool):
    native = Engine().compile(MARKS)
    marks, own = np.zeros(30, np.int64), np.zeros((3, 16), np.int64)
    own[:, TICKS], own[:, COUNT] = 20_000, len(marks)
    first, all_look, one_looks = (
        Phase(native.address(name), 30, parts) for name, parts in (("mark", 3), ("check", 3), ("check", 1))
    )
    frames = [(marks.ctypes.data, row.ctypes.data) for row in own]
    for phases in ([first, all_look], [first, one_looks]):
        work = Work(phases, frames)
        for _ in range(100):
            marks[:] = 0
            pool.share(work)
            assert (marks == 1).all()
            assert not own[:, WRONG].any()
    marks[:] = 0
    pool.share(Work([first] * 7, frames))
    assert (marks == 7).all()
    pool.share(Work([all_look], frames))
    assert own[:, WRONG].any()  # it would be seen


def test_nothing_is_taken_for_done_when_numbers_begin_again(pool):
    """What was written under a number four milliards of phases ago means nothing under the same number now."""
    few, many = Counted(60, 2, threads=3), Counted(60, 3)
    many.share(pool)
    team = pool.borrow()
    state = ctypes.c_uint64.from_address(team.place + STATE)
    taken = ctypes.c_uint64.from_address(team.place + THREADS + 2 * THREAD + TAKEN)
    state.value = (state.value % NUMBER) + (NUMBER - 3) * NUMBER
    taken.value = 5 * NUMBER + 7  # seven units of the third part were taken in a fifth phase
    pool.give_back(team)
    while state.value // NUMBER != 4:
        few.share(pool)
    many.share(pool)
    assert state.value // NUMBER == 5


def test_who_sleeps_is_woken_for_long_work_and_for_much_short_work(pool):
    long, short = Counted(60, 3, ticks=200_000), Counted(60, 3, ticks=200_000, cycles=1)
    long.share_until(pool, {0, 1, 2})
    time.sleep(0.2)  # all sleep: AWAKE is milliseconds
    assert AWAKE < 1 << 28
    assert short.share(pool) == {0}
    time.sleep(0.2)
    long.share(pool)
    long.share_until(pool, {0, 1, 2})
    time.sleep(0.2)
    often = Counted(60, 3, cycles=1 << 14)
    deadline = time.monotonic() + 30
    while often.share(pool) == {0}:  # one after the other, they are worth it
        assert time.monotonic() < deadline


def test_the_caller_does_all_where_threads_have_ended(pool):
    work = Counted(60, 3, ticks=20_000)
    work.share_until(pool, {0, 1, 2})
    pool.close()
    pool.close()
    assert pool.threads == 1
    assert work.share(pool) == {0}


def test_pools_of_one_size_have_the_same_threads_until_the_last_one_goes():
    before = len(helpers())
    pools = [Pool(4, Engine()) for _ in range(3)]
    assert len(helpers()) == before  # none is needed yet
    for pool in pools:
        Counted(8, 4).share(pool)
    assert len(helpers()) == before + 3
    pools[0].close()
    del pool, pools[1]
    assert len(helpers()) == before + 3
    pools.clear()
    assert len(helpers()) == before


def test_several_callers_do_not_wait_for_each_other(pool):
    def calls(seed):
        work = Counted(1 + seed % 50, min(3, 1 + seed % 50), ticks=1000)
        return all(work.share(pool) for _ in range(300))

    with ThreadPoolExecutor(5) as callers:
        assert all(callers.map(calls, range(40, 60)))


def test_a_forked_process_starts_threads_of_its_own(pool):
    work = Counted(60, 3, ticks=50_000)
    work.share_until(pool, {0, 1, 2})
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        work.share_until(pool, {0, 1, 2})
        pool.close()
        gc.collect()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    work.share_until(pool, {0, 1, 2})


def test_an_interruption_comes_when_the_work_is_done(pool):
    work = Counted(60, 3, ticks=20_000_000)
    timer = threading.Timer(0.02, lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT))

    def again():
        timer.start()
        while True:
            work.share(pool)

    with pytest.raises(KeyboardInterrupt):
        again()
    timer.join()
    Counted(60, 3, ticks=50_000).share_until(pool, {0, 1, 2})


def test_a_system_without_threads_is_told(monkeypatch):
    left = [threading.Thread.start]

    def start(thread):
        if not left:
            raise RuntimeError("can't start new thread")
        left.pop()(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    pool, before = Pool(5, Engine()), len(helpers())
    with pytest.raises(InputError, match="can't start new thread: 5; try: fewer of them"):
        pool.share(Counted(9, 5).work)
    assert len(helpers()) == before


def test_floats_are_rounded_as_the_caller_rounds():
    """Whichever thread does the sum."""
    random = np.random.default_rng(0)
    text = (
        "p: m<96 n<64 ; k<96\n  Y:float32[96, 64] X:float32[96, 96] W:float32[96, 64] const\n"
        "  Y[m, n] += X[m, k] * W[k, n]"
    )
    x, w = random.random((96, 96), np.float32), random.random((96, 64), np.float32)
    alone, shared = (intarsia.compile(text, constants={"W": w}, threads=threads) for threads in (1, 2))
    for _ in range(200):
        near = shared(x)  # helpers are there, and round to nearest
    libm = ctypes.CDLL("libm.so.6")
    before = libm.fegetround()
    try:
        assert libm.fesetround(UPWARD) == 0
        upward = alone(x)
        assert (upward != near).any()
        found = [shared(x) for _ in range(500)]
    finally:
        libm.fesetround(before)
    assert all(np.array_equal(one, upward) for one in found)
    assert np.array_equal(shared(x), near)


ENDING = """
import atexit, os, threading, time
def last():
    print(product(x).min(), flush=True)
    if DAEMONS:
        time.sleep(0.05)
        os._exit(0)
atexit.register(last)
import numpy as np
import intarsia
text = '''product: m<256 n<256 ; k<256
  Y:int32[256, 256] X:uint8[256, 256] W:int8[256, 256] const
  Y[m, n] += X[m, k] * W[k, n]'''
x, w = np.ones((256, 256), np.uint8), np.ones((256, 256), np.int8)
product = intarsia.compile(text, constants={"W": w}, threads=3)
def forever():
    while True:
        product(x)
def some():
    for _ in range(300):
        assert (product(x) == 256).all()
threads = [threading.Thread(target=forever, daemon=True) for _ in range(DAEMONS)]
for thread in threads:
    thread.start()
some()
print("done")
"""
"""Who is registered first is called last, after the threads were ended. Where others still call then, the interpreter
is left out of it: CPython up to 3.13 itself may crash when it ends beside daemon threads (its issue 110052)."""


@pytest.mark.parametrize("daemons", [0, 2])
def test_a_process_ends_while_threads_wait_or_work(daemons):
    command = [sys.executable, "-c", ENDING.replace("DAEMONS", str(daemons))]
    for freed in ("0", "7", "255"):  # what C's library writes into memory that is given back
        environment = {**os.environ, "MALLOC_PERTURB_": freed}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "done\n256\n", "")


def test_words_lie_where_the_code_reads_them():
    work = Work([Phase(7, 5, 2, 9)], [(1, 2), (3, 4)], cycles=11)
    work.put(1, 6)
    frames = np.ctypeslib.as_array(ctypes.cast(work.frames, ctypes.POINTER(ctypes.c_int64)), (4,))
    words = np.ctypeslib.as_array(ctypes.cast(work.address, ctypes.POINTER(ctypes.c_int64)), (10,))
    assert frames.tolist() == [1, 6, 3, 6]
    assert words.tolist() == [1, 2, 11, 2, 7, 9, 2, 5, 16, work.frames]
