"""A site in memory, for the exercises about many pages: it notes who asks for what, and on its clock nothing is ever late.

The clock stands still while anybody has something to do, and then jumps to the next answer: what a check sees is the same on
every machine, however busy that is, and takes no time.
"""

import asyncio
import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from kitchen.lesson.running import Wrong, run
from kitchen.recorder import Recorder
from kitchen.timeline import WAITING, Span, Timeline
from kitchen.timeline.words import short

VISIT_SECONDS = 2.0  # that an answer may take: none that is right needs a fifth of it
ASKED = "waiting for the answer"
LOOP_ROUNDS = 30  # of the event loop, after which everybody has come to where he waits
LOOKS = 10  # hundredths of a second in which a program that looks now and then may fill an empty place


class Answer(NamedTuple):
    """What a site says. `retry_after`: the seconds for which a 429 wants to be left alone; None: it does not say."""

    status: int
    retry_after: float | None = None


class Requests(Recorder):
    """The record of the requests that were made: a lane each, from `begin` to `end`.

    `asked`: the pages, in the order asked. `under_way`: the lanes of the requests that are not over; `crowd`: the largest
    number of them that there was at once.
    """

    def __init__(self, clock: Callable[[], float], title: str = "your code"):
        self.asked, self.under_way, self.crowd = [], [], []
        super().__init__((), title, clock)

    def begin(self, page: str) -> int:
        """A request begins: the number of its lane."""
        lane = self.add_lane(str(page))
        self.asked.append(page)
        self.change(lane, WAITING, ASKED)
        self.under_way.append(lane)
        self.crowd = max(self.crowd, list(self.under_way), key=len)
        return lane

    def end(self, lane: int, outcome: str = "") -> None:
        """A request is over; `outcome` says why, where it was not answered."""
        self.under_way.remove(lane)
        self.finish(lane, outcome)

    def span(self, lane: int) -> Span | None:
        """The last span of a lane; None when it lasted no time."""
        spans = self.timeline().by_lane[self.lanes[lane]]
        return spans[-1] if spans else None


class PracticeSite:
    """Pages that take `seconds[page]` to answer, on a clock of the site's own; those in `errors` then raise that.

    `places`: how many requests a program should keep under way, as long as there are pages that it has not asked for. At
    `empty`, the time and the number under way, there was for the first time one too few. A request that is cancelled cleans
    up for `cleaning` seconds, by everybody's clock, before it is over.
    """

    def __init__(
        self,
        seconds: Mapping[str, float],
        places: int,
        errors: Mapping[str, Exception] | None = None,
        cleaning: float = 0.0,
    ):
        self.seconds, self.places, self.errors = seconds, places, errors or {}
        self.cleaning = cleaning
        self.now, self.due, self.empty = 0.0, {}, None
        self.requests = Requests(lambda: self.now)

    @property
    def timeline(self) -> Timeline:
        """What was asked for so far."""
        return self.requests.timeline()

    async def get(self, page: str) -> str:
        """The text of a page, once it is due. LookupError for a page that there is not, and whatever `errors` has."""
        if page not in self.seconds:
            raise LookupError(f"there is no page {page!r}")
        lane, outcome = self.requests.begin(page), "cancelled"
        answered = asyncio.get_running_loop().create_future()
        self.due[lane] = self.now + self.seconds[page], answered
        try:
            await answered
            error = self.errors.get(page)
            outcome = repr(error) if error else ""
            if error:
                raise type(error)(*error.args)
            return text_of(page)
        except asyncio.CancelledError:
            await asyncio.sleep(self.cleaning)
            raise
        finally:
            del self.due[lane]
            self.requests.end(lane, outcome)

    async def tick(self) -> None:
        """Lets time go on, from answer to answer, each when everybody has come to where he waits."""
        while True:
            await self.settled()
            if waiting := [(when, lane) for lane, (when, answered) in self.due.items() if not answered.done()]:
                self.now, lane = min(waiting)
                self.due[lane][1].set_result(None)
            else:
                await asyncio.sleep(0.001)

    async def settled(self) -> None:
        """Returns when everybody has come to where he waits; notes when a place was empty then."""
        await rounds()
        for _ in range(LOOKS):
            if self.empty or not self.has_an_empty_place():
                return
            await asyncio.sleep(0.01)
        if self.has_an_empty_place():
            self.empty = self.now, len(self.due)

    def has_an_empty_place(self) -> bool:
        """Whether fewer requests are under way than could be, though pages are left."""
        return bool(self.due) and len(self.due) < self.places and len(self.requests.asked) < len(self.seconds)

    def visited(self, answer: Callable, *arguments: Any) -> Any:
        """What the reader's code returns. Raises Wrong when it is none that could be awaited, and when it never ends."""
        coroutine_function(answer)

        async def visit():
            clock = asyncio.create_task(self.tick(), name="the site's clock")
            try:
                return await answer(self.get, *arguments)
            finally:
                clock.cancel()

        try:
            return run(visit, seconds=VISIT_SECONDS).value
        finally:
            self.requests.close()


def text_of(page: str) -> str:
    """The text of a page, as the site gives it."""
    return f"the text of {page}"


async def rounds() -> None:
    """Lets everybody go on who can."""
    for _ in range(LOOP_ROUNDS):
        await asyncio.sleep(0)


def coroutine_function(answer: Callable) -> None:
    """Raises Wrong when that is something else."""
    if not inspect.iscoroutinefunction(answer):
        raise Wrong("this is not a coroutine function: start it with `async def`, so that it can `await`")


def as_list(value: Any, pages: Collection[str], timeline: Timeline) -> list:
    """What came back, if it is one result per page. Raises Wrong when it is not."""
    if value is None:
        raise Wrong("it returned None: is there a `return` at the end?", timeline)
    if not isinstance(value, (list, tuple)):
        raise Wrong(f"it returned a {type(value).__name__}: return a list, with a result for each page", timeline)
    for result in value:
        if inspect.isawaitable(result):
            done = isinstance(result, asyncio.Future) and result.done()
            advice = "ask it for its `result()`" if done else "`await` it"
            raise Wrong(f"the list has a {type(result).__name__} in it, not what comes of it: {advice}", timeline)
    if len(value) != len(pages):
        raise Wrong(
            f"{len(value)} results came back for {len(pages)} pages: each page has its place, whatever comes of it",
            timeline,
        )
    return list(value)


def each_was_asked_for_once(requests: Requests, pages: Iterable[str]) -> None:
    """Raises Wrong for a page that was forgotten, or asked for again."""
    for page in pages:
        if page not in requests.asked:
            raise Wrong(f"{page} was never asked for: call `get` for every page", requests.timeline())
    for lane, page in enumerate(requests.asked):
        if page in requests.asked[:lane]:
            times = requests.asked.count(page)
            raise Wrong(f"{page} was asked for {times} times: once is enough", requests.timeline(), requests.span(lane))


def a_place_was_never_empty(site: PracticeSite, most: int) -> None:
    """Raises Wrong when fewer were under way than could have been."""
    if not site.empty:
        return
    when, number = site.empty
    if len(site.requests.crowd) == 1:
        text = f"one page after the other: never more than 1 was under way, and {most} may be"
        raise Wrong(text, site.timeline, site.requests.span(1))
    later = [lane for lane in range(len(site.seconds)) if (span := site.requests.span(lane)) and span.start > when]
    text = f"after {short(when)} s only {number} of {most} places were taken, though pages were left"
    advice = "let the next page begin as soon as one is over"
    raise Wrong(f"{text}: {advice}", site.timeline, site.requests.span(later[0]) if later else None)
