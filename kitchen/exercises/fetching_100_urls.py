"""The exercises of notebook 06: many pages at once, but not too many; failures, deadlines, and a site that says 429.

The pages come from a site in memory (`pages.py`).
"""

import asyncio
from itertools import pairwise
from time import perf_counter

from kitchen.exercises.exercise import Right, Wrong, exercise, run
from kitchen.exercises.pages import (
    ANSWER,
    SECONDS,
    Answer,
    Requests,
    Site,
    a_place_was_never_empty,
    as_list,
    coroutine_function,
    each_was_asked_for_once,
    rounds,
    text_of,
)
from kitchen.recorder import Recorder
from kitchen.timeline import WAITING, short

PAUSE = "waiting to ask again"

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
        "A task for each page is fine. What has to be few is how many of them are inside `get`.",
        "An `asyncio.Semaphore(most)` has `most` places. `async with` takes one, or waits for one, and gives it back.",
        "Write a small coroutine function inside that does `async with places: return await get(page)`, and `gather` its "
        "coroutines: `gather` gives the results in the order in which you handed them in.",
    ],
)
def fetch_all(answer):
    """Fetch all pages, at most `most` at once, and return the results in the order of the pages."""
    for most in (4, 3):
        site, pages = Site(PAGES, most), list(PAGES)
        value = site.visited(answer, list(pages), most)
        requests = site.requests
        if len(requests.crowd) > most:
            text = f"{len(requests.crowd)} requests were under way at once, and `most` was {most}"
            raise Wrong(f"{text}: the others have to wait before they call `get`", site.timeline, requests.span(most))
        results = as_list(value, pages, site.timeline)
        each_was_asked_for_once(requests, pages)
        a_place_was_never_empty(site, most)
        if results != [text_of(page) for page in pages]:
            place = next(number for number, page in enumerate(pages) if results[number] != text_of(page))
            text = f"in the place of {pages[place]} stands {results[place]!r}: the order is that of the pages"
            raise Wrong(text, site.timeline)
    if Site({}, 1).visited(answer, [], 4) not in ([], ()):
        raise Wrong("for no pages at all it should return an empty list")
    took = short(site.timeline.makespan)
    return Right(f"12 pages in {took} s, never more than {most} at once, and in their order", site.timeline)


# --- 2 ---------------------------------------------------------------------------------------------------------------

FAILING = {"page 1": OSError("connection reset"), "page 5": ValueError("that is not HTTP")}


@exercise(
    stub="""
    async def fetch_each(get, pages):
        # await get(page) for all pages at once; some of them raise an error
        ...
    """,
    solution="""
    async def fetch_each(get, pages):
        return await asyncio.gather(*(get(page) for page in pages), return_exceptions=True)
    """,
    hints=[
        "`gather` raises the first error, unless it is told to do something else with errors.",
        "Look at `help(asyncio.gather)`: what does `return_exceptions` do?",
        "Or wrap `get`: a coroutine function that does `try: return await get(page)` and `except Exception as error: "
        "return error`. Then nothing ever fails.",
    ],
)
def fetch_each(answer):
    """Fetch all pages at once; where one fails, its error stands in the list in its place."""
    seconds = dict(list(PAGES.items())[:8])
    site, pages = Site(seconds, len(seconds), FAILING), list(seconds)
    try:
        value = site.visited(answer, list(pages))
    except Exception as error:
        if not _is_one_of(error, FAILING.values()):
            raise
        got = sum(not outcome for outcome in map(site.timeline.outcomes.get, site.requests.lanes))
        page = next(page for page in pages if page in FAILING and _is_one_of(error, [FAILING[page]]))
        span = site.requests.span(site.requests.asked.index(page)) if page in site.requests.asked else None
        text = f"{page} failed, and that ended everything: {got} of {len(pages)} pages were had"
        raise Wrong(f"{text}. Keep the error as a result", site.timeline, span) from None
    if site.empty:
        number = len(site.requests.crowd)
        text = (
            f"only {number} under way at once: none of these pages needs another, so let all {len(pages)} wait together"
        )
        raise Wrong(text, site.timeline, site.requests.span(number))
    results = as_list(value, pages, site.timeline)
    each_was_asked_for_once(site.requests, pages)
    for page, result in zip(pages, results, strict=True):
        span = site.requests.span(site.requests.asked.index(page))
        if page in FAILING and not _same_error(result, FAILING[page]):
            text = f"in the place of {page} stands {result!r}, and not its error, {FAILING[page]!r}"
            raise Wrong(text, site.timeline, span)
        if page not in FAILING and result != text_of(page):
            text = f"in the place of {page} stands {result!r}: the results are wanted in the order of the pages"
            raise Wrong(text, site.timeline, span)
    return Right("six pages were had, and two errors stand in the places of the other two", site.timeline)


def _same_error(result, error):
    return type(result) is type(error) and result.args == error.args


def _is_one_of(error, errors):
    """Whether this is one of these, or a group with one of them in it."""
    if isinstance(error, BaseExceptionGroup):
        return any(_is_one_of(part, errors) for part in error.exceptions)
    return any(_same_error(error, other) for other in errors)


# --- 3 ---------------------------------------------------------------------------------------------------------------

DEADLINE = 0.1  # seconds: the one check that takes time
LONG = 10 * DEADLINE  # "never", but so that a check ends
SILENT = {"page 1": 0.02, "page 4": 0.06}  # and the seconds for which each cleans up when it is told to end
CLEANING = "cleaning up"


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
        "The deadline is each page's own: put it around one `get`, and fetch the pages all at once as before.",
        "`async with asyncio.timeout(seconds):` cancels what it holds when the time is up, and raises TimeoutError.",
        "Catch TimeoutError outside of that block, and return None there. Do not catch CancelledError: it is the message "
        "with which the timeout ends `get`.",
    ],
)
def fetch_within(answer):
    """Fetch all pages at once; one that has not answered after `seconds` becomes None, and nothing is left running."""
    pages, requests = [f"page {number}" for number in range(6)], Requests(perf_counter)
    value, left = _with_silent_pages(answer, pages, requests)  # left: lanes
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
            text = f"{page} was told to end when its time was up, and then it was asked for again"
            advice = "whoever catches CancelledError and goes on takes the deadline its force"
            raise Wrong(f"{text}: {advice}", timeline, requests.span(lane))
    each_was_asked_for_once(requests, pages)
    for lane in left:
        if requests.span(lane).label != CLEANING:
            text = f"it had returned, and {requests.asked[lane]} was still being waited for"
            raise Wrong(f"{text}: `cancel` what is too late, and await its end", timeline, requests.span(lane))
    for span in slow:
        if span.duration < 0.9 * DEADLINE:
            text = f"{span.lane} was given up after {short(span.duration)} s, and it had {DEADLINE:g} s"
            raise Wrong(text, timeline, span)
        if span.duration > LONG / 2:
            text = f"{span.lane} was waited for {short(span.duration)} s, and its time was up after {DEADLINE:g} s"
            raise Wrong(text, timeline, span)
    if slow[0].end <= slow[1].start:
        text = f"{slow[1].lane} was asked for only when {slow[0].lane} had been given up: fetch them all at once"
        raise Wrong(text, timeline, slow[0])
    for page, result in zip(pages, results, strict=True):
        wanted = None if page in SILENT else text_of(page)
        if result != wanted:
            text = f"in the place of {page} stands {result!r}, and not {wanted!r}"
            raise Wrong(text, timeline, requests.span(lanes[page]))
    if left:
        text = f"{requests.asked[left[0]]} was cancelled, and it was still cleaning up when your function had returned"
        raise Wrong(f"{text}: cancelling only asks it to end, so await its end", timeline, requests.span(left[0]))
    took = short(max(span.end for span in slow))
    return Right(
        f"two silent pages cost {took} s together, and nobody else anything; nothing is left running", timeline
    )


def _with_silent_pages(answer, pages, requests):
    """What the reader's code returns, or the TimeoutError that it raises; and the lanes that are under way even then."""
    coroutine_function(answer)
    left, over = [], asyncio.Event()

    async def get(page):
        lane, outcome = requests.begin(page), "cancelled"
        try:
            for _ in range(3):
                await asyncio.sleep(0)
            if page in SILENT:
                await asyncio.sleep(LONG)
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
        try:
            return await answer(get, list(pages), DEADLINE)
        finally:
            left.extend(requests.under_way)
            await rounds()  # in which who was cancelled hears of it
            left.extend(lane for lane in requests.under_way if lane not in left)
            over.set()
            requests.close()

    try:
        return run(visit, seconds=SECONDS).value, left
    except TimeoutError as error:
        return error, left
    except ExceptionGroup as group:
        if group.subgroup(TimeoutError) is None:
            raise
        return group.subgroup(TimeoutError).exceptions[0], left


# --- 4 ---------------------------------------------------------------------------------------------------------------


BUSY = {  # what a site answers, one after the other; and what should come of it, with 4 tries
    "twice busy": [Answer(429, 3), Answer(429, 5), Answer(200)],
    "fine": [Answer(200)],
    "not there": [Answer(404), Answer(200)],
    "broken": [Answer(503), Answer(200)],
    "does not say": [Answer(429), Answer(429), Answer(429), Answer(200)],
    "always busy": [Answer(429, 2)] * 9,
    "at once": [Answer(429, 0), Answer(200)],
}
TRIES = 4


@exercise(
    stub="""
    async def get_patiently(get, page, sleep, tries):
        # await get(page); as long as its status is 429: await sleep(seconds), and try again
        ...
    """,
    solution="""
    async def get_patiently(get, page, sleep, tries):
        pause = 1
        for _ in range(tries - 1):
            answer = await get(page)
            if answer.status != 429:
                return answer
            if answer.retry_after is None:
                await sleep(pause)
                pause = 2 * pause
            else:
                await sleep(answer.retry_after)
        return await get(page)
    """,
    hints=[
        "Begin with a loop over `range(tries)` that returns the answer as soon as its status is not 429.",
        "After a 429 `await sleep(answer.retry_after)`, but not after the last try: nobody will ask again.",
        "Where `retry_after` is None, `sleep` for a pause of your own, which is 1 at first and is doubled each time.",
    ],
)
def get_patiently(answer):
    """Ask again after a 429, when the site says so; ask `tries` times at most, and return the last answer."""
    coroutine_function(answer)
    for page, answers in BUSY.items():
        requests, value, asked = _patiently(answer, page, answers)
        timeline = requests.timeline()
        _judge_tries(page, answers, asked, timeline)
        if value is None:
            raise Wrong("it returned None: return the answer that you got, also when it is a 429", timeline)
        if value != answers[len(asked) - 1]:
            raise Wrong(f"it returned {value!r}, and the last answer was {answers[len(asked) - 1]!r}", timeline)
        if page == "does not say":
            shown = timeline
    return Right("429 was answered with patience, other answers were taken as they are", shown)


def _patiently(answer, page, answers):
    """The record of one page's requests, what the reader's code returned, and of each try when it began and ended."""
    clock, asked = [0.0], []
    requests = Recorder([], page, lambda: clock[0])
    requests.lanes = (page,)

    async def pass_by(seconds, label):
        requests.change(0, WAITING, label)
        await asyncio.sleep(0)
        clock[0] += seconds

    async def get(page):
        begun = clock[0]
        await pass_by(0.5, ANSWER)
        asked.append((begun, clock[0]))
        return answers[min(len(asked), len(answers)) - 1]

    async def sleep(seconds):
        await pass_by(seconds, PAUSE)

    async def visit():
        return await answer(get, page, sleep, TRIES)

    try:
        value = run(visit, seconds=SECONDS).value
    finally:
        requests.finish(0)
        requests.close()
    return requests, value, asked


def _judge_tries(page, answers, asked, timeline):
    """Raises Wrong when there were too many tries or too few, or the pauses between them were not what they should be."""
    spans = [span for span in timeline.spans if span.label == ANSWER]
    last = spans[-1] if spans else None
    if not asked:
        raise Wrong("`get` was never awaited", timeline)
    statuses = [answer.status for answer in answers[:TRIES]]
    wanted = next((n for n, status in enumerate(statuses, start=1) if status != 429), TRIES)
    if len(asked) > wanted and statuses[wanted - 1] != 429:
        text = f"after a {statuses[wanted - 1]} it was asked again: only 429 means “later”"
        raise Wrong(text, timeline, last)
    if len(asked) > wanted:
        raise Wrong(f"{len(asked)} requests were made, and `tries` was {TRIES}", timeline, last)
    pauses = [begun - ended for (_, ended), (begun, _) in pairwise(asked)]
    own = 1
    for number, pause in enumerate(pauses):
        said = answers[number].retry_after
        due, own = (own, 2 * own) if said is None else (said, own)
        if pause == 0 < due:
            text = "after a 429 it was asked again at once: first `await sleep(…)`, with the `sleep` that is handed in"
            raise Wrong(text, timeline, last)
        if abs(pause - due) > 1e-9:
            why = (
                f"the site said nothing, and this was pause {number + 1}"
                if said is None
                else f"the site asked for {said} s"
            )
            why += " (0 is a number too; only None means that it does not say)" if said == 0 else ""
            raise Wrong(
                f"it was asked again after {short(pause)} s, and {short(due)} s were due: {why}", timeline, last
            )
    if len(asked) < wanted:
        raise Wrong(
            f"it was given up after {len(asked)} of {wanted} requests: the next one was still allowed", timeline, last
        )
    if timeline.makespan > asked[-1][1]:
        text = "after its last request it slept once more: nobody was going to ask again"
        raise Wrong(text, timeline, timeline.spans[-1])
