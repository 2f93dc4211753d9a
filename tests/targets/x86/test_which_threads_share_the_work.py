"""Threads of a pool share the work until they are ended; a process that was forked has threads of its own."""

import os
import signal
import threading

from intarsia.targets.x86.callable.pool import Pool


def parts_of(pool, count):
    """The parts that were done, and how many threads did them."""
    done, met = [], threading.Barrier(min(count, pool.threads))

    def part(i):
        met.wait(20)
        done.append((i, threading.get_ident()))

    pool.each(part, count)
    return sorted(i for i, _ in done), len({ident for _, ident in done})


def test_each_part_has_a_thread():
    pool = Pool(3)
    assert parts_of(pool, 3) == ([0, 1, 2], 3)
    pool.close()


def test_the_caller_does_all_where_threads_have_ended():
    pool, done = Pool(3), []
    pool.close()
    pool.close()
    pool.each(done.append, 3)
    assert done == [0, 1, 2]


def test_a_forked_process_starts_threads_of_its_own():
    pool = Pool(2)
    assert parts_of(pool, 2) == ([0, 1], 2)
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        right = parts_of(pool, 2) == ([0, 1], 2)
        pool.close()
        os._exit(0 if right else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert parts_of(pool, 2) == ([0, 1], 2)
    pool.close()
