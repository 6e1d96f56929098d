"""The exercises of notebook 09: read a picture, say what limits a program, repair one."""

import asyncio
import time
from collections import Counter

from kitchen import Dish, State, simulate, wait, work
from kitchen.exercises.exercise import Right, Wrong, call, exercise, run
from kitchen.recipe import dinner, downloads
from kitchen.recorder import Recorder
from kitchen.timeline import WAITING

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
            raise Wrong(f"a pair was asked for, (name, time), and {given!r} came")
        _compare(timeline, *given)
    return Right("four kitchens, in one of which nobody queues", QUEUES[0])


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
        raise Wrong(f"nobody was ever READY there, so (None, 0.0) was asked for, and {(name, time)!r} came", timeline)
    span = next(span for span in ready if span.lane == lane)
    if name not in timeline.lanes:
        raise Wrong(f"{name!r} is no lane of that picture: the first of the pair is a lane's name", timeline, span)
    if is_time and time < most and time == max(span.duration for span in ready):
        all_of_it = f"{lane} queued for {most:g} in {sum(span.lane == lane for span in ready)} pieces together"
        raise Wrong(f"{time:g} is the longest single piece; {all_of_it}", timeline, span)
    if queued[name] < most:
        raise Wrong(f"{name} queued for less than {lane}, who was READY for {most:g} in all", timeline, span)
    raise Wrong(f"it is {lane}, but for {most:g} and not for {time!r}: only READY counts", timeline, span)


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
            raise Wrong(f"{said!r} is none of the three texts", timeline)
        raise Wrong(f"this one is limited by {limit!r}, and not by {said!r}: {_reason(timeline, limit)}", timeline)
    return Right(f"{len(CASES)} pictures, each for its reason")


def _reason(timeline, limit):
    if limit == "the CPU":
        return f"the CPU is busy in {timeline.utilization:.0%} of the time"
    if limit == "one at a time":
        return (
            f"no two lanes are under way together, and the CPU is busy in {timeline.utilization:.0%} of the time only"
        )
    return f"lanes overlap, and the CPU is busy in {timeline.utilization:.0%} of the time only"


PRICES = {
    name: number
    for number, name in enumerate(
        ["flour", "eggs", "milk", "salt", "rice", "beans", "figs", "nuts", "tea", "oil", "fish", "corn"], 1
    )
}
MOST = 5  # questions at once
INDEX = "index"


class Shop(Recorder):
    """A shop that notes who asks for what at which moment, and in which thread a price is saved."""

    def __init__(self):
        super().__init__([INDEX, *PRICES], "your requests")
        self.open = set()  # the lanes that are being asked for
        self.most = 0  # of these at once
        self.held, self.saved = [], {}

    async def get(self, name):
        lane = self.lanes.index(name)
        self.change(lane, WAITING, "asking")
        self.open.add(name)
        self.most = max(self.most, len(self.open))
        await asyncio.sleep(0.005)
        self.open.discard(name)
        self.finish(lane)
        return list(PRICES) if name == INDEX else PRICES[name]

    def save(self, name, price):
        try:
            asyncio.get_running_loop()
            self.held.append(name)
        except RuntimeError:
            pass
        time.sleep(0.001)
        self.saved[name] = price


@exercise(
    stub="""
    async def total(get, save):
        prices = 0
        for name in await get("index"):
            price = await get(name)
            save(name, price)
            prices += price
        return prices
    """,
    solution="""
    async def total(get, save):
        places = asyncio.Semaphore(5)

        async def one(name):
            async with places:
                price = await get(name)
            await asyncio.to_thread(save, name, price)
            return price

        return sum(await asyncio.gather(*(one(name) for name in await get("index"))))
    """,
    hints=[
        "Put what is done for one name into a coroutine function of its own. Start them with `asyncio.gather`.",
        "An `asyncio.Semaphore(5)` around `await get(name)` lets five in at a time.",
        "`await asyncio.to_thread(save, name, price)` has a thread save, and goes on when that is done.",
    ],
)
def total(answer):
    """Ask for the prices together, at most five at once, and never hold the loop with `save`."""
    shop, at_return = Shop(), []

    async def asked(get, save):
        value = await answer(get, save)
        at_return.append(dict(shop.saved))
        return value

    if not asyncio.iscoroutinefunction(answer):
        raise Wrong("that is no coroutine function: begin it with `async def`, so that it can await")
    with shop:
        value = run(asked, shop.get, shop.save).value
    timeline, saved = shop.timeline(), at_return[0]
    spans = [span for span in timeline.by_time if span.state is WAITING and span.lane != INDEX]
    if value is None:
        raise Wrong("nothing was returned: the total of the prices was asked for", timeline)
    if value != sum(PRICES.values()):
        raise Wrong(f"the total is {sum(PRICES.values())}, and {value!r} was returned", timeline)
    if missing := [name for name in PRICES if saved.get(name) != PRICES[name]]:
        unsaved = f"{len(missing)} of {len(PRICES)} prices had not been saved, that of {missing[0]} for one"
        raise Wrong(f"when the total was returned, {unsaved}", timeline)
    if shop.held:
        raise Wrong(
            f"save held the loop {len(shop.held)} times, for {shop.held[0]} first: a thread can do that", timeline
        )
    if shop.most == 1:
        raise Wrong("never were two questions under way at once: each waits for the one before", timeline, spans[1])
    if shop.most > MOST:
        raise Wrong(f"{shop.most} questions were under way at once, and {MOST} are allowed", timeline, spans[MOST])
    return Right(f"{len(PRICES)} prices, {shop.most} at once at most, all saved, and the loop was never held", timeline)
