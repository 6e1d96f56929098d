"""The exercises of notebook 07: enough places, a crowd that is sent away, pages as they come, a whole harvest.

The pages come from a site in memory (`pages.py`).

An exercise stays in one piece, judge, stub, solution and hints, which makes more than 400 lines.
"""

import asyncio
from itertools import count
from math import ceil, floor, log10

from kitchen import simulate
from kitchen.exercises import quizzes
from kitchen.lesson.exercise import Right, exercise
from kitchen.lesson.pages import (
    VISIT_SECONDS,
    Answer,
    PracticeSite,
    a_place_was_never_empty,
    coroutine_function,
    each_was_asked_for_once,
    rounds,
    text_of,
)
from kitchen.lesson.running import Wrong, call
from kitchen.recipe import downloads
from kitchen.timeline.words import short

quiz = quizzes.quiz(__name__)


def _many(number, thing):
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _were(number, thing):
    return f"{_many(number, thing)} {'was' if number == 1 else 'were'}"


# --- 1 ---------------------------------------------------------------------------------------------------------------

MENUS = {
    "40 quick answers": downloads(40, latency=3.0, work=1.0),
    "60 slow answers": downloads(60, latency=10.0, work=0.5),
    "50 very slow answers": downloads(50, latency=50.0, work=0.1),
}
NEAR = 1.1  # times the lower bound: that is near enough


@exercise(
    stub="""
    def enough(dishes):
        # the smallest limit with which the model takes at most 1.1 times simulate.lower_bound(dishes)
        ...
    """,
    solution="""
    def enough(dishes):
        limit = 1
        while simulate.cooperative(dishes, limit=limit).makespan > 1.1 * simulate.lower_bound(dishes):
            limit += 1
        return limit
    """,
    hints=[
        "`simulate.cooperative(dishes, limit=7).makespan` says how long it takes with seven places. No schedule "
        "is faster than `simulate.lower_bound(dishes)`.",
        "Try 1, then 2, then 3, and stop at the first that is fast enough. The model is quick, so you need not be clever.",
        "Little's law gives the right order of magnitude at once, but the evening has a beginning and an end, when not all "
        "places are in use: you need a few more than it says.",
    ],
    setting="from kitchen import simulate",
)
def enough(answer):
    """Find the smallest limit with which the model takes at most 1.1 times the lower bound."""
    found = []
    for name, dishes in MENUS.items():
        bound = simulate.lower_bound(dishes)
        limit = call(answer, list(dishes), seconds=VISIT_SECONDS)
        if limit is None:
            raise Wrong("it returned None: is there a `return` at the end?")
        if isinstance(limit, bool) or not isinstance(limit, (int, float)) or limit != int(limit) or limit < 1:
            raise Wrong(f"it returned {limit!r}: a limit is a whole number of places, 1 or more")
        limit = int(limit)
        timeline = simulate.cooperative(dishes, limit=limit)
        if timeline.makespan > NEAR * bound:
            outside = [span for span in timeline.spans if span.label == "waiting for a place"]
            over = timeline.makespan / bound - 1
            text = f"{name}: with {_many(limit, 'place')} it takes {short(timeline.makespan)} min"
            text += f", {over:.0%} above the bound"
            raise Wrong(f"{text}. Look at who waits outside", timeline, outside[-1] if outside else None)
        fewer = next(k for k in count(1) if simulate.cooperative(dishes, limit=k).makespan <= NEAR * bound)
        if fewer < limit:
            raise Wrong(f"{name}: {limit} places are enough, but so are {fewer}: find the smallest", timeline)
        found.append(limit)
    shown = simulate.cooperative(MENUS["60 slow answers"], limit=found[1])
    return Right(f"{', '.join(map(str, found))} places are enough for the three menus, and no fewer", shown)


# --- 2 ---------------------------------------------------------------------------------------------------------------

SERVES = 6  # at once
CROWD = 24
MISSING = "page 2"  # which there is not: 404
RETRY_AFTER = 1
MOST_REQUESTS = 54  # 60 are what a crowd needs that comes back to the second


class Strict(PracticeSite):
    """A site that serves `SERVES` requests at once, and sends the others away with a 429. It has `sleep` on its clock."""

    def __init__(self, pages):
        super().__init__(dict.fromkeys(pages, 0.1), places=0)
        self.serving, self.keys = 0, count(len(pages) * 1000)
        self.answers, self.came_back = [], []  # (lane, status) and (page, when sent away, when it asked again)
        self.sent_away = {}

    async def get(self, page):
        lane, serves = self.requests.begin(page), self.serving < SERVES
        if page in self.sent_away:
            self.came_back.append((lane, self.now - self.sent_away.pop(page)))
        self.serving += serves
        await self.sleep(self.seconds[page] if serves else 0.01)
        self.serving -= serves
        status = 429 if not serves else 404 if page == MISSING else 200
        if not serves:
            self.sent_away[page] = self.now
        self.answers.append((page, status))
        self.requests.end(lane, "" if serves else "429: too many requests")
        return Answer(status, None if serves else RETRY_AFTER)

    async def sleep(self, seconds):
        key, woken = next(self.keys), asyncio.get_running_loop().create_future()
        self.due[key] = self.now + max(seconds, 0.0), woken
        try:
            await woken
        finally:
            del self.due[key]


@exercise(
    stub="""
    async def get_politely(get, url, sleep):
        # answer = await get(url); as long as answer.status is 429: await sleep(seconds), and ask again
        # at least answer.retry_after seconds, and not everybody equally long
        ...
    """,
    solution="""
    async def get_politely(get, url, sleep):
        answer = await get(url)
        while answer.status == 429:
            await sleep(answer.retry_after * random.uniform(1, 2))
            answer = await get(url)
        return answer
    """,
    hints=[
        "Write a loop: as long as the status is 429, `await sleep(…)` and ask again. Every other status is an answer.",
        "How long? At least `answer.retry_after`: the site has asked for that. And a bit more, at random.",
        "`random.uniform(1, 2)` is a number somewhere between 1 and 2. Multiply: then a crowd that was refused "
        "in one moment comes back spread over a second.",
    ],
    setting="import random",
)
def get_politely(answer):
    """Ask again after a 429, when the site says so, but not at the same moment as the rest of the crowd."""
    coroutine_function(answer)
    pages = [f"page {number}" for number in range(CROWD)]
    site = Strict(pages)

    async def crowd(get):
        return await asyncio.gather(*(answer(get, page, site.sleep) for page in pages))

    values = site.visited(crowd)
    timeline, requests = site.timeline, site.requests
    first = {page: requests.span(requests.asked.index(page)) for page in requests.asked}
    for page, value in zip(pages, values, strict=True):
        if page not in first:
            raise Wrong(f"`get` was never awaited for {page}", timeline)
        if value is None:
            raise Wrong("it returned None: return the answer that you got in the end", timeline)
        statuses = [status for asked, status in site.answers if asked == page]
        if 404 in statuses[:-1]:
            times = len(statuses) - statuses.index(404) - 1
            text = f"{page} got a 404, and you asked for it {times} more times: only 429 means “later”"
            raise Wrong(text, timeline, requests.span(_last_of(requests, page)))
        if statuses[-1] == 429:
            text = f"{page} was given up after a 429: as long as the site says “later”, ask again later"
            raise Wrong(text, timeline, requests.span(_last_of(requests, page)))
        if value != Answer(statuses[-1]):
            raise Wrong(f"for {page} it returned {value!r}, not the last answer of `get`", timeline)
    for lane, pause in site.came_back:
        if pause == 0:
            text = (
                f"refused with a 429 and back in the same moment, without any `sleep`: {len(requests.asked)} requests"
            )
            raise Wrong(f"{text} for {CROWD} pages", timeline, requests.span(lane))
        if pause < RETRY_AFTER - 1e-9:
            text = f"it came back after {short(pause)} s, but the site had asked for {RETRY_AFTER} s"
            raise Wrong(f"{text}: read `retry_after`", timeline, requests.span(lane))
    _spread(site)
    text = f"{len(requests.asked)} requests for {CROWD} pages, of which {SERVES} can be served at once"
    return Right(f"{text}: nobody was too early, and the crowd came back spread out", timeline)


def _spread(site):
    """Raises Wrong when those who had been sent away came back all together."""
    requests = site.requests
    begun = [round(requests.span(lane).start, 9) for lane, _ in site.came_back]
    if begun:
        moment = max(begun, key=begun.count)
        together = begun.count(moment)
        if together > SERVES:
            lane = site.came_back[begun.index(moment)][0]
            text = f"{together} of those refused came back in the very same moment, and most were refused again"
            raise Wrong(f"{text}: wait a bit longer at random", site.timeline, requests.span(lane))
    if len(requests.asked) > MOST_REQUESTS:
        back = {requests.asked[lane]: requests.span(lane).start for lane, _ in reversed(site.came_back)}  # at first
        spread = max(back.values()) - min(back.values())
        text = f"{len(requests.asked)} requests for {CROWD} pages. Those refused came back nearly together"
        text += f": they came back within {_upwards(spread)} s of each other"
        raise Wrong(f"{text}; spread them over about as long again as the site asked for", site.timeline)


def _upwards(seconds):
    """A time with one digit, and no shorter than it was."""
    step = 10.0 ** floor(log10(max(seconds, 1e-9)))
    return f"{ceil(seconds / step - 1e-9) * step:.1g}"


def _last_of(requests, page):
    return len(requests.asked) - 1 - requests.asked[::-1].index(page)


# --- 3 ---------------------------------------------------------------------------------------------------------------

UNEVEN = dict(
    zip([f"page {number}" for number in range(10)], [6, 2.3, 1.1, 4.7, 0.8, 3.9, 1.3, 2.6, 0.7, 1.9], strict=True)
)
PLACES = 4
CLEANING = 0.02  # seconds, for which a request that is cancelled goes on
HAD_ENOUGH = 3  # pages, after which the reader stops listening


@exercise(
    stub="""
    async def as_they_come(get, urls, limit):
        # yield each page as soon as it is there; at most `limit` requests at once
        yield ...
    """,
    solution="""
    async def as_they_come(get, urls, limit):
        places = asyncio.Semaphore(limit)

        async def page_of(url):
            async with places:
                return await get(url)

        tasks = [asyncio.create_task(page_of(url)) for url in urls]
        try:
            for first in asyncio.as_completed(tasks):
                yield await first
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    """,
    hints=[
        "An `async def` with a `yield` in it is an async generator: you use it with `async for page in …`.",
        "`for first in asyncio.as_completed(tasks): yield await first` hands over what comes first. The limit "
        "is a semaphore, as always.",
        "And if the reader stops early? Then somebody closes the generator: its `yield` raises GeneratorExit. `try:` … "
        "`finally:` runs in every case. Cancel what is still under way there, and await its end: "
        "`gather(…, return_exceptions=True)`.",
    ],
)
def as_they_come(answer):
    """Hand over each page as soon as it is there, at most `limit` at once, and leave nothing running behind."""
    site, pages = PracticeSite(UNEVEN, PLACES), list(UNEVEN)
    came = []

    async def listen(get, urls, limit):
        async for page in stream(answer, get, urls, limit):
            came.append((page, site.now))

    site.visited(listen, list(pages), PLACES)
    timeline, requests = site.timeline, site.requests
    if len(requests.crowd) > PLACES:
        text = f"{len(requests.crowd)} requests were under way at once, and `limit` was {PLACES}"
        raise Wrong(text, timeline, requests.span(PLACES))
    if not came:
        raise Wrong("nothing was yielded: `yield` each page", timeline)
    each_was_asked_for_once(requests, pages)
    if len(came) != len(pages):
        raise Wrong(f"{len(came)} of {len(pages)} pages were yielded", timeline)
    ends = {text_of(page): requests.span(requests.asked.index(page)).end for page in pages}
    if strange := [page for page, _ in came if page not in ends]:
        raise Wrong(f"{strange[0]!r} was yielded: yield what `get` returned", timeline)
    a_place_was_never_empty(site, PLACES)
    handed_over_at_once(came, ends, timeline, requests)
    nothing_goes_on(answer, pages)
    return Right(
        f"each of the {len(pages)} pages was handed over when it came, and nothing went on after the end", timeline
    )


def handed_over_at_once(came, ends, timeline, requests):
    """Raises Wrong when a page was there and not handed over."""
    page, when = max(came, key=lambda arrived: arrived[1] - ends[arrived[0]])
    late = when - ends[page]
    if late <= 1e-9:
        return
    span = requests.span([text_of(asked) for asked in requests.asked].index(page))
    if all(moment == came[0][1] for _, moment in came):
        text = f"all pages were handed over together, after {short(when)} s, but the first had come after"
        raise Wrong(f"{text} {short(min(ends.values()))} s: `yield` inside the loop that waits", timeline, span)
    text = f"{page!r} came after {short(ends[page])} s and was handed over after {short(when)} s"
    raise Wrong(f"{text}: it had to wait for pages that you asked for earlier", timeline, span)


def nothing_goes_on(answer, pages):
    """Raises Wrong when requests are still under way after the reader has stopped listening."""
    site, under_way, told, problem = PracticeSite(UNEVEN, 0, cleaning=CLEANING), [], [], []

    async def stop_early(get, urls, limit):
        coming = stream(answer, get, urls, limit)
        heard = 0
        async for _ in coming:
            heard += 1
            if heard == HAD_ENOUGH:
                break
        if hasattr(coming, "aclose"):
            try:
                await coming.aclose()
            except BaseExceptionGroup as group:
                if not group.subgroup(GeneratorExit):
                    raise
                problem.append("the `yield` stands inside a TaskGroup, which turned that into an error group")
            except RuntimeError as error:
                if "ignored GeneratorExit" not in str(error):
                    raise
                problem.append("your code went on to the next `yield`: something in it catches GeneratorExit")
        under_way.extend(site.requests.under_way)
        for _ in range(3):
            await asyncio.sleep(0)  # in which who was cancelled hears of it
        told.extend(lane for lane, (_, answered) in site.due.items() if answered.cancelled())

    site.visited(stop_early, list(pages), PLACES)
    if problem:
        raise Wrong(f"the reader stopped, and {problem[0]}: use tasks and `try … finally`", site.timeline)
    stopped = f"the reader stopped after {HAD_ENOUGH} pages, and"
    if going_on := [lane for lane in under_way if lane not in told]:
        text = f"{stopped} {_were(len(going_on), 'request')} still under way"
        raise Wrong(f"{text}: cancel and await them in a `finally`", site.timeline, site.requests.span(going_on[0]))
    if under_way:
        text = f"{stopped} {_were(len(under_way), 'request')} cancelled, but not finished when the generator was closed"
        raise Wrong(f"{text}: await their end in the `finally`", site.timeline, site.requests.span(under_way[0]))


def stream(answer, *arguments):
    """What the reader's code yields. Raises Wrong when it yields nothing that `async for` could take."""
    coming = answer(*arguments)
    if hasattr(coming, "__aiter__"):
        return coming
    if asyncio.iscoroutine(coming):
        coming.close()
        raise Wrong("it is a coroutine, and hands over everything at its end: `yield` makes it an async generator")
    raise Wrong(f"it returned a {type(coming).__name__}: it should be an `async def` with a `yield` in it")


# --- 4 ---------------------------------------------------------------------------------------------------------------

PAGES = {f"page {number}": 1.0 + 7.1 * (number % 7 == 3) + 0.13 * (number * 5 % 11) for number in range(24)}
FAILURES = {"page 4": 1, "page 9": 2, "page 15": 9}  # so often in a row a page cannot be had
MOST_TRIES = 3


class Flaky(PracticeSite):
    """A site of which some pages fail at first, with a ConnectionError. `saved`: when which page was handed over."""

    def __init__(self, places):
        super().__init__(PAGES, places)
        self.saved, self.came = [], {}

    async def get(self, page):
        text = await super().get(page)
        if self.requests.asked.count(page) <= FAILURES.get(page, 0):
            raise ConnectionError(f"{page}: connection reset")
        self.came[page] = self.now
        return text

    def save(self, url, page):
        self.saved.append((url, page, self.now))


class Store:
    """URLs that are made one by one, when they are asked for. `ahead`: the most that were made and not yet fetched."""

    def __init__(self, site, pages):
        self.site, self.pages, self.made, self.ahead = site, pages, 0, 0

    def urls(self):
        for page in self.pages:
            self.made += 1
            self.ahead = max(self.ahead, self.made - len(set(self.site.requests.asked)))
            yield page


@exercise(
    stub='''
    async def harvest(get, urls, save, n):
        """Saves every page as it comes, n at once; a list of the URLs that were given up."""
        ...
    ''',
    solution="""
    async def harvest(get, urls, save, n):
        given_up = []

        async def one(url):
            for _ in range(3):
                try:
                    save(url, await get(url))
                    return
                except ConnectionError:
                    pass
            given_up.append(url)

        async def worker():
            while (url := await queue.get()) is not None:
                await one(url)

        queue = asyncio.Queue(n)
        async with asyncio.TaskGroup() as crew:
            for _ in range(n):
                crew.create_task(worker())
            for url in urls:
                await queue.put(url)
            for _ in range(n):
                await queue.put(None)
        return given_up
    """,
    hints=[
        "Three parts: a function for one URL, with its tries; a worker that takes URLs and does one after the other; and "
        "`n` workers in a `TaskGroup`, whose end waits for all.",
        "Where do the workers get their URLs? From an `asyncio.Queue(n)`, into which you put them; or straight from the "
        "generator: several loops may take turns at one generator, and each URL goes to one of them.",
        "How does a worker learn that there is no more? Put a `None` into the queue for each of them at the end. (Or "
        "await `queue.join()`, and cancel them; it waits until there was a `task_done()` for each `get`.)",
        "One URL: `for _ in range(3):`, and in it `try: save(url, await get(url))` and `return`, "
        "`except ConnectionError: pass`. After the loop it has to be given up.",
    ],
)
def harvest(answer):
    """Fetch all URLs of a generator, n at once; save each page as it comes, try three times, return what you gave up."""
    coroutine_function(answer)
    for n in (4, 3):
        site, pages = Flaky(n), list(PAGES)
        store, alive, left, idle = Store(site, pages), [], set(), set()

        async def visit(get, urls, most, site=site, alive=alive, left=left, idle=idle):
            before = asyncio.all_tasks()

            async def counted(page):
                alive.append(len(asyncio.all_tasks() - before))
                return await get(page)

            value = await answer(counted, urls, site.save, most)
            left |= asyncio.all_tasks() - before
            await rounds()
            idle |= asyncio.all_tasks() - before
            return value

        failed = ""
        try:
            value = site.visited(visit, store.urls(), n)
        except* ConnectionError as errors:
            failed = f"`get` failed, and its error came out ({_first(errors)})"
        if failed:  # outside of `except*`: the first releases of Python 3.11 make a group of what is raised there
            raise Wrong(f"{failed}: try again, and after {MOST_TRIES} tries give that page up", site.timeline)
        requests = site.requests
        if len(requests.crowd) > n:
            text = f"{len(requests.crowd)} requests were under way at once, and n was {n}"
            raise Wrong(f"{text}: there are as many as there are workers", site.timeline, requests.span(n))
        if store.ahead > 2 * n + 2:
            if max(alive, default=0) > 2 * n + 4:
                text = f"{max(alive)} tasks were alive at once: a task for each URL takes memory for each URL"
                raise Wrong(f"{text}. Let {n} tasks do all the work", site.timeline)
            text = f"{store.ahead} URLs had been taken out of the generator and not yet fetched"
            raise Wrong(f"{text}: of ten million, they would all lie in memory. Give the queue a bound", site.timeline)
        _all_saved(site, value, pages)
        a_place_was_never_empty(site, n)
        if idle:
            text = f"{_were(len(idle), 'task')} still there when it had returned: end the workers"
            raise Wrong(text, site.timeline)
        if left:
            text = f"{_were(len(left), 'task')} not over yet when it had returned"
            advice = "cancelling only asks a task to end, so await the end of each"
            raise Wrong(f"{text}: {advice}", site.timeline)
    text = f"{len(site.saved)} of 24 pages, always {n} at once while there were any, each saved when it came"
    return Right(f"{text}; {_many(len(value), 'page')} given up after {MOST_TRIES} tries", site.timeline)


def _first(errors):
    while isinstance(errors, BaseExceptionGroup):
        errors = errors.exceptions[0]
    return errors


def _all_saved(site, value, pages):
    """Raises Wrong when a page is missing, late, or there twice, and when what was given up is not what had to be."""
    timeline, asked, saved = site.timeline, site.requests.asked, [url for url, _, _ in site.saved]
    for page in pages:
        tries, needed = asked.count(page), FAILURES.get(page, 0) + 1
        span = site.requests.span(_last_of(site.requests, page)) if tries else None
        if not tries:
            raise Wrong(f"{page} was never asked for: call `get` for every URL", timeline)
        if tries > min(needed, MOST_TRIES):
            why = "though it had come" if needed <= MOST_TRIES else f"{MOST_TRIES} tries are enough"
            raise Wrong(f"{page} was asked for {tries} times: {why}", timeline, span)
        if tries < min(needed, MOST_TRIES):
            raise Wrong(f"{page} was given up after {_many(tries, 'try')}: try {MOST_TRIES} times", timeline, span)
        if page not in site.came and needed <= MOST_TRIES:
            raise Wrong(f"{page} was begun, and nobody waited for it", timeline, span)
        if (number := saved.count(page)) != (needed <= MOST_TRIES):
            said = "came, and was never saved" if not number else f"was saved {number} times"
            raise Wrong(f"{page} {said}", timeline, span)
    for url, page, when in site.saved:
        if page != text_of(url):
            raise Wrong(f"for {url} you saved {page!r:.40}, not what `get` returned", timeline)
        if when > site.came[url] + 1e-9:
            text = f"{url} came after {short(site.came[url])} s and was saved after {short(when)} s"
            raise Wrong(f"{text}: save each page when it comes", timeline)
    lost = [page for page in pages if FAILURES.get(page, 0) >= MOST_TRIES]
    if not isinstance(value, (list, tuple, set)) or sorted(value) != lost:
        raise Wrong(f"it returned {value!r:.60}: return a list of the URLs that you gave up, {lost}", timeline)
