"""Processes on this computer that end with their block, and never outlive the process that started them."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext

from kitchen.interrupts import owned


@contextmanager
def crew(number: int) -> Iterator[tuple[ProcessPoolExecutor, list]]:
    """A pool of so many processes and the list of them. All end with the block, and at once when it ends by an error."""
    context = _Spawn()

    def kill():
        for process in context.started:
            if process.pid:
                process.kill()

    with owned(ProcessPoolExecutor(number, mp_context=context, initializer=_arrive), kill) as pool:
        yield pool, context.started


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
