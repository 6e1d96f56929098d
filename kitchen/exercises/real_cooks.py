"""The exercises of 05 Real cooks: two threads that no order can break, a counter that is safe, a program with threads.

An exercise stays in one piece, judge, stub, solution and hints, which makes more than 400 lines.
"""

import threading
import time
from collections import Counter
from collections.abc import Mapping

from kitchen.exercises import quizzes
from kitchen.lesson.exercise import Right, exercise
from kitchen.lesson.gil import DEADLOCK, ENDS, FINE, LOCK, LOST, NAMES, TwoThreads
from kitchen.lesson.running import Wrong, call
from kitchen.recorder import Recorder
from kitchen.timeline import READY, WAITING, Timeline

quiz = quizzes.quiz(__name__)

# --- impossible ------------------------------------------------------------------------------------------------------

LEFT = """
take = left
left = take - 1
put = right
right = put + 1
"""
RIGHT = """
take = right
right = take - 1
put = left
left = put + 1
"""


@exercise(
    stub='''
    def impossible():
        """The lines of two threads, with locks: no order of steps loses an update, and none ends in a deadlock."""
        a = """
        take = left
        left = take - 1
        put = right
        right = put + 1
        """
        b = """
        take = right
        right = take - 1
        put = left
        left = put + 1
        """
        return a, b
    ''',
    solution='''
    def impossible():
        a = """
        shelves.acquire()
        take = left
        left = take - 1
        put = right
        right = put + 1
        shelves.release()
        """
        b = """
        shelves.acquire()
        take = right
        right = take - 1
        put = left
        left = put + 1
        shelves.release()
        """
        return a, b
    ''',
    hints=[
        "What must never happen: a thread has read `left`, and the other writes before it does. Put a lock around that.",
        "A lock keeps nobody out who does not ask for it: both threads have to acquire the same one.",
        "If you take two locks, take them in the same order in both threads. One lock for everything is simpler.",
    ],
)
def impossible(answer):
    """Add `NAME.acquire()` and `NAME.release()` to both threads, so that no order loses an update or ends in a deadlock."""
    lines = call(answer)
    if not isinstance(lines, (tuple, list)) or len(lines) != 2 or not all(isinstance(text, str) for text in lines):
        raise Wrong(f"it returned {lines!r:.60}: return the two texts, `a, b`")
    for name, text, own in zip(NAMES, lines, (LEFT, RIGHT), strict=True):
        if "with " in text:
            raise Wrong(
                "these threads know no `with`: write `NAME.acquire()` and `NAME.release()` into lines of their own"
            )
        if taken := {lock for lock, _ in LOCK.findall(text)} & {"left", "right", "take", "put"}:
            raise Wrong(f"`{min(taken)}` is a number here, not a lock: give the lock a name of its own")
        kept = [line.strip() for line in text.splitlines() if line.strip() and not LOCK.fullmatch(line.strip())]
        if kept != own.split("\n")[1:-1]:
            raise Wrong(f"thread {name} no longer does its own four lines in their order: add lines, change none")
    try:
        threads = TwoThreads(*lines, left=5, right=5)
    except ValueError as error:
        raise Wrong(f"one order ends with an error: {error}") from None
    for end in (LOST, DEADLOCK):
        if order := threads.shortest(end):
            raise Wrong(f"the order {' '.join(order)} {ENDS[end]}. {list(threads.told(order))[-1]}")
    kept_for_ever = next((here.held for here in threads.situations if here.held and here.at == threads.last), {})
    for lock, thread in kept_for_ever.items():
        raise Wrong(f"thread {NAMES[thread]} keeps {lock} for ever: release it at the end")
    return Right(f"all {threads.count(FINE):,} orders that are possible were tried, and every one ends well")


# --- count -----------------------------------------------------------------------------------------------------------

PAUSE_SECONDS = 0.05  # that a read and a write take, each: others have time to come between, on a busy machine, too


class _Counter:
    """A number to be shared, which notes who reads and who writes it, and gives a race every chance to happen.

    A thread is `between` from its `read` to its `write`. Each of these sleeps for PAUSE_SECONDS, and so it is drawn WAITING.
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
            self.recorder.change(lane, WAITING, f"has read {value}")
            others = set(self.between) - {lane}
            if others and not self.race:
                self.race = lane, min(others), self.recorder.now()
            self.between[lane] = value
            self.reading.add(lane)
            if len(self.reading) > 1:
                self.read_together = True
        time.sleep(PAUSE_SECONDS)
        with self._changed:
            self.reading.discard(lane)
        return value

    def write(self, value: int) -> None:
        time.sleep(PAUSE_SECONDS)
        with self._changed:
            lane = self._lane()
            self.value = value
            self.writes += 1
            self.between.pop(lane, None)
            self.recorder.change(lane, READY)
            self._changed.notify_all()

    def _lane(self):
        self.alive = max(self.alive, threading.active_count() - self.before)
        return self.lanes.setdefault(threading.current_thread(), len(self.lanes)) % len(self.recorder.lanes)

    def timeline(self) -> Timeline:
        for lane in range(len(self.recorder.lanes)):
            self.recorder.finish(lane)
        return self.recorder.timeline()


@exercise(
    stub='''
    def count(counter, threads, times):
        """Lets that many threads add 1 to the counter, that many times each."""
        ...
    ''',
    solution='''
    def count(counter, threads, times):
        """Lets that many threads add 1 to the counter, that many times each."""
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
        "Make one `threading.Lock()`, before the threads. If each thread makes its own lock, it keeps nobody out.",
        "No other thread may come between reading and writing: put both into one `with lock:`.",
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
        call(answer, counter, threads, times, seconds=4.0)
    except Wrong:
        stuck = True
    done, total = counter.writes, threads * times
    if done < total and not stuck:
        with counter._changed:  # threads that were not waited for
            counter._changed.wait_for(lambda: counter.writes == total, 2.0)
    timeline = counter.timeline()
    race = counter.race and _span_of(timeline, *counter.race)
    lost = f"{total} additions were made, but the counter says {counter.value}"
    if stuck:
        raise Wrong(
            f"after {done} of {total} additions nothing went on: the others wait for a lock that nobody gives back "
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
        raise Wrong(f"one thread made all {total} additions: share them out among {threads}", timeline)
    if counter.read_together:
        raise Wrong(
            f"two threads read the counter at the same time, before either had written: {lost}. "
            "Let all threads share one lock, and none read without it",
            timeline,
            race,
        )
    if race:
        raise Wrong(
            f"one thread at a time was reading, but another one read before the first had written: {lost}. "
            "Keep the lock until the new number is written",
            timeline,
            race,
        )
    if counter.value != total:
        raise Wrong(f"the counter says {counter.value} after {total} additions: write what you read, plus 1", timeline)
    if counter.alive < 2:
        raise Wrong("you started each thread after the one before had ended: start all, then join all", timeline)
    return Right(f"{threads} threads made {total} additions, and the counter says {total}", timeline)


def _span_of(timeline, lane, other, time):
    """The span of `other`, between reading and writing, into which a reading of `lane` fell."""
    spans = timeline.by_lane[timeline.lanes[other]]
    return next((span for span in spans if span.state is WAITING and span.start <= time <= span.end), None)


# --- count_words -----------------------------------------------------------------------------------------------------

# All begin with the same word, so that threads without a lock meet at it.
TEXTS = ["soup egg egg", "soup", "soup bread and egg", "soup and bread and", "soup tea"]
MISSING = 1  # the number of the page that is not there
WORDS = Counter(word for page, text in enumerate(TEXTS) if page != MISSING for word in text.split())


class NotFound(OSError):
    """What the function of this exercise raises for a page that is not there."""


LOOKING_SECONDS = 0.05  # that a thread which looks a word up leaves to the others to look one up as well


class _Word(str):
    """A word of a page, which gives a race every chance: a thread that looks it up in a dict pauses when it begins."""

    site = None

    def __hash__(self):
        if self.site:
            self.site.look()
        return super().__hash__()


class _Text(str):
    """The text of a page."""

    site = None

    def split(self, *arguments):
        words = [_Word(word) for word in super().split(*arguments)]
        for word in words:
            word.site = self.site
        return words


class _Site:
    """A blocking `get` that notes who is under way. The calls wait for each other, until all are there, but not for ever.

    So do the threads that look their first word up, to read its count and then to write it: `together`, whether two did.
    """

    def __init__(self):
        self.recorder = Recorder((f"page {page}" for page in range(len(TEXTS))), "calls of get")
        self.asked, self.under_way, self.most = [], 0, 0
        self.looks, self.looking, self.together, self.over = Counter(), 0, False, False
        self._changed = threading.Condition()

    def get(self, page: int) -> str:
        with self._changed:
            self.recorder.change(page, WAITING, "under way")
            self.asked.append(page)
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.most == len(TEXTS), 0.3)
            self._changed.wait_for(lambda: False, 0.002 if page == MISSING else 0.02)
            self.under_way -= 1
            self._changed.notify_all()
            self.recorder.finish(page, "not found" if page == MISSING else "")
        if page == MISSING:
            raise NotFound(f"page {page}")
        text = _Text(TEXTS[page])
        text.site = self
        return text

    def look(self) -> None:
        """A thread looks a word up: twice it waits for the others, for LOOKING_SECONDS at most."""
        thread = threading.get_ident()
        with self._changed:
            self.looks[thread] += 1
            if self.over or self.looks[thread] > 2:
                return
            self.looking += 1
            self.together |= self.looking > 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.looking == len(TEXTS) - 1, LOOKING_SECONDS)
            self.looking -= 1

    def quiet(self) -> int:
        """How many calls are under way; then waits for their end. From now on nobody pauses."""
        with self._changed:
            self.over = True
            left = self.under_way
            self._changed.wait_for(lambda: not self.under_way, 1.0)
            return left


@exercise(
    stub='''
    def count_words(get, pages):
        """How often each word stands on all pages: a dict."""
        ...
    ''',
    solution="""
    def count_words(get, pages):
        counts, lock = {}, threading.Lock()

        def count(page):
            try:
                words = get(page).split()
            except OSError:
                return
            with lock:
                for word in words:
                    counts[word] = counts.get(word, 0) + 1

        crew = [threading.Thread(target=count, args=[page]) for page in pages]
        for thread in crew:
            thread.start()
        for thread in crew:
            thread.join()
        return counts
    """,
    hints=[
        "Write a function for one page first: it gets the text, and adds its words to a dict that all share.",
        "Reading a count and writing it back are two steps: put both into a `with lock:`, but not the `get`.",
        "A thread for each page: `threading.Thread(target=count, args=[page])`. Start all, then join all. An `OSError` is "
        "caught inside the thread's own function.",
    ],
    setting="import threading\nfrom concurrent.futures import ThreadPoolExecutor",
)
def count_words(answer):
    """Get all pages at the same time, a thread for each, and return a dict: how often each word stands on all pages."""
    site = _Site()
    try:
        got, failed = call(answer, site.get, list(range(len(TEXTS)))), None
    except NotFound as error:
        got, failed = None, error
    left = site.quiet()
    timeline = site.recorder.timeline()
    if failed:
        raise Wrong(f"page {MISSING} failed, and its error came out: so the other pages' words were lost", timeline)
    if left:
        raise Wrong(f"it returned while {left} calls were still under way: `join` the threads first", timeline)
    if len(site.asked) != len(TEXTS):
        raise Wrong(f"`get` was called {len(site.asked)} times, for {len(TEXTS)} pages", timeline)
    if site.most == 1:
        raise Wrong("one page after the other: start all threads, and then join them", timeline, timeline.spans[0])
    if site.most < len(TEXTS):
        raise Wrong(f"never more than {site.most} of {len(TEXTS)} calls were under way at once", timeline)
    if not isinstance(got, Mapping):
        raise Wrong(f"it returned {got!r:.60}: return a dict from each word to how often it stands there", timeline)
    if strange := [word for word in got if word not in WORDS]:
        raise Wrong(f"{strange[0]!r:.60} is a key of your dict, and no word of these pages", timeline)
    off = [f"{word!r} {got.get(word, 0)!r:.20} times" for word in WORDS if got.get(word, 0) != WORDS[word]]
    if off and site.together:
        advice = "if the threads share a dict, reading a count and writing it back belong under one lock"
        raise Wrong(f"you count {', '.join(off)}, and right is {dict(WORDS)}: {advice}", timeline)
    if off:
        raise Wrong(f"you count {', '.join(off)}. Right is {dict(WORDS)}", timeline)
    return Right(
        f"{len(TEXTS)} pages at once, {sum(WORDS.values())} words counted, and one page that failed cost no other",
        timeline,
    )
