"""Processes on this computer that end with their block, and never outlive the process that started them."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext

from kitchen.interrupts import owned

# A pool whose processes are dead waits for whoever still sends them something, and that waits for them to read it: until
# Python 3.11.5, which closes the pipe (gh-94777). Debian 12 has 3.11.2.
HAS_DEAD_PIPE = sys.version_info < (3, 11, 5)
FEEDING_SECONDS = 1.0  # after which it does wait


@contextmanager
def crew(number: int) -> Iterator[tuple[ProcessPoolExecutor, list]]:
    """A pool of so many processes and the list of them. All end with the block, and at once when it ends by an error."""
    context = _Spawn()
    pool = ProcessPoolExecutor(number, mp_context=context, initializer=_arrive)

    def kill():
        for process in context.started:
            if process.pid:
                process.kill()
        unblock()

    def unblock():
        feeder = pool._call_queue._thread if HAS_DEAD_PIPE else None
        if feeder is not None:
            feeder.join(FEEDING_SECONDS)
            if feeder.is_alive():
                pool._call_queue._reader.close()

    with owned(pool, kill):
        yield pool, context.started
        if pool._broken:
            unblock()


class _Spawn(SpawnContext):
    """Starts processes afresh, and knows all that it has started: they have an owner."""

    def __init__(self):
        super().__init__()
        self.started = []

    def Process(self, *args, **kwargs):  # so it is called in multiprocessing
        self.started.append(super().Process(*args, **kwargs))
        return self.started[-1]


def _arrive():
    """A new cook: it leaves interrupts to the process that started it, and never outlives that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent():
    parent_process().join()
    os._exit(1)
