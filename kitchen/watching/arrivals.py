"""What has come for a loop that is held, and cannot look: it is asked of the system, and of its timers, beside the loop."""

import asyncio
import select
import selectors
from asyncio import futures
from collections import deque
from collections.abc import Iterator, Mapping

from kitchen.watching.lane import Lane
from kitchen.watching.whose import FOREIGN

ENDED = getattr(select, "POLLRDHUP", 0)  # the other side has closed its connection: that can wait, mostly


def came(loop: asyncio.AbstractEventLoop | None) -> int:
    """Through how many connections of a loop something has come, or may go, that it has not looked at yet."""
    selector, waker = getattr(loop, "_selector", None), getattr(loop, "_ssock", None)
    if not isinstance(selector, selectors.BaseSelector) or not hasattr(select, "poll"):
        return 0
    poll, own = select.poll(), waker.fileno() if waker else None
    wanted = {selectors.EVENT_READ: select.POLLIN | ENDED, selectors.EVENT_WRITE: select.POLLOUT}
    try:
        for _, fd, events, handles in list((selector.get_map() or {}).values()):
            if fd != own and not any(map(_is_notebooks, handles or ())):
                poll.register(fd, sum(flag for event, flag in wanted.items() if events & event))
        return sum(not events & (select.POLLNVAL | ENDED) for _, events in poll.poll(0))
    except (RuntimeError, OSError):  # they change at this moment
        return 0


def run_out(
    loop: asyncio.AbstractEventLoop | None, lanes: Mapping[int, Lane], now: float
) -> Iterator[tuple[Lane, float]]:
    """Which of these lanes, by id(task), wait for a timer that has run out, and when it did; by the loop's clock."""
    due = [handle for handle in getattr(loop, "_ready", deque()).copy() if isinstance(handle, asyncio.TimerHandle)]
    for timer in (*getattr(loop, "_scheduled", ()), *due):
        if timer._cancelled or timer._when > now or timer._callback is not futures._set_result_unless_cancelled:
            continue
        for callback, _ in timer._args[0]._callbacks or ():
            lane = lanes.get(id(getattr(callback, "__self__", None)))
            if lane is not None:
                yield lane, timer._when


def _is_notebooks(handle):
    """Whether what the loop calls then is a notebook's own affair."""
    module = getattr(getattr(handle, "_callback", None), "__module__", None) or ""
    return module.partition(".")[0] in FOREIGN
