"""A run of many URLs as it would have been recorded, made up: for tests of what ten thousand lanes take."""

from heapq import heapify, heappop, heappush

from kitchen.recorder import Recorder
from kitchen.timeline import READY, RUNNING, WAITING

LANES = 10_000
PLACES = 1_000
CPU = 0.0005  # seconds, of each of the two steps of a lane


def recorded(lanes: int = LANES) -> Recorder:
    """A run that is over: each lane WAITS for a place, is READY, RUNS, WAITS for its answer, is READY and RUNS again.

    Of a hundred one takes long, and of a thousand one is timed out.
    """
    clock = [0.0]
    recorder = Recorder([f"http://127.0.0.1:8000/page/{n}" for n in range(lanes)], "coroutines", lambda: clock[0])
    places, free = [0.0] * min(PLACES, lanes), 0.0  # when each place is free, and when the CPU is
    heapify(places)
    for lane in range(lanes):
        place = heappop(places)
        if place:
            recorder.change(lane, WAITING, "a place", at=0.0)
            recorder.change(lane, READY, "ask", at=place)
        start = max(place, free)
        free = start + CPU
        answer = free + 0.1 + lane * 7919 % lanes / lanes * (3 if lane % 100 == 7 else 0.5)
        over = answer + 2 * CPU
        recorder.change(lane, RUNNING, "ask", at=start)
        recorder.change(lane, WAITING, "the answer", at=free)
        recorder.change(lane, READY, "read", at=answer, inferred=True)
        recorder.change(lane, RUNNING, "read", at=over - CPU)
        recorder.change(lane, None, "timed out" if lane % 1000 == 99 else "", at=over)
        heappush(places, over)
        clock[0] = max(clock[0], over)
    recorder.close()
    return recorder
