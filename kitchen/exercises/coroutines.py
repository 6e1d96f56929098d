"""The exercises of notebook 04: generators, an event loop, coroutines and tasks.

An exercise stays in one piece, judge, stub, solution and hints, which makes more than 400 lines.
"""

import asyncio
import inspect
import random
import sys
from collections.abc import Iterator
from itertools import zip_longest
from threading import current_thread
from time import perf_counter, sleep

from kitchen import simulate
from kitchen.exercises import quizzes
from kitchen.lesson.exercise import Right, exercise
from kitchen.lesson.running import Wrong, call, run
from kitchen.recipe import WORK, Dish, wait, work
from kitchen.timeline import READY, RUNNING, WAITING, Table, Timeline
from kitchen.timeline.words import short

quiz = quizzes.quiz(__name__)

ANSWER_SECONDS = 3.0  # that an answer may take here: the slowest right one takes a twentieth of a second


def _times(count):
    return {0: "not once", 1: "once", 2: "twice"}.get(count, f"{count} times")


# --- 1 ---------------------------------------------------------------------------------------------------------------

STIR_PAUSE = 2  # minutes between two stirs


@exercise(
    stub='''
        def risotto(times, stir):
            """Stirs that many times, and yields 2 between two stirs."""
            ...
    ''',
    solution="""
        def risotto(times, stir):
            for number in range(times):
                if number > 0:
                    yield 2
                stir()
    """,
    hints=[
        "A function with a `yield` in it is a generator function. Nothing in it runs before somebody calls `next`.",
        "A loop over `range(times)`, with `stir()` and `yield 2` in it, is nearly right. Which yield is one too many?",
        "A wait belongs *between* two stirs: before every stir but the first. `if number > 0: yield 2`, and then `stir()`.",
    ],
)
def risotto(answer):
    """Write the generator function risotto(times, stir): it stirs that many times, and yields 2 between two stirs."""
    for times in (3, 1, 0, 6):
        steps = call(_driven, answer, times, seconds=ANSWER_SECONDS)
    text = f"it stirs, lets go for {STIR_PAUSE} minutes, and goes on, until it has stirred often enough."
    return Right(text, _picture(steps))


def _driven(answer, times):
    """The steps that came of it: a stir (a minute, say) or a wait."""
    steps, here = [], f"risotto({times}, stir)"
    pot = answer(times, lambda: steps.append(work("stir", 1)))
    if not isinstance(pot, Iterator):
        did = f"called stir {_times(len(steps))} and " if steps else ""
        raise Wrong(f"{here} {did}returned {pot!r} at once: with a `yield` in it, it would return a generator")
    if steps:
        raise Wrong(f"{here} had stirred {_times(len(steps))} before anybody called next: stir beside the yield")
    for number, minutes in enumerate(pot, start=1):
        if minutes != STIR_PAUSE:
            said = f"yielded {minutes!r}, but the loop needs the minutes of the wait: yield {STIR_PAUSE}"
            raise Wrong(f"{here} {said}", _picture(steps))
        steps.append(wait("simmer", STIR_PAUSE))
        stirs = len(steps) - number
        if stirs < number:
            raise _odd(
                f"{here}: at yield number {number} it had stirred {_times(stirs)}: a stir comes before each wait", steps
            )
        if stirs > number:
            raise _odd(
                f"{here}: at yield number {number} it had stirred {_times(stirs)} already: yield after each", steps
            )
        if stirs >= times:
            raise _odd(f"{here}: it had stirred {_times(stirs)}, and waited once more: nobody wants that wait", steps)
    stirs = sum(step.kind == WORK for step in steps)
    if stirs != times:
        raise _odd(f"{here} stirred {_times(stirs)} in all", steps)
    return steps


def _odd(text, steps):
    picture = _picture(steps)
    return Wrong(text, picture, picture.spans[-1] if picture.spans else None)


def _picture(steps):
    return simulate.cooperative([Dish("risotto", steps)])


# --- 2 ---------------------------------------------------------------------------------------------------------------


@exercise(
    stub='''
        def loop_with_results(tasks, clock):
            """Drives all tasks to their ends; returns what they returned, in the order of `tasks`."""
            ...
    ''',
    solution='''
        def loop_with_results(tasks, clock):
            """Drives all tasks to their ends; returns what they returned, in the order of `tasks`."""
            results = {}
            ready, sleepers, waits = deque(tasks), [], 0
            while ready or sleepers:
                if not ready:
                    clock.sleep_until(sleepers[0][0])
                while sleepers and sleepers[0][0] <= clock.now:
                    ready.append(heappop(sleepers)[-1])
                task = ready.popleft()
                try:
                    minutes = task.send(None)
                except StopIteration as end:
                    results[task] = end.value
                    continue
                waits += 1
                heappush(sleepers, (clock.now + minutes, waits, task))
            return [results[task] for task in tasks]
    ''',
    hints=[
        "Three things happen in each round: a task whose wait is over becomes READY; the first READY task "
        "goes on; and if it yields, it becomes a sleeper.",
        "`sleepers` is a heap: `sleepers[0][0]` is the minute of the first to wake, `heappop(sleepers)` takes it out. "
        "Move all entries whose minute is not after `clock.now` to the end of `ready`.",
        "A task that is done raises StopIteration. `except StopIteration as end:` has the returned value in `end.value`.",
        "If it yields `minutes`, count a number `waits` up and `heappush(sleepers, (clock.now + minutes, waits, task))`: "
        "the count decides between two that wake at the same minute.",
    ],
    setting="""
        from collections import deque
        from heapq import heappop, heappush
    """,
)
def loop_with_results(answer):
    """Write the event loop: it drives generators that yield minutes, and returns a list of what they return."""
    for called, dishes in MENUS.items():
        clock = _Clock()
        tasks = [clock.cook(number, dish) for number, dish in enumerate(dishes)]
        clock.call = f"{called}: "
        try:
            given = call(answer, tasks, clock, seconds=ANSWER_SECONDS)
        except TypeError as error:
            if "'<' not supported between instances of 'generator' and 'generator'" not in str(error):
                raise
            text = (
                "two dishes wake at the same minute, so the heap compares the generators: put a running number between"
            )
            raise Wrong(f"{clock.call}{text}", clock.timeline(dishes)) from None
        clock.judge(dishes, given)
    return Right(
        f"the same as the model, span for span, on {len(MENUS)} menus, and every result in its place.",
        clock.timeline(dishes),
    )


def _random_menu(seed):
    """A menu of dishes that often become ready at the same minute, and often wait for no time at all."""
    chance = random.Random(seed)
    dishes = []
    for number in range(chance.randint(2, 6)):
        kinds = [chance.choice([work, wait]) for _ in range(chance.randint(1, 6))]
        steps = [kind(f"{kind.__name__} {n}", chance.choice([0, 1, 1, 2, 3, 5])) for n, kind in enumerate(kinds)]
        dishes.append(Dish(f"dish {number}", steps))
    return dishes


MENUS = {  # what each is called in a verdict
    "one dish": [Dish("tea", [work("fill", 1), wait("boil", 4), work("pour", 1)])],
    "two dishes": [
        Dish("egg", [work("prick", 1), wait("boil", 6), work("peel", 1)]),
        Dish("toast", [work("slice", 1), wait("toast", 2), work("butter", 2), wait("cool", 1), work("cut", 1)]),
    ],
    "a dish that never waits": [Dish("salad", [work("chop", 4)]), Dish("tea", [wait("boil", 2), work("pour", 1)])],
    "two that wake at the same minute": [
        Dish("rice", [work("rinse", 1), wait("soak", 1), work("stir", 1), wait("swell", 3), work("serve", 1)]),
        Dish("peas", [wait("thaw", 5), work("serve", 2)]),
    ],
    "no dish at all": [],
} | {f"random menu number {seed}": _random_menu(seed) for seed in range(1, 21)}
MENUS |= {"the dinner": simulate.recipe.dinner()}


class _Clock:
    """The clock of the model, and what was cooked by it: the generators that it makes note when they are driven."""

    MOST_LOOKS = 20_000  # looks at a clock that stands still: somebody goes round in circles

    def __init__(self):
        self._now = 0.0
        self.looks = 0
        self.rows, self.trouble, self.left = [], None, {}
        self.call = ""

    @property
    def now(self):
        self.looks += 1
        if self.looks > self.MOST_LOOKS:
            raise Wrong(
                f"{self.call}your loop goes round and round at minute {short(self._now)}, and nothing moves the clock: "
                "when nobody is READY, clock.sleep_until the first wait is over"
            )
        return self._now

    def sleep_until(self, minute):
        self.looks += 1
        if minute > self._now:
            self._now, self.looks = float(minute), 0

    def cook(self, number, dish):
        self.left[dish.name] = len(dish.steps)
        due = 0.0
        for step in dish.steps:
            self._resumed(number, dish, due, step)
            start = self._now
            if step.kind == WORK:
                self._now += step.duration
                self.looks = 0
                self.rows.append((number, RUNNING, step.label, start, self._now))
            else:
                due = start + step.duration
                self.rows.append((number, WAITING, step.label, start, due))
                yield step.duration
            self.left[dish.name] -= 1
        self._resumed(number, dish, due, None)
        return f"{dish.name} is done"

    def _resumed(self, number, dish, due, step):
        if self._now < due and self.trouble is None:
            what = step.label if step else "the end"
            self.trouble = (
                number,
                f"{dish.name} went on with {what!r} at minute {short(self._now)}, but had to wait until {short(due)}",
            )

    def timeline(self, dishes):
        lanes = [dish.name for dish in dishes]
        rows = [
            row for row in self.rows if row[0] != (self.trouble and self.trouble[0])
        ]  # it would overlap with itself
        columns = zip(*rows, strict=True) if rows else [()] * 5
        return Timeline(lanes, Table(*map(list, columns)), gaps=READY, title="your loop")

    def judge(self, dishes, given):
        timeline, model = self.timeline(dishes), simulate.cooperative(dishes)
        if self.trouble:
            number, text = self.trouble
            spans = [span for span in model.by_lane[dishes[number].name] if span.state is WAITING]
            raise Wrong(f"{self.call}{text}: it was WAITING, not READY", model, spans[0] if spans else None)
        unfinished = {name: left for name, left in self.left.items() if left}
        if unfinished:
            name = min(unfinished)
            raise Wrong(
                f"{self.call}{name} was left unfinished: the loop ends when nobody is READY and nobody sleeps", timeline
            )
        if timeline.spans != model.spans:
            self._differs(timeline, model)
        wanted = [f"{dish.name} is done" for dish in dishes]
        if given is None:
            raise Wrong(
                f"{self.call}everything is cooked correctly, but the function returned None: is there a `return`?",
                timeline,
            )
        if not isinstance(given, (list, tuple)):
            raise Wrong(f"{self.call}this should be a list of results, but it is a {type(given).__name__}", timeline)
        if list(given) != wanted:
            if sorted(map(str, given)) == sorted(wanted):
                raise Wrong(
                    f"{self.call}all results are there, but in the order in which the tasks ended: {list(given)}",
                    timeline,
                )
            raise Wrong(f"{self.call}you returned {list(given)}, but the tasks returned {wanted}", timeline)

    def _differs(self, timeline, model):
        text = f"{self.call}"
        if timeline.makespan > model.makespan:
            text += f"it took {short(timeline.makespan)} minutes, but {short(model.makespan)} are enough; "
        pairs = [*zip_longest(timeline.cook, model.cook), *zip_longest(timeline.by_time, model.by_time)]
        yours, ours = next((yours, ours) for yours, ours in pairs if yours != ours)
        text += f"the first to differ: {_said(yours)}, in the model {_said(ours)}"
        raise Wrong(f"{text}. The dish READY longest comes next", timeline, yours)


def _said(span):
    return f"{span.lane} is at {span.label!r} from minute {short(span.start)}" if span else "it is all over"


# --- 3 ---------------------------------------------------------------------------------------------------------------

PAGES = (1, 2, 3)
DELAYS = {1: 0.03, 2: 0.02, 3: 0.01}  # the first to be asked for is the last to come


@exercise(
    stub="""
        async def three_pages(get):
            one = await get(1)
            two = await get(2)
            three = await get(3)
            return [one, two, three]
    """,
    solution="""
        async def three_pages(get):
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(get(page)) for page in (1, 2, 3)]
            return [task.result() for task in tasks]
    """,
    hints=[
        "`await get(1)` drives page 1 until it is there, and nothing else of this function meanwhile. Give all three "
        "to the loop before you wait for the first.",
        "`asyncio.create_task(get(1))` hands a coroutine to the loop. Make three tasks; await them after that. A task "
        "keeps its result.",
        "`asyncio.gather(get(1), get(2), get(3))` makes the tasks for you. Await it; it gives a list in the "
        "order in which you asked.",
    ],
)
def three_pages(answer):
    """Make the three requests overlap, and return the three texts in the order 1, 2, 3."""
    site = _Site()
    ran = run(answer, site.get, seconds=ANSWER_SECONDS)
    site.close()
    timeline = site.timeline()
    asked = [page for page in PAGES if page in site.asked]
    if len(asked) < len(PAGES):
        missing = next(page for page in PAGES if page not in asked)
        made = f" (get({missing}) was called, but nobody awaited what it returned)" if missing in site.called else ""
        raise Wrong(f"page {missing} was never fetched{made}", timeline)
    if len(site.asked) > len(PAGES):
        twice = max(PAGES, key=site.asked.count)
        raise Wrong(f"page {twice} was fetched {_times(site.asked.count(twice))}: once is enough", timeline)
    if site.most < len(PAGES):
        over = min(span.end for span in timeline.spans)
        late = next(span for span in timeline.by_time if span.start >= over)
        say = "one after the other" if site.most == 1 else f"no more than {site.most} at once"
        if site.called_first == len(PAGES):
            say += ", though get was called three times before: a call starts nothing"
        raise Wrong(f"{say}: the request for {late.lane} began only when another had ended", timeline, late)
    _texts(ran.value, site, timeline)
    return Right("all three were under way at once, and the texts are in the order in which you asked.", timeline)


def _texts(given, site, timeline):
    wanted = [_Site.text(page) for page in PAGES]
    if given is None:
        raise Wrong("all three were fetched, but the function returned None: is there a `return`?", timeline)
    if isinstance(given, (asyncio.Future, asyncio.Task)) or inspect.iscoroutine(given):
        raise Wrong(f"you returned a {type(given).__name__}, which still has to be awaited: return the texts", timeline)
    if not isinstance(given, (list, tuple)):
        raise Wrong(f"this should be a list of three texts, but it is a {type(given).__name__}", timeline)
    if any(isinstance(item, asyncio.Future) for item in given):
        raise Wrong(
            "your list has tasks in it, not texts: `await task`, or `task.result()` when it is done, gives the text",
            timeline,
        )
    if list(given) == wanted:
        return
    if sorted(map(str, given)) == sorted(wanted):
        last = max(timeline.spans, key=lambda span: span.end)
        raise Wrong(
            f"you returned the texts in the order in which they came, {', '.join(map(str, given))}", timeline, last
        )
    raise Wrong(f"you returned {list(given)!r}; it should be {wanted!r}", timeline)


class _Site:
    """Three pages, of which it is counted how many are under way at once."""

    def __init__(self):
        self.called, self.asked, self.under_way, self.most = {}, [], 0, 0
        self.called_first = 0  # times before the first was driven
        self.began, self.rows = perf_counter(), []

    @staticmethod
    def text(page):
        return f"text of page {page}"

    def get(self, page):
        self.called[page] = self._get(page)
        return self.called[page]

    def close(self):
        """Nobody is going to await these any more: closed, Python does not complain of them."""
        for coroutine in self.called.values():
            if inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
                coroutine.close()

    async def _get(self, page):
        start = perf_counter() - self.began
        self.called_first = self.called_first or len(self.called)
        self.asked.append(page)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(DELAYS.get(page, 0.01))
        finally:
            self.under_way -= 1
            self.rows.append((page, start, perf_counter() - self.began))
        return self.text(page)

    def timeline(self):
        first = min((start for _, start, _ in self.rows), default=0.0)
        rows = sorted((str(page), start - first, end - first) for page, start, end in self.rows)
        lanes = [f"page {page} ({n})" if n > 1 else f"page {page}" for n, page in _numbered(page for page, *_ in rows)]
        columns = [
            range(len(rows)),
            [WAITING] * len(rows),
            ["under way"] * len(rows),
            *zip(*(row[1:] for row in rows), strict=True),
        ]
        return Timeline(lanes, Table(*columns) if rows else Table((), (), (), (), ()), unit="s", title="your code")


def _numbered(things):
    seen = {}
    for thing in things:
        seen[thing] = seen.get(thing, 0) + 1
        yield seen[thing], thing


# --- 4 ---------------------------------------------------------------------------------------------------------------

MANY = 20  # pieces
COMPUTING = 0.0005  # seconds that one takes
IN_THREADS = "in a thread you do not decide when the others get their turns: give way yourself between the pieces"


@exercise(
    stub="""
        async def total(piece, n):
            result = 0
            for i in range(n):
                result += piece(i)
            return result
    """,
    solution="""
        async def total(piece, n):
            result = 0
            for i in range(n):
                result += piece(i)
                await asyncio.sleep(0)
            return result
    """,
    hints=[
        "Others get a turn when the loop gets control, and that happens when an `await` in this function "
        "really has to wait.",
        "An `async def` of your own with nothing in it is not enough: awaiting it gives nothing away. What did the polite "
        "dough do in 03?",
        "`await asyncio.sleep(0)` after each piece: those that are READY get a turn, then your function goes on.",
    ],
)
def total(answer):
    """Give way between the pieces, so that the others get their turns, the sum is the same, and no time is lost."""
    if not inspect.iscoroutinefunction(answer):
        raise Wrong("this is not a coroutine function: start it with `async def`, so that it can await")
    long = _Long(answer)
    ran = run(long.beside_a_neighbour, seconds=ANSWER_SECONDS)
    timeline = long.timeline()
    if sorted(long.asked) != list(range(MANY)):
        missing = [i for i in range(MANY) if i not in long.asked]
        twice = [i for i in long.asked if long.asked.count(i) > 1]
        odd = (
            f"piece({missing[0]}) was never called"
            if missing
            else f"piece({(twice or [long.asked[-1]])[0]}) was called too often"
        )
        raise Wrong(f"of {MANY} pieces, {odd}", timeline)
    if not any(long.turns):
        if long.for_nothing:
            text = f"you awaited {long.for_nothing}(), but nothing in it has to wait, and the loop never got control"
        elif long.in_threads:
            text = IN_THREADS
        elif long.in_tasks:
            text = "the pieces had tasks of their own, and all of these queued before it"
        else:
            text = "nothing in your function let go of the loop there"
        text = f"the neighbour was READY all the time, and had no turn between any of the {MANY} pieces: {text}"
        raise Wrong(text, timeline, timeline.by_lane["neighbour"][0])
    if 0 in long.turns:
        at = long.turns.index(0)
        text = f"between piece {at} and piece {at + 1} the neighbour had no turn"
        text += f": {IN_THREADS if long.in_threads else 'give way after each of them'}"
        raise Wrong(text, timeline, max(timeline.by_lane["neighbour"], key=lambda span: span.duration))
    if long.slept:
        text = (
            f"the neighbour gets its turns, but you slept for {short(long.slept)} s in all, with work to do: "
            "sleep(0) comes back as soon as the others have had theirs"
        )
        raise Wrong(text, timeline)
    if ran.value is None:
        raise Wrong("you gave way, but the function returned None: is there a `return`?", timeline)
    if ran.value != long.sum:
        raise Wrong(f"the pieces add up to {long.sum}, but you returned {ran.value!r}", timeline)
    return Right(f"the neighbour had a turn between any two of the {MANY} pieces, and no time was lost.", timeline)


class _Long:
    """A long computation in pieces, and a neighbour who would always like a turn."""

    def __init__(self, answer):
        self.answer = answer
        self.asked, self.sum = [], 0
        self.turns = []  # of the neighbour, between a piece and the next
        self.since = None
        self.task = self.thread = None  # what drives the answer
        self.in_tasks = 0  # pieces that other tasks asked for
        self.in_threads = 0  # pieces that were computed in other threads
        self.for_nothing = ""  # the last coroutine function that was driven by the answer, and did not have to wait
        self.slept = 0.0  # seconds that the answer asked to sleep for
        self.rows, self.began, self.idle_from = [], perf_counter(), 0.0

    def piece(self, i):
        if self.asked:
            self.turns.append(self.since)
        self.asked.append(i)
        self.in_threads += current_thread() is not self.thread
        self.in_tasks += current_thread() is self.thread and asyncio.current_task() is not self.task
        start = perf_counter() - self.began
        if len(self.asked) > 10 * MANY:
            raise Wrong(f"piece was called {len(self.asked)} times for {MANY} pieces")
        while perf_counter() - self.began < start + COMPUTING:
            sleep(0)
        self.rows.append((0, RUNNING, f"piece {i}", start, perf_counter() - self.began))
        self.since = 0
        number = 3 * int(i) + 1 if isinstance(i, int) else 0
        self.sum += number
        return number

    async def neighbour(self):
        while True:
            start = perf_counter() - self.began
            if self.since is not None:
                self.since += 1
            self.rows += (
                (1, READY, "would like a turn", self.idle_from, start),
                (1, RUNNING, "has a turn", start, start + 2e-5),
            )
            self.idle_from = start + 2e-5
            sleep(2e-5)  # noqa: ASYNC251 (lets go of the GIL: an answer may compute in a thread)
            await asyncio.sleep(0)

    async def beside_a_neighbour(self):
        loop, self.task, self.thread = asyncio.get_running_loop(), asyncio.current_task(), current_thread()
        call_later = loop.call_later

        def noted(delay, *arguments, **more):
            self.slept += max(delay, 0.0)
            return call_later(delay, *arguments, **more)

        neighbour = asyncio.create_task(self.neighbour(), name="neighbour")
        loop.call_later = noted
        sys.setprofile(self._looks)
        try:
            return await self.answer(self.piece, MANY)
        finally:
            sys.setprofile(None)
            del loop.call_later
            ended = perf_counter() - self.began
            if self.idle_from < ended:
                self.rows.append((1, READY, "would like a turn", self.idle_from, ended))
            neighbour.cancel()

    def _looks(self, frame, event, what):
        """Notes coroutine functions of the reader's that came to their end."""
        code = frame.f_code
        reader = inspect.unwrap(self.answer).__code__
        its_own = asyncio.current_task() is self.task and code.co_filename == reader.co_filename and code is not reader
        if event == "return" and its_own and code.co_flags & inspect.CO_COROUTINE:
            self.for_nothing = code.co_name

    def timeline(self):
        rows = [row for row in self.rows if row[4] > row[3]]
        first = min((row[3] for row in rows), default=0.0)
        columns = list(zip(*((*row[:3], row[3] - first, row[4] - first) for row in rows), strict=True)) or [()] * 5
        return Timeline(["total", "neighbour"], Table(*columns), unit="s", title="your code beside a neighbour")
