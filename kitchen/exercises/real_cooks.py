"""The exercises of 05 Real cooks: slices read from a Timeline, a counter that is safe, at most k threads at once."""

import threading
from collections.abc import Sequence
from math import isclose

from kitchen.exercises.exercise import Right, Wrong, call, exercise
from kitchen.recipe import Dish, wait, work
from kitchen.recorder import Recorder
from kitchen.simulate import threaded
from kitchen.timeline import READY, RUNNING, WAITING, Span, Timeline

# --- slices ----------------------------------------------------------------------------------------------------------


@exercise(
    stub='''
    def slices(timeline, lane):
        """How long each slice of this lane was, in order of time."""
        ...
    ''',
    solution='''
    def slices(timeline, lane):
        """How long each slice of this lane was, in order of time."""
        lengths, until = [], None
        for span in timeline.by_lane[lane]:
            if span.state is RUNNING:
                if span.start == until:
                    lengths[-1] += span.duration
                else:
                    lengths.append(span.duration)
                until = span.end
        return lengths
    ''',
    hints=[
        "`timeline.by_lane[lane]` has the spans of one lane, in order of time. Which of its states is a slice made of?",
        "Two pieces in a row with different labels are two spans. They are one slice if one starts where the other ended.",
        "Keep the end of the last RUNNING span. When the next RUNNING span starts there, add its `duration` to the last "
        "length; when not, append a new length.",
    ],
    setting="from kitchen.timeline import RUNNING",
)
def slices(answer):
    """Return the lengths of a lane's slices in a Timeline, in order of time; RUNNING spans that touch are one slice."""
    lonely = [Dish("soup", [work("cut", 3), work("stir", 2)])]
    shared = [
        Dish("soup", [work("cut", 1), work("stir", 4), wait("simmer", 6), work("taste", 1)]),
        Dish("bread", [work("knead", 6), work("shape", 1)]),
    ]
    count = 0
    for timeline in (threaded(shared, quantum=3, parked=True), threaded(lonely, quantum=2, parked=True)):
        for lane, spans in timeline.by_lane.items():
            begins, expected = _slices(spans)
            count += len(expected)
            got = call(answer, timeline, lane)
            if not _alike(got, expected):
                raise Wrong(_why(got, expected, timeline, lane), timeline, _first_off(got, expected, begins))
    return Right(f"all {count} slices of three lanes are as long as you say")


def _slices(spans):
    """The first span of each slice, and how long the slice is."""
    begins, lengths, until = [], [], None
    for span in spans:
        if span.state is RUNNING:
            if span.start == until:
                lengths[-1] += span.duration
            else:
                begins.append(span)
                lengths.append(span.duration)
            until = span.end
    return begins, lengths


def _numbers(got):
    return isinstance(got, Sequence) and not isinstance(got, str) and all(type(n) in (int, float) for n in got)


def _alike(got, expected):
    return _numbers(got) and len(got) == len(expected) and all(map(isclose, got, expected))


def _why(got, expected, timeline, lane):
    of_lane = timeline.by_lane[lane]
    running = [span.duration for span in of_lane if span.state is RUNNING]
    everybody = [span.duration for span in timeline.cook]
    right = f"the slices of {lane} are {_listed(expected)} min"
    if got is None:
        return "it returned None: build a list, and end with `return`"
    if isinstance(got, (int, float)):
        return f"it returned one number, {got:g}: {right}, a list with one length for each"
    if isinstance(got, Sequence) and any(isinstance(one, Span) for one in got):
        return "it returned spans: a slice's length is the span's `duration`"
    if not _numbers(got):
        return f"it returned {got!r:.80}: a list of lengths, that is, of numbers, was asked for"
    if _alike(got, [span.duration for span in of_lane]):
        return f"{_listed(got)} are all spans of {lane}, its READY and WAITING too: a slice is a stretch of RUNNING"
    if _alike(got, everybody) or (len(got) > len(running) and _alike(sorted(got), sorted(everybody))):
        return f"{_listed(got)} are the spans of all lanes: only those of {lane} were asked for"
    if _alike(got, running):
        return f"you say {_listed(got)}, but {right}: spans that touch are one slice, whatever their labels"
    if _alike(sorted(got), sorted(expected)):
        return f"the lengths are right, but not their order: {right}, from the first to the last"
    return f"you say {_listed(got) or 'there are none'}, but {right}"


def _first_off(got, expected, begins):
    """Where the first slice begins whose length the answer does not have in its place."""
    for place, length in enumerate(expected):
        if not _numbers(got) or place >= len(got) or not isclose(got[place], length):
            return begins[place]
    return begins[-1]


def _listed(lengths):
    return ", ".join(f"{length:g}" for length in lengths)


# --- count -----------------------------------------------------------------------------------------------------------

PAUSE = 0.008  # seconds that a reading and a writing thread leave to the others to come between


class _Counter:
    """A number to be shared, which notes who reads and who writes it, and gives a race every chance to happen.

    A thread is `between` from its `read` to its `write`. In both it pauses, until a second thread is there or for PAUSE.
    """

    def __init__(self, threads):
        names = [f"thread {number}" for number in range(1, threads + 1)]
        self.recorder = Recorder(names, "from reading to writing")
        self.value = self.writes = 0
        self.lanes, self.between, self.reading = {}, {}, set()
        self.race = self.read_together = None  # the two lanes that were between, that were reading, at the same time
        self.alive, self.before = 0, threading.active_count()
        self._changed = threading.Condition()

    def read(self) -> int:
        with self._changed:
            lane, value = self._lane(), self.value
            self.recorder.change(lane, RUNNING, f"has read {value}")
            others = set(self.between) - {lane}
            if others and not self.race:
                self.race = lane, min(others), self.recorder.now()
            self.between[lane] = value
            self.reading.add(lane)
            if len(self.reading) > 1:
                self.read_together = True
            self._pause()
            self.reading.discard(lane)
            return value

    def write(self, value: int) -> None:
        with self._changed:
            lane = self._lane()
            self._pause()
            self.value = value
            self.writes += 1
            self.between.pop(lane, None)
            self.recorder.change(lane, READY)

    def _lane(self):
        self.alive = max(self.alive, threading.active_count() - self.before)
        return self.lanes.setdefault(threading.current_thread(), len(self.lanes)) % len(self.recorder.lanes)

    def _pause(self):
        self._changed.notify_all()
        self._changed.wait_for(lambda: len(self.between) > 1, PAUSE)

    def timeline(self) -> Timeline:
        for lane in range(len(self.recorder.lanes)):
            self.recorder.finish(lane)
        return self.recorder.timeline()


@exercise(
    stub='''
    def count(counter, threads, times):
        """Has so many threads add 1 to the counter, each so many times."""
        ...
    ''',
    solution='''
    def count(counter, threads, times):
        """Has so many threads add 1 to the counter, each so many times."""
        lock = threading.Lock()

        def add():
            for _ in range(times):
                with lock:
                    counter.write(counter.read() + 1)

        crew = [threading.Thread(target=add) for _ in range(threads)]
        for thread in crew:
            thread.start()
        for thread in crew:
            thread.join()
    ''',
    hints=[
        "First without a lock: make a list of `threading.Thread(target=…)`, `start()` all of them, then `join()` all of "
        "them. The check shows you the race.",
        "Make one `threading.Lock()`, before the threads. A lock that each thread makes for itself keeps nobody out.",
        "No other thread may come between a reading and its writing: `with lock:` has to go round both.",
    ],
    setting="import threading\nfrom concurrent.futures import ThreadPoolExecutor",
)
def count(answer):
    """Have several threads add to one counter with `counter.write(counter.read() + 1)`, so that no addition is lost."""
    threads, times = 3, 2
    counter = _Counter(threads)
    counter.before = threading.active_count() + 1  # the thread that calls the answer
    stuck = False
    try:
        call(answer, counter, threads, times, seconds=2.0)
    except Wrong:
        stuck = True
    done, total = counter.writes, threads * times
    if done < total and not stuck:
        with counter._changed:  # threads that were not waited for
            counter._changed.wait_for(lambda: counter.writes == total, 0.5)
    timeline = counter.timeline()
    race = counter.race and _span_of(timeline, *counter.race)
    lost = f"{total} additions were made, and the counter says {counter.value}"
    if stuck:
        raise Wrong(
            f"after {done} of {total} additions nothing went on: the others wait for a lock that is not given back "
            "(`with lock:` gives it back by itself)",
            timeline,
        )
    if counter.writes > done:
        raise Wrong(
            f"it returned after {done} of {total} additions, and its threads went on behind your back: `join` them all",
            timeline,
        )
    if done != total:
        raise Wrong(f"{done} additions were made: {threads} threads with {times} each make {total}", timeline)
    if len(counter.lanes) == 1:
        raise Wrong(f"one thread made all {total} additions: they are to be shared out among {threads}", timeline)
    if counter.read_together:
        raise Wrong(
            f"two threads read the counter at the same time, before either had written: {lost}. "
            "Let all threads share one lock, and let none read without it",
            timeline,
            race,
        )
    if race:
        raise Wrong(
            f"only one thread at a time reads, but then another one reads before that has written: {lost}. "
            "Keep the lock until the new number is written",
            timeline,
            race,
        )
    if counter.value != total:
        raise Wrong(f"the counter says {counter.value} after {total} additions: write what you read, plus 1", timeline)
    if counter.alive < 2:
        raise Wrong("each thread was started when the one before had ended: start all, and then join all", timeline)
    return Right(f"{threads} threads made {total} additions, and the counter says {total}", timeline)


def _span_of(timeline, lane, other, time):
    """The span of `other`, between reading and writing, into which a reading of `lane` fell."""
    spans = timeline.by_lane[timeline.lanes[other]]
    return next((span for span in spans if span.state is RUNNING and span.start <= time <= span.end), None)


# --- at_most ---------------------------------------------------------------------------------------------------------


class NotFound(Exception):
    """What the function of this exercise raises for a page that is not there."""


class _Site:
    """A blocking `get` that notes who is under way. The calls wait for each other, until `places` of them are there."""

    def __init__(self, pages, places, fails=False):
        self.pages, self.places, self.fails = pages, places, fails
        self.recorder = Recorder((f"page {page}" for page in pages), "calls of get")
        self.asked, self.under_way, self.most, self.at = [], 0, 0, 0.0
        self.waited = False
        self._changed = threading.Condition()

    def get(self, page: int) -> str:
        with self._changed:
            lane = self.pages.index(page)
            self.recorder.change(lane, WAITING, "under way")
            self.asked.append(page)
            self.under_way += 1
            if self.under_way > self.most:
                self.most, self.at = self.under_way, self.recorder.now()
            self._changed.notify_all()
            if not self.waited:  # the first ones wait until all that may come have come, and then a little more
                self._changed.wait_for(lambda: self.waited or self.under_way >= self.places, 0.5)
                self._changed.wait_for(lambda: self.waited or self.under_way > self.places, 0.02)
                self.waited = True
                self._changed.notify_all()
            slow = (page == self.pages[0]) is not self.fails  # the first page comes last, but fails first
            self._changed.wait_for(lambda: False, 0.03 if slow else 0.002)
            self.under_way -= 1
            self._changed.notify_all()
            missing = self.fails and page == self.pages[0]
            self.recorder.finish(lane, "not found" if missing else "")
        if missing:
            raise NotFound(f"page {page}")
        return f"text of page {page}"

    def quiet(self) -> int:
        """How many calls are under way; then waits for their end."""
        with self._changed:
            left = self.under_way
            self._changed.wait_for(lambda: not self.under_way, 1.0)
            return left


@exercise(
    stub='''
    def at_most(k, get, pages):
        """What get(page) returns for each of the pages, in their order."""
        ...
    ''',
    solution='''
    def at_most(k, get, pages):
        """What get(page) returns for each of the pages, in their order."""
        with ThreadPoolExecutor(max_workers=k) as pool:
            return list(pool.map(get, pages))
    ''',
    hints=[
        "A pool of k threads never has more than k calls under way: `ThreadPoolExecutor(max_workers=k)`.",
        "`pool.map(get, pages)` hands out the calls and gives the results in the order of the pages, not of their arrival.",
        "What `pool.map` gives raises a call's exception when you come to its result. So do come to all of them: "
        "`list(…)`. The `with` block round the pool waits for the threads.",
    ],
    setting="import threading\nfrom concurrent.futures import ThreadPoolExecutor",
)
def at_most(answer):
    """Call the blocking `get(page)` for all pages, k calls at once; return the results in order, let errors come out."""
    k, pages = 3, list(range(7))
    site = _Site(pages, k)
    got = call(answer, k, site.get, pages)
    left = site.quiet()
    timeline = site.recorder.timeline()
    longest = max(timeline.spans, key=lambda span: span.state is WAITING and span.duration, default=None)
    if left:
        raise Wrong(
            f"it returned while {left} calls were still under way: wait for your threads before you return", timeline
        )
    if site.most > k:
        span = next(
            (span for span in reversed(timeline.by_time) if span.state is WAITING and span.start <= site.at), None
        )
        raise Wrong(f"{site.most} calls were under way at once: {k} were allowed", timeline, span)
    if site.most == 1:
        raise Wrong(f"one call after the other, while {k} were allowed at once: each needs a thread", timeline, longest)
    if site.most < k:
        raise Wrong(f"never more than {site.most} calls were under way at once: {k} were allowed", timeline, longest)
    _results(got, site, timeline)
    _errors(answer, k, pages)
    return Right(f"{len(pages)} pages, never more than {k} calls at once, in order, and no error is lost", timeline)


def _results(got, site, timeline):
    expected = [f"text of page {page}" for page in site.pages]
    if got is None:
        raise Wrong("the calls are right, but it returned None: return the list of their results", timeline)
    if not isinstance(got, (list, tuple)):
        raise Wrong(f"it returned a {type(got).__name__}: return a list of the results", timeline)
    if len(site.asked) > len(site.pages):
        raise Wrong(f"{len(site.asked)} calls were made for {len(site.pages)} pages: once for each is enough", timeline)
    got = list(got)
    if got == expected:
        return
    if all(one in got for one in expected):
        first = next(page for page, (one, other) in enumerate(zip(got, expected, strict=False)) if one != other)
        raise Wrong(
            f"the results are all there, but in the order in which they came: in place {first} stands {got[first]!r}",
            timeline,
        )
    missing = sum(one not in got for one in expected)
    raise Wrong(f"{missing} of {len(expected)} results are not in what was returned", timeline)


def _errors(answer, k, pages):
    """The first page is not there: that must come out, and no thread may be left behind."""
    site = _Site(pages, k, fails=True)
    come_out, got = False, None
    try:
        got = call(answer, k, site.get, pages)
    except NotFound:
        come_out = True
    except ExceptionGroup as group:
        come_out = group.subgroup(NotFound) is not None
    left = site.quiet()
    timeline = site.recorder.timeline()
    span = next((span for span in timeline.by_lane["page 0"] if span.state is WAITING), None)
    if not come_out:
        raise Wrong(f"get(0) raised NotFound, and nobody heard of it: what came back was {got!r:.60}…", timeline, span)
    if left:
        raise Wrong(
            f"when page 0 failed, {left} other calls were left behind under way: wait for them too", timeline, span
        )
