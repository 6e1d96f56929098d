"""The exercises of notebook 09: read a picture, say what limits a program, write a test that finds bugs."""

import asyncio
from collections import Counter

from kitchen import Dish, State, simulate, wait, work
from kitchen.exercises import quizzes
from kitchen.lesson.exercise import Right, exercise
from kitchen.lesson.running import Wrong, call, run
from kitchen.recipe import dinner, downloads

quiz = quizzes.quiz(__name__)

NOBODY = [Dish("tea", [work("boil", 2)])]
OFTEN = [  # "often" queues again and again for a minute, "once" a single time for three
    Dish("often", [work("stir", 1), wait("rest", 0)] * 6 + [work("serve", 1)]),
    Dish("other", [work("stir", 1), wait("rest", 0)] * 6 + [work("serve", 1)]),
    Dish("once", [wait("rise", 4), work("knead", 4)]),
]
QUEUES = [simulate.cooperative(OFTEN), simulate.sync(dinner()), simulate.threaded(dinner()), simulate.sync(NOBODY)]


@exercise(
    stub='''
    def longest_queue(timeline):
        """The lane that was READY for longest in all, and for how long: (name, time)."""
        ...
    ''',
    solution="""
    def longest_queue(timeline):
        times = {}
        for span in timeline.spans:
            if span.state is State.READY:
                times[span.lane] = times.get(span.lane, 0.0) + span.duration
        lane = max(times, key=times.get, default=None)
        return lane, times.get(lane, 0.0)
    """,
    hints=[
        "Go through `timeline.spans` and keep those whose `state is State.READY`.",
        "A lane has many spans: add up their `duration` in a dictionary, under the lane's name.",
        "`max(times, key=times.get, default=None)` is the name with the largest sum, and None for an empty dictionary.",
    ],
    setting="from kitchen import State",
)
def longest_queue(answer):
    """Return the lane that was READY for longest in all, and for how long."""
    for timeline in QUEUES:
        given = call(answer, timeline)
        if not (isinstance(given, tuple | list) and len(given) == 2):
            raise Wrong(f"it should be a pair (name, time), but you returned {given!r}")
        _compare(timeline, *given)
    return Right("right for four kitchens, even for the one in which nobody queues", QUEUES[0])


def _compare(timeline, name, time):
    """Raises Wrong unless `name` queued in `timeline` for `time` in all, and nobody for longer."""
    ready = [span for span in timeline.spans if span.state is State.READY]
    queued = Counter()
    for span in ready:
        queued[span.lane] += span.duration
    ((lane, most),) = queued.most_common(1) or [(None, 0.0)]
    is_time = isinstance(time, int | float)
    if is_time and abs(time - most) < 1e-6 and queued.get(name, 0.0) == most and (name is None) == (lane is None):
        return
    if lane is None:
        raise Wrong(
            f"nobody was ever READY there, so it should be (None, 0.0), but you returned {(name, time)!r}", timeline
        )
    span = next(span for span in ready if span.lane == lane)
    if name not in timeline.lanes:
        raise Wrong(f"{name!r} is not a lane of this picture: the first of the pair is a lane's name", timeline, span)
    if is_time and time < most and time == max(span.duration for span in ready):
        all_of_it = f"{lane} queued for {most:g} in {sum(span.lane == lane for span in ready)} pieces together"
        raise Wrong(f"{time:g} is the longest single piece; {all_of_it}", timeline, span)
    if queued[name] < most:
        raise Wrong(f"{name} queued for less than {lane}, which was READY for {most:g} in all", timeline, span)
    raise Wrong(f"it is {lane}, but for {most:g}, not for {time!r}: only READY counts", timeline, span)


CASES = [  # a Timeline, and what limits it
    (simulate.cooperative(downloads(5, latency=10, work=0.1)), "the outside"),
    (simulate.sync(downloads(5, latency=10, work=0.1)), "one at a time"),
    (simulate.cooperative(downloads(300, latency=10, work=0.1)), "the CPU"),
    (simulate.cooperative(downloads(1, latency=10, work=0.1)), "one at a time"),
    (simulate.cooperative(dinner()), "the outside"),
    (simulate.sync([Dish("dough", [work("knead", 9)]), Dish("cake", [work("stir", 9)])]), "the CPU"),
    (simulate.threaded(downloads(4, latency=20, work=4), quantum=1, parked=True), "the outside"),
]


@exercise(
    stub='''
    def limited_by(timeline):
        """What limits it: "the CPU", "one at a time" or "the outside"."""
        ...
    ''',
    solution="""
    def limited_by(timeline):
        if timeline.utilization >= 0.9:
            return "the CPU"
        over = {}  # when each lane's last piece ends
        for span in timeline.by_time:
            if span.state is not State.READY:
                if any(end > span.start for lane, end in over.items() if lane != span.lane):
                    return "the outside"
                over[span.lane] = span.end
        return "one at a time"
    """,
    hints=[
        "`timeline.utilization` is the part of the time in which somebody was RUNNING.",
        "`timeline.by_time` has the spans in the order in which they begin. Leave out those that are READY.",
        "Two lanes are under way together when a span begins before the last span of another lane has ended.",
    ],
    setting="from kitchen import State",
)
def limited_by(answer):
    """Say what limits a program: "the CPU", "one at a time" or "the outside"."""
    for timeline, limit in CASES:
        said = call(answer, timeline)
        if said == limit:
            continue
        if said not in ("the CPU", "one at a time", "the outside"):  # it may be anything, also what has no hash
            raise Wrong(f"{said!r} is not one of the three texts", timeline)
        raise Wrong(f"{limit!r} limits this one, not {said!r}: {_reason(timeline, limit)}", timeline)
    return Right(f"right for {len(CASES)} pictures")


def _reason(timeline, limit):
    if limit == "the CPU":
        return f"the CPU is busy in {timeline.utilization:.0%} of the time"
    if limit == "one at a time":
        return f"no two lanes are under way together, and the CPU is busy in {timeline.utilization:.0%} of the time"
    return f"lanes overlap, and the CPU is busy in {timeline.utilization:.0%} of the time"


# --- a test from nothing ---------------------------------------------------------------------------------------------


def _right(fetch):
    """Asks once for each page; who asks meanwhile waits for the same answer; an error is not kept."""
    asked = {}

    async def get(page):
        if page not in asked:
            asked[page] = asyncio.ensure_future(fetch(page))
        try:
            return await asyncio.shield(asked[page])
        except Exception:
            asked.pop(page, None)
            raise

    return get


def _keeps_nothing(fetch):
    async def get(page):
        return await fetch(page)

    return get


def _keeps_what_has_come(fetch):
    kept = {}

    async def get(page):
        if page not in kept:
            kept[page] = await fetch(page)
        return kept[page]

    return get


def _mixes_pages_up(fetch):
    once = _right(lambda _: fetch(first[0]))
    first = []

    async def get(page):
        first.append(page)
        return await once("any")

    return get


def _keeps_errors(fetch):
    asked = {}

    async def get(page):
        if page not in asked:
            asked[page] = asyncio.ensure_future(fetch(page))
        return await asyncio.shield(asked[page])

    return get


def _forgets_who_waits(fetch):
    kept, waiting = {}, {}

    async def get(page):
        if page in kept:
            return kept[page]
        if page in waiting:
            return await waiting[page]
        waiting[page] = asyncio.get_running_loop().create_future()
        try:
            kept[page] = await fetch(page)
        finally:
            del waiting[page]  # and nobody wakes those who wait
        return kept[page]

    return get


BROKEN = {  # versions with a bug: what is wrong with each
    _keeps_nothing: "asks again for a page that it has had",
    _mixes_pages_up: "gives the same text for every page",
    _keeps_what_has_come: "asks twice when two tasks want a page at the same time",
    _keeps_errors: "keeps an error: after one failure a page fails for ever",
    _forgets_who_waits: "never answers the second of two tasks that want a page at the same time",
}
TEST_SECONDS = 3.0  # that a test may take, and so its own timeout must be shorter


@exercise(
    stub='''
    async def check_once(once):
        """Raises an error if this `once` is wrong."""
        ...
    ''',
    solution="""
    async def check_once(once):
        asked = []

        async def fetch(page):
            asked.append(page)
            await asyncio.sleep(0.01)
            if asked.count("broken") == 1 and page == "broken":
                raise OSError("connection reset")
            return f"text of {page}"

        get = once(fetch)
        async with asyncio.timeout(0.5):
            texts = await asyncio.gather(get("a"), get("a"), get("b"))
            texts.append(await get("a"))
            assert texts == ["text of a", "text of a", "text of b", "text of a"]
            assert sorted(asked) == ["a", "b"], asked
            try:
                await get("broken")
            except OSError:
                pass
            assert await get("broken") == "text of broken"
    """,
    hints=[
        "Write a `fetch` of your own inside: it notes in a list what it was asked for, awaits a short `asyncio.sleep`, and "
        "returns a text with the page's name in it. Then `get = once(fetch)`.",
        "Ask for one page twice in a row, for another page, and (with `gather`) twice at the same time. `assert` what came, "
        "and what `fetch` was asked for.",
        "For the failure let `fetch` raise an `OSError` the first time it is asked for one page. And what if `get` never "
        "returns? Put an `asyncio.timeout` around everything.",
    ],
)
def check_once(answer):
    """Write a test: it passes for a right `once`, and fails for each of five wrong ones, also for one that hangs."""
    problem = _tested(answer, _right)
    if problem:
        raise Wrong(f"your test fails for a `once` that does all it should, with {problem}")
    for broken, what in BROKEN.items():
        problem = _tested(answer, broken)
        if problem is None:
            raise Wrong(f"your test passes for a `once` that {what}")
        if problem == HANGS:
            raise Wrong(
                f"your test hangs with a `once` that {what}: put an `asyncio.timeout` around it, of a second at most"
            )
    return Right(f"your test passes for the right one, and finds each of {len(BROKEN)} bugs")


HANGS = "no answer"


def _tested(answer, once):
    """What the reader's test says of a `once`, in words: None when it passes, HANGS when it does not end."""
    try:
        run(answer, once, seconds=TEST_SECONDS)
    except Wrong as wrong:
        if "still not done" not in wrong.text:
            raise
        return HANGS
    except Exception as error:
        return f"{type(error).__name__} {error}".strip()
    return None
