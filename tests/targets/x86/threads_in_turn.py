"""Threads as they may behave at worst, without any: ranges are done one after the other, by whom and in which order a
seed says. What the code that shares work does is said here once more, in Python."""

import ctypes
from random import Random

from intarsia.targets.x86.threads import work as words


class InTurn:
    """A pool for those who call ``share``."""

    def __init__(self, threads, seed=0):
        self.threads = threads
        self.random = Random(seed)
        self.took_part = set()

    def share(self, work):
        """Cut the units of each phase anywhere, and give the ranges to any of its threads in any order."""
        for phase in range(word(work.address, words.PHASES)):
            self._phase(work.address + 8 * (words.HEAD + phase * words.PHASE))

    def close(self):
        self.threads = 1

    def _phase(self, at):
        pointers, count, parts, each = (word(at, w) for w in (words.KIND, words.COUNT, words.PARTS, words.EACH))
        frames, stride = word(at, words.FRAMES), word(at, words.STRIDE)
        cuts = sorted(self.random.sample(range(1, count), self.random.randint(0, min(count - 1, 5))))
        ranges = list(zip([0, *cuts], [*cuts, count], strict=True))
        self.random.shuffle(ranges)
        began = set()
        for first, last in ranges:
            thread = self.random.randrange(parts)
            frame = [word(frames + stride * thread, i) for i in range(pointers)]
            if each and thread not in began:
                call(each, frame, 0, 0)
            began.add(thread)
            call(word(at, words.CODE), frame, first, last)
        self.took_part |= began


def word(address, index):
    return ctypes.c_int64.from_address(address + 8 * index).value


def call(code, frame, first, last):
    ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * len(frame), ctypes.c_int64, ctypes.c_int64)(code)(*frame, first, last)
