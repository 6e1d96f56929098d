"""The exercises of 10 More cooks: when several cooks are done, no dish without an outcome, waits and work together."""

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from math import isclose

from kitchen.exercises import quizzes
from kitchen.lesson.exercise import Right, exercise
from kitchen.lesson.running import Wrong, call, run
from kitchen.recorder import Recorder
from kitchen.timeline import RUNNING, WAITING, Table, Timeline

quiz = quizzes.quiz(__name__)

# --- ready -----------------------------------------------------------------------------------------------------------

DINNERS = (([4, 4, 4], 1), ([4, 4, 4, 4], 2), ([6, 1, 1, 1], 2), ([2, 2, 2, 9], 2), ([5, 3, 4, 2, 6, 1], 3), ([7], 4))


@exercise(
    stub='''
    def ready(minutes, cooks):
        """When the last dish is ready, if each goes to the cook who is free first."""
        ...
    ''',
    solution='''
    def ready(minutes, cooks):
        """When the last dish is ready, if each goes to the cook who is free first."""
        free = [0] * cooks
        for duration in minutes:
            first = free.index(min(free))
            free[first] += duration
        return max(free)
    ''',
    hints=[
        "Keep a list with a number for each cook: when that cook is free. At the beginning all are free at 0.",
        "The next dish goes to the cook with the smallest number, and that number grows by the dish's minutes.",
        "When all dishes are given out, the answer is the largest number in the list.",
    ],
)
def ready(answer):
    """Return when the last dish is ready: the cook who is free first takes the next dish, in their order."""
    for minutes, cooks in DINNERS:
        timeline = _shared_out(minutes, cooks)
        got = call(answer, list(minutes), cooks)
        if type(got) not in (int, float) or not isclose(got, timeline.makespan):
            last = next(span for span in timeline.spans if span.end == timeline.makespan)
            raise Wrong(_why(got, minutes, cooks, timeline.makespan), timeline, last)
    return Right(f"right for {len(DINNERS)} dinners", timeline)


def _shared_out(minutes, cooks):
    """The dinner, with a lane for each cook."""
    free, rows = [0] * cooks, []
    for number, duration in enumerate(minutes, start=1):
        cook = free.index(min(free))
        rows.append((cook, RUNNING, f"dish {number}", free[cook], free[cook] + duration))
        free[cook] += duration
    names = [f"cook {number}" for number in range(1, cooks + 1)]
    rows.sort(key=lambda row: row[0])
    return Timeline(names, Table(*zip(*rows, strict=True)), title=f"{minutes} min, {cooks} cooks")


def _why(got, minutes, cooks, right):
    case = f"{minutes} minutes for {cooks} cook{'s' * (cooks > 1)} are ready after {right} min"
    if got is None:
        return "it returned None: end with `return`"
    if isinstance(got, (list, tuple)):
        return f"it returned {got!r:.60}: it should be one number, the time at which the last dish is ready"
    if type(got) not in (int, float):
        return f"it returned {got!r:.60}: it should be a number"
    if isclose(got, sum(minutes) / cooks):
        return f"you say {got:g}: that is all the work, divided by the cooks. But {case}: two cannot knead one loaf"
    if isclose(got, sum(minutes)):
        return f"you say {got:g}: one cook would need that long. But {case}"
    if isclose(got, _shared_out(sorted(minutes, reverse=True), cooks).makespan):
        return f"you say {got:g}: that is with the longest first. Good idea, but here the order is fixed: {case}"
    if isclose(got, max(minutes)):
        return f"you say {got:g}: that is the longest dish, right if each had its own cook. But {case}"
    if isclose(got, max(sum(minutes[first::cooks]) for first in range(cooks))):
        return (
            f"you say {got:g}: that is dealt out in turn, like cards. But {case}: the cook who is free takes the next"
        )
    return f"you say {got:g}, but {case}"


# --- outcomes --------------------------------------------------------------------------------------------------------


class Burnt(Exception):
    """What the function of this exercise raises for a dish that went wrong."""


class _Stove:
    """A `cook` that notes who is under way. The first calls wait for each other, until two are there."""

    def __init__(self, menu, burnt, last):
        self.menu, self.burnt, self.last = menu, burnt, last  # after the dish `last`, the pool is broken
        self.recorder = Recorder(menu, "calls of cook")
        self.begun, self.under_way, self.most = [], 0, 0
        self._changed = threading.Condition()

    def cook(self, dish: str) -> str:
        with self._changed:
            lane = self.menu.index(dish)
            self.recorder.change(lane, RUNNING, "cook")
            self.begun.append(dish)
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            self._changed.notify_all()
            if len(self.begun) < 3:
                self._changed.wait_for(lambda: self.most > 1, 0.3)
            self.under_way -= 1
            broken = lane > self.menu.index(self.last)
            self.recorder.finish(lane, "lost" if broken else "burnt" if dish == self.burnt else "")
        if broken:
            raise BrokenProcessPool("a process in the pool ended abruptly")
        if dish == self.burnt:
            raise Burnt(dish)
        return f"{dish}, done"


@exercise(
    stub='''
    def outcomes(pool, cook, dishes):
        """A dict: for each dish what cook(dish) returned, or the exception that it raised."""
        ...
    ''',
    solution='''
    def outcomes(pool, cook, dishes):
        """A dict: for each dish what cook(dish) returned, or the exception that it raised."""
        futures = {dish: pool.submit(cook, dish) for dish in dishes}
        found = {}
        for dish, future in futures.items():
            try:
                found[dish] = future.result()
            except Exception as problem:
                found[dish] = problem
        return found
    ''',
    hints=[
        "`pool.submit(cook, dish)` returns at once, with a future. Submit all dishes first, and keep a future for each.",
        "`future.result()` waits for that dish. It returns what `cook` returned, or raises what `cook` raised.",
        "Put `try` and `except Exception as problem` around each single `result()`, inside the loop.",
    ],
    setting="from concurrent.futures import ThreadPoolExecutor, as_completed, wait",
)
def outcomes(answer):
    """Cook all dishes in the pool; return the result or the exception of each. Your function itself must raise nothing."""
    menu = ["soup", "bread", "fish", "rice", "cake", "tea"]
    stove = _Stove(menu, burnt="bread", last="rice")
    with ThreadPoolExecutor(2) as pool:
        try:
            got, raised = call(answer, pool, stove.cook, list(menu)), None
        except (Burnt, BrokenProcessPool) as problem:
            got, raised = None, problem
    timeline = stove.recorder.timeline()
    if raised:
        what = "bread burnt" if isinstance(raised, Burnt) else "the pool broke"
        raise Wrong(f"{what}, and that came out of your function: so the other dishes' results were lost", timeline)
    if len(stove.begun) != len(menu):
        raise Wrong(f"`cook` was called {len(stove.begun)} times in the pool, for {len(menu)} dishes", timeline)
    if stove.most == 1:
        raise Wrong(
            "one dish after the other, though the pool has two cooks: submit all, then ask for results", timeline
        )
    if not isinstance(got, Mapping):
        raise Wrong(f"it returned {got!r:.60}: return a dict with a result or an exception for each dish", timeline)
    if missing := [dish for dish in menu if dish not in got]:
        raise Wrong(f"there is nothing about {', '.join(missing)}: every dish has an outcome, even a bad one", timeline)
    for dish in menu:
        _judge_outcome(dish, got[dish], stove, timeline)
    return Right("four dishes went well or burnt, two were lost with the pool, and you know which", timeline)


def _judge_outcome(dish, found, stove, timeline):
    span = timeline.by_lane[dish][-1] if timeline.by_lane[dish] else None
    lost = stove.menu.index(dish) > stove.menu.index(stove.last)
    if isinstance(found, Future):
        raise Wrong(f"for {dish} you return the future: ask it for its `result()`", timeline, span)
    if lost or dish == stove.burnt:
        if not isinstance(found, BrokenProcessPool if lost else Burnt):
            raise Wrong(f"{dish} went wrong, but you say {found!r:.60}: keep the exception itself", timeline, span)
    elif found != f"{dish}, done":
        raise Wrong(f"for {dish} you say {found!r:.60}: it should be what `cook` returned", timeline, span)


# --- both ------------------------------------------------------------------------------------------------------------


class _Future(Future):
    """Notices when somebody blocks an event loop by waiting for it."""

    waited = False

    def result(self, timeout=None):
        if not self.done() and _in_a_loop():
            type(self).waited = True
        return super().result(timeout)


class _Pool(ThreadPoolExecutor):
    """Stands for a pool of processes: a pool's thread says of itself that it is one."""

    def __init__(self):
        self.mine, self.future = threading.local(), type("_Future", (_Future,), {})
        super().__init__(2, initializer=lambda: setattr(self.mine, "here", True))

    def submit(self, function, /, *args, **kwargs):
        future = self.future()

        def finish(inner):
            if problem := inner.exception():
                future.set_exception(problem)
            else:
                future.set_result(inner.result())

        super().submit(function, *args, **kwargs).add_done_callback(finish)
        return future


def _in_a_loop():
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class _Site:
    """`get` waits until all pages are asked for; the last one waits until another has been computed. Both not for ever."""

    def __init__(self, pages, pool):
        self.pages, self.pool = pages, pool
        self.recorder = Recorder((f"page {page}" for page in pages), "get, then compute")
        self.asked, self.under_way, self.most = [], 0, 0
        self.computed, self.early = [], False
        self.in_loop = self.elsewhere = 0

    async def get(self, page: int) -> str:
        lane = self.pages.index(page)
        self.recorder.change(lane, WAITING, "get")
        self.asked.append(page)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await self._until(lambda: self.most == len(self.pages))
        if page == self.pages[0]:
            await self._until(lambda: self.computed)
            self.early = bool(self.computed)
        self.under_way -= 1
        self.recorder.change(lane, None)
        return f"text of page {page}"

    async def _until(self, condition):
        for _ in range(60):
            if condition():
                return
            await asyncio.sleep(0.005)

    def compute(self, text: str) -> str:
        lane = self.pages.index(int(text.split()[-1]))
        self.recorder.change(lane, RUNNING, "compute")
        if not getattr(self.pool.mine, "here", False):
            self.elsewhere += 1
            self.in_loop += _in_a_loop()
        self.computed.append(text)
        self.recorder.change(lane, None)
        return f"words of {text[8:]}"


@exercise(
    stub='''
    async def both(get, pool, compute, pages):
        """What compute makes of each page, in the order of the pages."""
        ...
    ''',
    solution='''
    async def both(get, pool, compute, pages):
        """What compute makes of each page, in the order of the pages."""
        loop = asyncio.get_running_loop()

        async def one(page):
            text = await get(page)
            return await loop.run_in_executor(pool, compute, text)

        return await asyncio.gather(*[one(page) for page in pages])
    ''',
    hints=[
        "Write a coroutine function for one page first: it awaits `get(page)`, then the pool calls `compute`.",
        "`await asyncio.get_running_loop().run_in_executor(pool, compute, text)` calls `compute(text)` in the pool; "
        "the loop serves the others meanwhile.",
        "`await asyncio.gather(*[one(page) for page in pages])` runs one for each page, and keeps their order.",
    ],
    setting="import asyncio",
)
def both(answer):
    """Get all pages at once with asyncio; let the pool compute each as soon as it is there; keep their order."""
    pages = [1, 2, 3, 4]
    with _Pool() as pool:
        site = _Site(pages, pool)
        ran = run(answer, site.get, pool, site.compute, list(pages))
        waited = pool.future.waited
    timeline = site.recorder.timeline()
    computing = next((span for span in timeline.spans if span.state is RUNNING), None)
    if len(site.asked) != len(pages):
        raise Wrong(f"you awaited `get` {len(site.asked)} times for {len(pages)} pages", timeline)
    if site.in_loop:
        raise Wrong(
            "you called `compute` in the event loop's own thread: while it computes, no page can come in",
            timeline,
            computing,
        )
    if site.elsewhere:
        raise Wrong("`compute` was called in a thread, not in the pool: threads share the GIL", timeline, computing)
    if waited:
        raise Wrong(
            "the loop stood still until the pool was done: await the future instead of asking for its result",
            timeline,
            computing,
        )
    if len(site.computed) != len(pages):
        raise Wrong(f"you called `compute` {len(site.computed)} times for {len(pages)} pages", timeline)
    if site.most == 1:
        raise Wrong("you got the pages one after the other: their waits can overlap", timeline)
    if site.most < len(pages):
        raise Wrong(f"only {site.most} of {len(pages)} pages were under way at once", timeline)
    if not site.early:
        raise Wrong(
            "the pool computed nothing before the last page had come: compute each as soon as it is there", timeline
        )
    expected = [f"words of page {page}" for page in pages]
    if ran.value is None:
        raise Wrong("everything is done, but it returned None: return the list of what `compute` made", timeline)
    if not isinstance(ran.value, (list, tuple)):
        raise Wrong(f"it returned a {type(ran.value).__name__}: return a list", timeline)
    if list(ran.value) != expected:
        if sorted(map(str, ran.value)) == sorted(expected):
            raise Wrong(
                "all results are there, but in the order in which they came, not in the order of the pages", timeline
            )
        raise Wrong(f"it returned {list(ran.value)!r:.80}: it should be what `compute` made of each page", timeline)
    return Right("the waits overlapped in one thread, and the work went to the pool as it came", timeline)
