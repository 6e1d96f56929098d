"""Answers to the exercises of notebook 09."""

WRONG = {
    "longest_queue": {
        "longest single piece": """
def longest_queue(timeline):
    ready = [span for span in timeline.spans if span.state is State.READY]
    longest = max(ready, key=lambda span: span.duration, default=None)
    if longest is None:
        return None, 0.0
    times = {}
    for span in ready:
        times[span.lane] = max(times.get(span.lane, 0), span.duration)
    lane = max(times, key=times.get)
    return lane, times[lane]
""",
        "queued for less than": """
def longest_queue(timeline):
    for span in timeline.spans:
        if span.state is State.READY:
            return span.lane, 100.0
    return None, 0.0
""",
        "only READY counts": """
def longest_queue(timeline):
    times = {}
    ready = {}
    for span in timeline.spans:
        if span.state is State.READY:
            ready[span.lane] = ready.get(span.lane, 0) + span.duration
        if span.state in (State.READY, State.WAITING, State.IDLING):
            times[span.lane] = times.get(span.lane, 0) + span.duration
    lane = max(ready, key=ready.get, default=None)
    return lane, times.get(lane, 0.0)
""",
        "nobody was ever READY": """
def longest_queue(timeline):
    times = {lane: 0.0 for lane in timeline.lanes}
    for span in timeline.spans:
        if span.state is State.READY:
            times[span.lane] += span.duration
    lane = max(times, key=times.get)
    return lane, times[lane]
""",
        "a pair was asked for": """
def longest_queue(timeline):
    return "steak"
""",
        "is no lane": """
def longest_queue(timeline):
    return State.READY, 3.0
""",
    },
    "limited_by": {
        "limited by 'one at a time', and not by 'the outside'": """
def limited_by(timeline):
    return "the CPU" if timeline.utilization >= 0.9 else "the outside"
""",
        "limited by 'the outside', and not by 'one at a time'": """
def limited_by(timeline):
    return "the CPU" if timeline.utilization >= 0.9 else "one at a time"
""",
        "limited by 'the CPU', and not by 'the outside'": """
def limited_by(timeline):
    over = {}
    for span in timeline.by_time:
        if span.state is not State.READY:
            if any(end > span.start for lane, end in over.items() if lane != span.lane):
                return "the outside"
            over[span.lane] = span.end
    return "one at a time"
""",
        "limited by 'the outside', and not by 'the CPU'": """
def limited_by(timeline):
    if timeline.utilization >= 0.01 and any(span.state is State.READY for span in timeline.spans):
        return "the CPU"
    return "one at a time"
""",
        "none of the three texts": """
def limited_by(timeline):
    return timeline.utilization
""",
    },
    "total": {
        "never were two questions": """
async def total(get, save):
    prices = 0
    for name in await get("index"):
        price = await get(name)
        await asyncio.to_thread(save, name, price)
        prices += price
    return prices
""",
        "save held the loop": """
async def total(get, save):
    places = asyncio.Semaphore(5)

    async def one(name):
        async with places:
            price = await get(name)
        save(name, price)
        return price

    return sum(await asyncio.gather(*(one(name) for name in await get("index"))))
""",
        "12 questions were under way": """
async def total(get, save):
    async def one(name):
        price = await get(name)
        await asyncio.to_thread(save, name, price)
        return price

    return sum(await asyncio.gather(*(one(name) for name in await get("index"))))
""",
        "had not been saved": """
async def total(get, save):
    places = asyncio.Semaphore(5)

    async def one(name):
        async with places:
            price = await get(name)
        return price

    return sum(await asyncio.gather(*(one(name) for name in await get("index"))))
""",
        "the total is 78": """
async def total(get, save):
    names = await get("index")
    prices = 0
    for start in range(0, 10, 5):
        found = await asyncio.gather(*(get(name) for name in names[start : start + 5]))
        for name, price in zip(names[start:], found):
            await asyncio.to_thread(save, name, price)
        prices += sum(found)
    return prices
""",
        "nothing was returned": """
async def total(get, save):
    await get("index")
""",
        "no coroutine function": """
def total(get, save):
    return 78
""",
    },
}
RIGHT = {
    "longest_queue": [
        """
from collections import Counter
def longest_queue(timeline):
    times = Counter()
    for span in timeline.spans:
        times[span.lane] += span.duration * (span.state is State.READY)
    (lane, time), *_ = times.most_common(1) or [(None, 0.0)]
    return [lane, time] if time else [None, 0]
""",
    ],
    "total": [
        """
async def total(get, save):
    names = await get("index")
    prices = 0
    for start in range(0, len(names), 5):
        part = names[start : start + 5]
        found = await asyncio.gather(*(get(name) for name in part))
        async with asyncio.TaskGroup() as group:
            for name, price in zip(part, found):
                group.create_task(asyncio.to_thread(save, name, price))
        prices += sum(found)
    return prices
""",
        """
async def total(get, save):
    queue, prices = asyncio.Queue(), []
    for name in await get("index"):
        queue.put_nowait(name)

    async def worker():
        while not queue.empty():
            name = queue.get_nowait()
            prices.append(await get(name))
            await asyncio.get_running_loop().run_in_executor(None, save, name, prices[-1])

    await asyncio.gather(*(worker() for _ in range(5)))
    return sum(prices)
""",
    ],
}
