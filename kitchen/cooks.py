"""The same dishes for real, by several cooks at once: processes on this computer, or the workers of a dask cluster.

    processes    a few Pythons on this computer, each with a GIL of its own (a ProcessPoolExecutor)
    cluster      whoever works for a dask scheduler, on this computer or elsewhere (dask.distributed)

A cook takes one dish at a time, and cooks it as `perform.sync` does: while it only waits, the cook is idle. What is sent to
a cook is packed here, travels as bytes, and is unpacked there; `ingredients` are whatever else has to go with a dish.

What is measured: packing, on this process's clock; when a dish began and ended at its cook, unpacking and, within a dish,
RUNNING and IDLING, on that cook's own clock. What is inferred, and marked so: that a cook without a dish has nothing to do,
that a new process is busy starting until its first dish begins, and READY within a dish (see `perform`).

The clocks: those of processes on one computer are taken to be one. A worker's clock is set by dask's own record, its task
stream, whose dates dask corrects by an estimate of its own: on a busy computer that may be off by 10 ms and more. But no
dish began before it was sent, or ended after its result was here: where one would have, the clock is set as little
differently as that needs, for all dishes of its worker alike. What a worker did keeps its order and its length.

Raises ValueError for a bad menu (see `recipe`), a minute that is not a positive number of seconds, and less than one cook.
"""

import os
import pickle
import threading
import time
import uuid
from asyncio import CancelledError
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from statistics import median
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from kitchen import perform
from kitchen.crew import crew
from kitchen.perform import check_minute
from kitchen.recipe import Dish, menu
from kitchen.recorder import CORES as CORES  # how many cooks this computer has for us
from kitchen.recorder import UNFINISHED, Recorder, listening
from kitchen.timeline import READY, RUNNING, WAITING, Timeline

if TYPE_CHECKING:
    from distributed import Client

THIS_COMPUTER = None  # the address of processes on this computer
NOTHING = MappingProxyType({})
WORKERLESS_SECONDS = 30.0  # seconds for which a cluster may be without a single worker before its dishes are given up


class Served(NamedTuple):
    """What it took to send one dish to its cook: how many bytes, and the seconds for packing and unpacking them."""

    dish: str
    cook: str
    bytes: int
    packing: float
    unpacking: float


class Cooked(NamedTuple):
    """One run, seen twice: `cooks` has a lane per cook, labelled with the dish it holds; `dishes` a lane per dish.

    A dish is READY in the queue, and RUNNING while it is packed, unpacked and worked on. One that was not done has an entry
    in `dishes.outcomes`, and a cook that ended too soon one in `cooks.outcomes`: what that one did after its last finished
    dish is not known, and not drawn. `served`: what was sent, for each dish that was done.
    """

    cooks: Timeline
    dishes: Timeline
    served: tuple[Served, ...]


def processes(
    dishes: Iterable[Dish], cooks: int = 2, minute: float = 0.01, ingredients: Mapping[str, Any] = NOTHING
) -> Cooked:
    """Each dish goes to the next free one of so many new processes. They are started for this run and end with it.

    They are started afresh ("spawn"), never forked: a fork of a process that has threads, as a notebook's has, may hang.
    In a script, call this below ``if __name__ == "__main__":``, since a new process begins by importing the script. When
    a process dies, the pool gives up all dishes that are not done. An interrupt ends all processes, whatever they do.
    """
    if not isinstance(cooks, int) or cooks < 1:
        raise ValueError(f"cannot hire {cooks!r} cooks: give a whole number, 1 or more")
    with _Catering("processes", dishes, minute, ingredients, {THIS_COMPUTER: cooks}) as kitchen:
        with crew(cooks) as (pool, hired):
            for lane in range(len(kitchen.menu)):
                kitchen.send(lane, pool.submit)
            for lane, report, error, received in kitchen.answers():
                if error:
                    kitchen.lose(lane, error)
                else:
                    kitchen.serve(lane, report, kitchen.began, received)
        for process in hired:
            if code := process.exitcode:
                outcome = f"ended by signal {-code}" if code < 0 else f"ended with code {code}"
                kitchen.over(kitchen.lane((THIS_COMPUTER, process.pid)), outcome)
    return kitchen.cooked()


def cluster(
    dishes: Iterable[Dish], client: "Client", minute: float = 0.01, ingredients: Mapping[str, Any] = NOTHING
) -> Cooked:
    """Each dish goes to a worker of the cluster that `client` (a distributed.Client) is connected to. Who made that ends it.

    When a worker dies, dask sends its dishes to another one. It gives up a dish that has cost several workers their life;
    and all dishes are given up when there is no worker for WORKERLESS_SECONDS. An interrupt takes the dishes from the
    workers. These have to be able to import `kitchen`: on another computer it must be installed.
    """
    if client.asynchronous:
        raise TypeError("this client is asynchronous: make one without asynchronous=True, also in a notebook")
    run = uuid.uuid4().hex
    client.get_task_stream(start=0, stop=0)  # from now on the scheduler keeps its records
    with _Catering("cluster", dishes, minute, ingredients, client.nthreads()) as kitchen:
        try:
            for lane in range(len(kitchen.menu)):
                kitchen.send(lane, partial(client.submit, run=run, key=f"dish-{lane}-{run}", pure=False))
            answers = list(kitchen.answers(alive=_has_workers(client)))
            stream = {
                (record["key"], record["worker"]): record for record in _asked(client, client.get_task_stream, ())
            }
        except BaseException:
            with suppress(Exception):  # there may be no cluster any more
                client.run(_take_away, run, on_error="ignore")
            raise
        finally:
            with suppress(Exception):
                client.cancel(list(kitchen.sent))
        done = []
        for lane, report, error, received in answers:
            record = None if error else stream.get((f"dish-{lane}-{run}", report.who[0]))
            if error or record is None:
                kitchen.lose(lane, error or LookupError("done, but dask keeps no record of it any more"))
            else:
                (step,) = [step for step in record["startstops"] if step["action"] == "compute"]
                done.append(_Done(lane, report, received, step["start"] - kitchen.began_date))
        zeros = kitchen.clocks(done)
        for lane, report, received, _ in sorted(done, key=lambda dish: dish.report.begun - zeros[dish.report.who[0]]):
            kitchen.serve(lane, report, zeros[report.who[0]], received)
        still_there = _asked(client, client.nthreads, ())
        for lane, cook in enumerate(kitchen.staff):
            if cook.address not in still_there:
                kitchen.over(lane, "gone")
    return kitchen.cooked()


def so_far() -> Cooked:
    """What is known of the newest run, also of one that was interrupted. Raises RuntimeError when there was none yet."""
    if _Catering.newest is None:
        raise RuntimeError("nobody has cooked yet: call cooks.processes or cooks.cluster first")
    return _Catering.newest.cooked()


# --- at the cook's ---------------------------------------------------------------------------------------------------


class _Report(NamedTuple):
    """What a cook has to say of a dish; times on its own clock. `who`: the cook's address, and a number there."""

    who: tuple
    begun: float
    unpacked: float
    ended: float
    timeline: Timeline


_under_way = []  # in a worker: for each dish at work its thread, its run and its kitchen


def _cook(packed, minute, run=None):
    """Unpacks one dish and cooks it. In a process of its own: what it needs is imported there."""
    begun = time.perf_counter()
    dish, _ = pickle.loads(packed)
    unpacked = time.perf_counter()
    me = threading.get_ident()
    who = THIS_COMPUTER, os.getpid()
    if run:
        from distributed import get_worker  # which is there, since this is one

        who = get_worker().address, me
    with listening(lambda kitchen: _under_way.append((me, run, kitchen)) if threading.get_ident() == me else None):
        try:
            timeline = perform.sync([dish], minute)
        finally:
            _under_way[:] = [entry for entry in _under_way if entry[0] != me]
    return _Report(who, begun, unpacked, time.perf_counter(), timeline)


def _take_away(run):
    """Ends what is being cooked for this run; dask calls this in every worker."""
    for _, its_run, kitchen in list(_under_way):
        if its_run == run:
            kitchen.interrupt()


# --- on this side ----------------------------------------------------------------------------------------------------


def _asked(client, question, otherwise):
    """What the scheduler answers, if it is still there."""
    try:
        return question() if client.status == "running" else otherwise
    except OSError:
        return otherwise


def _has_workers(client):
    """A function to be called now and then: it raises TimeoutError once the cluster had no worker for too long."""
    since = None  # from an answer on: one that is long in coming does not say that there was none meanwhile

    def check():
        nonlocal since
        if _asked(client, client.nthreads, ()):
            since = None
        elif since is None:
            since = time.monotonic()
        elif time.monotonic() - since > WORKERLESS_SECONDS:
            raise TimeoutError(f"the cluster had no worker for {WORKERLESS_SECONDS:g} s")

    return check


class _Done(NamedTuple):
    """What is known of one dish that came back from a cluster; `date`: when it began, by dask's record."""

    lane: int
    report: _Report
    received: float
    date: float


@dataclass
class _Hired:
    """What is known of a cook: `who` are its address and a number there, once it has reported; `until` then is the time."""

    address: str | None
    who: tuple | None = None
    until: float | None = None
    over: bool = False


class _Catering:
    """One run: what was sent, what came back, and the two Recorders that note it, on one clock.

    `began` on this process's clock and `began_date` (seconds since 1970) are the same moment: the run's 0. `hired`: how many
    cooks there are at each address; at THIS_COMPUTER they are only now being started.
    """

    newest = None

    def __init__(self, title, dishes, minute, ingredients, hired):
        self.menu = menu(dishes)
        check_minute(minute)
        for name in ingredients:
            if name not in {dish.name for dish in self.menu}:
                raise ValueError(f"there are ingredients for {name!r}, which is not on the menu")
        self.minute, self.ingredients = minute, ingredients
        self.staff = [_Hired(address) for address, number in hired.items() for _ in range(number)]
        names = [f"cook {number}" for number, _ in enumerate(self.staff, start=1)]
        self.cooks = Recorder(names, f"{title}: the cooks")
        self.dishes = Recorder((dish.name for dish in self.menu), f"{title}: the dishes")
        self.began, self.began_date = self.dishes.began, time.time()
        for lane, cook in enumerate(self.staff):
            if cook.address is THIS_COMPUTER:
                self.cooks.change(lane, RUNNING, "start", at=0.0, inferred=True)
            else:
                self._idle(lane, 0.0)
        self.sent = {}  # future: lane
        self._packed = {}  # lane: when its packing began, when it was sent, bytes
        self._served = []
        self._arrived = SimpleQueue()
        _Catering.newest = self

    def __enter__(self):
        return self

    def __exit__(self, problem, *_):
        for lane, cook in enumerate(self.staff):
            if problem or cook.until is None:
                self.over(lane, UNFINISHED if problem else "")
            elif not cook.over:
                self.cooks.finish(lane)
        self.cooks.close()
        self.dishes.close()

    def cooked(self):
        return Cooked(self.cooks.timeline(), self.dishes.timeline(), tuple(self._served))

    def send(self, lane, submit):
        """Packs a dish, and gives it to whoever hands it on to a cook."""
        dish = self.menu[lane]
        begun = self.dishes.now()
        packed = pickle.dumps((dish, self.ingredients.get(dish.name)), protocol=pickle.HIGHEST_PROTOCOL)
        sent = self.dishes.now()
        self.dishes.change(lane, RUNNING, "pack", at=begun)
        self.dishes.change(lane, READY, at=sent)
        self._packed[lane] = begun, sent, len(packed)
        try:
            future = submit(_cook, packed, self.minute)
        except BrokenExecutor as error:
            self.lose(lane, error)
        else:
            self.sent[future] = lane
            future.add_done_callback(self._arrived.put)

    def answers(self, alive=lambda: None) -> Iterator:
        """Of each dish that was sent: its lane, the cook's report or else an error, and when that came."""
        while self.sent:
            try:
                future = self._arrived.get(timeout=1.0)
            except Empty:
                try:
                    alive()
                except TimeoutError as problem:
                    yield from ((lane, None, problem, self.dishes.now()) for lane in self.sent.values())
                    return
                continue
            try:
                report, error = future.result(), None
            except (Exception, CancelledError) as problem:
                report, error = None, problem
            # Only now is it here: dask cooks a dish again if the worker that has the result dies before we have it, and
            # even later, as long as we hold the future.
            yield self.sent.pop(future), report, error, self.dishes.now()

    def clocks(self, done):
        """What each worker's own clock said at the run's 0, by its address."""
        zeros = {}
        for address in {dish.report.who[0] for dish in done}:
            its = [dish for dish in done if dish.report.who[0] == address]
            by_dask = median(dish.report.begun - dish.date for dish in its)
            latest = min(dish.report.begun - self._packed[dish.lane][1] for dish in its)  # sent before it began
            earliest = max(dish.report.ended - dish.received for dish in its)  # ended before it was here
            zeros[address] = min(max(by_dask, earliest), latest)
        return zeros

    def serve(self, lane, report, zero, received):
        """Notes a dish that is done: `zero` is what its cook's clock said at the run's 0."""
        packing, sent, size = self._packed[lane]
        dish, place = self.menu[lane].name, self.lane(report.who)
        cook = self.staff[place]
        begun, ended = report.begun - zero, report.ended - zero
        earliest = max(sent, cook.until or 0.0)
        move = min(max(0.0, earliest - begun), received - ended)  # not at all, if that can be
        begun, ended = max(begun + move, earliest), ended + move
        unpacking = report.unpacked - report.begun
        self.dishes.change(lane, RUNNING, "unpack", at=begun)
        self.cooks.change(place, RUNNING, dish, at=begun)
        for span in report.timeline.spans:
            if span.state is READY and not span.inferred:
                continue  # the moment before the first step: by now it has a cook
            at = min(begun + unpacking + span.start, ended)
            self.dishes.change(lane, span.state, span.label, at=at, inferred=span.inferred)
            self.cooks.change(place, span.state, dish, at=at, inferred=span.inferred)
        self.dishes.change(lane, None, at=min(begun + unpacking + report.timeline.makespan, ended))
        self._idle(place, ended)
        self._served.append(Served(dish, self.cooks.lanes[place], size, sent - packing, unpacking))

    def lose(self, lane, error):
        """Notes a dish that is not done, and why."""
        died = isinstance(error, BrokenExecutor)
        self.dishes.finish(lane, "lost: a cook died" if died else f"{type(error).__name__}: {error}")

    def over(self, lane, outcome):
        """Notes a cook of whom nothing more is known: what it did after its last finished dish, it took with it."""
        cook = self.staff[lane]
        if not cook.over:
            cook.over = True
            self.cooks.change(lane, None, outcome, at=cook.until or 0.0)

    def lane(self, who):
        """The lane of a cook; one who came later, as another's replacement, gets a new one."""
        for known in (who, None):
            for lane, cook in enumerate(self.staff):
                if cook.address == who[0] and cook.who == known:
                    cook.who = who
                    return lane
        self.staff.append(_Hired(who[0], who))
        self.cooks.add_lane(f"cook {len(self.staff)}")
        return len(self.staff) - 1

    def _idle(self, lane, at):
        self.staff[lane].until = at
        self.cooks.change(lane, WAITING, "nothing to do", at=at, inferred=True)
