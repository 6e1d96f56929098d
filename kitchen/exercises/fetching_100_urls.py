"""The exercises of notebook 06: many pages at once, but not too many; failures, and deadlines.

The pages come from a site in memory (`pages.py`).
"""

import asyncio
from time import perf_counter

from kitchen.exercises import quizzes
from kitchen.lesson.exercise import Right, exercise
from kitchen.lesson.pages import (
    VISIT_SECONDS,
    PracticeSite,
    Requests,
    a_place_was_never_empty,
    as_list,
    coroutine_function,
    each_was_asked_for_once,
    rounds,
    text_of,
)
from kitchen.lesson.running import Wrong, run
from kitchen.lesson.shop import Shop as Shop  # which the notebook opens
from kitchen.timeline import WAITING
from kitchen.timeline.words import short

quiz = quizzes.quiz(__name__)

# --- 1 ---------------------------------------------------------------------------------------------------------------

PAGES = dict(zip([f"page {number}" for number in range(12)], [5, 1, 2, 6, 1, 3, 4, 1, 2, 2, 1, 3], strict=True))


@exercise(
    stub="""
    async def fetch_all(get, pages, most):
        # await get(page) for every page, never for more than `most` of them at once
        ...
    """,
    solution="""
    async def fetch_all(get, pages, most):
        places = asyncio.Semaphore(most)

        async def politely(page):
            async with places:
                return await get(page)

        return await asyncio.gather(*(politely(page) for page in pages))
    """,
    hints=[
        "A task for each page is fine. But only a few of them may be inside `get` at once.",
        "An `asyncio.Semaphore(most)` has `most` places. `async with` takes one, or waits for one, and gives it back.",
        "Write a small coroutine function inside that does `async with places: return await get(page)`, and `gather` its "
        "coroutines: `gather` gives the results in the order of the coroutines.",
    ],
)
def fetch_all(answer):
    """Fetch all pages, at most `most` at once, and return the results in the order of the pages."""
    for most in (4, 3):
        site, pages = PracticeSite(PAGES, most), list(PAGES)
        value = site.visited(answer, list(pages), most)
        requests = site.requests
        if len(requests.crowd) > most:
            text = f"{len(requests.crowd)} requests were under way at once, and `most` was {most}"
            raise Wrong(f"{text}: the others must wait before they call `get`", site.timeline, requests.span(most))
        results = as_list(value, pages, site.timeline)
        each_was_asked_for_once(requests, pages)
        a_place_was_never_empty(site, most)
        if results != [text_of(page) for page in pages]:
            place = next(number for number, page in enumerate(pages) if results[number] != text_of(page))
            text = f"in the place of {pages[place]} there is {results[place]!r}: use the order of the pages"
            raise Wrong(text, site.timeline)
    if PracticeSite({}, 1).visited(answer, [], 4) not in ([], ()):
        raise Wrong("for no pages at all it should return an empty list")
    took = short(site.timeline.makespan)
    return Right(f"12 pages in {took} s, never more than {most} at once, and in the right order", site.timeline)


# --- 2 ---------------------------------------------------------------------------------------------------------------

DEADLINE = 0.2  # seconds: the one check that takes time
NEVER_SECONDS = 6 * DEADLINE  # "never", but so that a check ends
SILENT = {"page 1": 0.02, "page 4": 0.06}  # and the seconds for which each cleans up when it is told to end
CLEANING = "cleaning up"
TRIES = 5  # while this computer stands still for half a deadline: then a page that answers at once can be too late, too


@exercise(
    stub="""
    async def fetch_within(get, pages, seconds):
        # all pages at once, and None for each page that has not answered after `seconds`
        ...
    """,
    solution="""
    async def fetch_within(get, pages, seconds):
        async def in_time(page):
            try:
                async with asyncio.timeout(seconds):
                    return await get(page)
            except TimeoutError:
                return None

        return await asyncio.gather(*(in_time(page) for page in pages))
    """,
    hints=[
        "Each page has its own deadline: put it around one `get`, and fetch the pages all at once as before.",
        "`async with asyncio.timeout(seconds):` cancels the code inside it when the time is up, and raises TimeoutError.",
        "Catch TimeoutError outside of that block, and return None there. Do not catch CancelledError: it is the message "
        "with which the timeout ends `get`.",
    ],
)
def fetch_within(answer):
    """Fetch all pages at once; one that has not answered after `seconds` becomes None, and nothing is left running."""
    pages = [f"page {number}" for number in range(6)]
    for _ in range(TRIES):
        requests = Requests(perf_counter)
        value, left, stood_still = _with_silent_pages(answer, pages, requests)  # left: lanes
        if stood_still < DEADLINE / 2:
            break
    timeline, lanes = (
        requests.timeline(),
        {page: requests.asked.index(page) for page in pages if page in requests.asked},
    )
    slow = [timeline.by_lane[page][0] for page in SILENT if page in lanes]  # up to where it was told to end
    if isinstance(value, TimeoutError):
        text = "the TimeoutError of one page ended everything: catch it, for each page by itself"
        raise Wrong(text, timeline, slow[0] if slow else None)
    results = as_list(value, pages, timeline)
    for lane, page in enumerate(requests.asked):
        if page in requests.asked[:lane] and page in SILENT:
            text = f"{page} was told to end when its time was up, and then you asked for it again"
            advice = "code that catches CancelledError and goes on defeats the deadline"
            raise Wrong(f"{text}: {advice}", timeline, requests.span(lane))
    each_was_asked_for_once(requests, pages)
    for lane in left:
        if requests.span(lane).label != CLEANING:
            text = f"your function had returned, and something still waited for {requests.asked[lane]}"
            raise Wrong(f"{text}: `cancel` what is too late, and await its end", timeline, requests.span(lane))
    for span in slow:
        if (
            span.end < 0.9 * DEADLINE
        ):  # since the answer was called: a busy computer notes the request late, never early
            text = f"{span.lane} was given up after {short(span.duration)} s, but it had {DEADLINE:g} s"
            raise Wrong(text, timeline, span)
        if span.duration > NEVER_SECONDS / 2:
            text = f"{span.lane} took {short(span.duration)} s, but its time was up after {DEADLINE:g} s"
            raise Wrong(text, timeline, span)
    if slow[0].end <= slow[1].start:
        text = f"{slow[1].lane} began only when {slow[0].lane} had been given up: fetch them all at once"
        raise Wrong(text, timeline, slow[0])
    for page, result in zip(pages, results, strict=True):
        wanted = None if page in SILENT else text_of(page)
        if result != wanted:
            text = f"in the place of {page} there is {result!r}, not {wanted!r}"
            raise Wrong(text, timeline, requests.span(lanes[page]))
    if left:
        text = f"{requests.asked[left[0]]} was cancelled, but it was still cleaning up when your function had returned"
        raise Wrong(f"{text}: cancelling only asks it to end, so await its end", timeline, requests.span(left[0]))
    took = short(max(span.end for span in slow))
    return Right(f"two silent pages cost {took} s together, and the others nothing; nothing is left running", timeline)


def _with_silent_pages(answer, pages, requests):
    """What the reader's code returns, or the TimeoutError that it raises; the lanes that are under way even then; and the
    most seconds for which the loop could do nothing.
    """
    coroutine_function(answer)
    left, over, late = [], asyncio.Event(), [0.0]

    async def pulse():
        while True:
            before = perf_counter()
            await asyncio.sleep(DEADLINE / 20)
            late.append(perf_counter() - before - DEADLINE / 20)

    async def get(page):
        lane, outcome = requests.begin(page), "cancelled"
        try:
            for _ in range(3):
                await asyncio.sleep(0)
            if page in SILENT:
                await asyncio.sleep(NEVER_SECONDS)
            outcome = ""
            return text_of(page)
        except asyncio.CancelledError:
            if not over.is_set():
                requests.change(lane, WAITING, CLEANING)
                await asyncio.sleep(SILENT.get(page, 0))
            raise
        finally:
            requests.end(lane, outcome)

    async def visit():
        beats = asyncio.create_task(pulse(), name="a pulse")
        requests.began = perf_counter()  # and not when its loop was made
        try:
            return await answer(get, list(pages), DEADLINE)
        finally:
            beats.cancel()
            left.extend(requests.under_way)
            await rounds()  # in which who was cancelled hears of it
            left.extend(lane for lane in requests.under_way if lane not in left)
            over.set()
            requests.close()

    try:
        value = run(visit, seconds=VISIT_SECONDS).value
    except TimeoutError as error:
        value = error
    except ExceptionGroup as group:
        if group.subgroup(TimeoutError) is None:
            raise
        value = group.subgroup(TimeoutError).exceptions[0]
    return value, left, max(late)


# --- 3 ---------------------------------------------------------------------------------------------------------------

LINKS = {  # a page: how long it takes to answer, and which pages it links to; there are circles
    "index": (1, ["news", "shop", "help", "map"]),
    "news": (3, ["index", "old news"]),
    "shop": (1, ["tea", "coffee", "index"]),
    "help": (2, ["contact", "help"]),
    "map": (4, ["tea", "contact"]),
    "old news": (1, ["news", "older news"]),
    "older news": (2, []),
    "tea": (2, ["cups"]),
    "coffee": (1, ["cups", "tea"]),
    "contact": (1, []),
    "cups": (1, ["shop"]),
}
MOST_AT_ONCE = 3


@exercise(
    stub="""
    async def crawl(get, start, most):
        # await get(page) gives the list of pages that this page links to
        ...
    """,
    solution="""
    async def crawl(get, start, most):
        places, seen = asyncio.Semaphore(most), {start}

        async def visit(page):
            async with places:
                links = await get(page)
            for link in links:
                if link not in seen:
                    seen.add(link)
                    group.create_task(visit(link))

        async with asyncio.TaskGroup() as group:
            group.create_task(visit(start))
        return seen
    """,
    hints=[
        "You need three things: places for requests, a set of the pages that you have seen, and a group for all tasks.",
        "A page counts as seen when you find its link, not when it has come. Otherwise two pages that link to it both ask "
        "for it.",
        "A task may start further tasks in the group that it belongs to, with `group.create_task(visit(link))`. The group's "
        "block ends when all of them have ended.",
    ],
)
def crawl(answer):
    """Visit the start page and all pages that can be reached from it, each once, at most `most` at once; return the set."""
    coroutine_function(answer)
    site, left = PracticeSite({page: seconds for page, (seconds, _) in LINKS.items()}, places=1), []

    async def get(page):
        again = page in site.requests.asked
        await site.get(page)
        return [] if again else list(LINKS[page][1])  # or an answer that goes round in circles would never end

    async def visit(_):
        value = await answer(get, "index", MOST_AT_ONCE)
        left.extend(site.requests.under_way)
        return value

    value = site.visited(visit)
    requests, timeline = site.requests, site.timeline
    for lane, page in enumerate(requests.asked):
        if page in requests.asked[:lane]:
            raise Wrong(f"you asked for {page} twice: remember what you have seen", timeline, requests.span(lane))
    if len(requests.crowd) > MOST_AT_ONCE:
        text = f"{len(requests.crowd)} requests were under way at once, and `most` was {MOST_AT_ONCE}"
        raise Wrong(text, timeline, requests.span(requests.crowd[-1]))
    if left:
        text = f"your function returned while {requests.asked[left[0]]} was still under way: wait for all tasks"
        raise Wrong(text, timeline, requests.span(left[0]))
    if missing := [page for page in LINKS if page not in requests.asked]:
        linking = next(page for page, (_, links) in LINKS.items() if missing[0] in links)
        raise Wrong(f"you never asked for {missing[0]}, and {linking} links to it: follow every link", timeline)
    if value is None:
        raise Wrong("your function returned None: return the set of all pages", timeline)
    if not isinstance(value, (set, frozenset, list, tuple)) or set(value) != set(LINKS) or len(value) != len(LINKS):
        raise Wrong(f"you returned {value!r:.80}: it should be the set of the {len(LINKS)} pages", timeline)
    if len(requests.crowd) < MOST_AT_ONCE:
        text = f"never more than {len(requests.crowd)} under way at once, and {MOST_AT_ONCE} were allowed"
        raise Wrong(text, timeline, requests.span(0))
    return Right(f"{len(LINKS)} pages, each once, {MOST_AT_ONCE} at once, and nothing is left running", timeline)
