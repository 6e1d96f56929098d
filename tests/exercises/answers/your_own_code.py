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
        "a pair ": """
def longest_queue(timeline):
    return "steak"
""",
        "is not a lane": """
def longest_queue(timeline):
    return State.READY, 3.0
""",
    },
    "limited_by": {
        "'one at a time' limits this one, not 'the outside'": """
def limited_by(timeline):
    return "the CPU" if timeline.utilization >= 0.9 else "the outside"
""",
        "'the outside' limits this one, not 'one at a time'": """
def limited_by(timeline):
    return "the CPU" if timeline.utilization >= 0.9 else "one at a time"
""",
        "'the CPU' limits this one, not 'the outside'": """
def limited_by(timeline):
    over = {}
    for span in timeline.by_time:
        if span.state is not State.READY:
            if any(end > span.start for lane, end in over.items() if lane != span.lane):
                return "the outside"
            over[span.lane] = span.end
    return "one at a time"
""",
        "'the outside' limits this one, not 'the CPU'": """
def limited_by(timeline):
    if timeline.utilization >= 0.01 and any(span.state is State.READY for span in timeline.spans):
        return "the CPU"
    return "one at a time"
""",
        "one of the three texts": """
def limited_by(timeline):
    return timeline.utilization
""",
    },
    "check_once": {
        "asks again for a page": """
async def check_once(once):
    asked = []

    async def fetch(page):
        asked.append(page)
        await asyncio.sleep(0.005)
        if page == "broken" and asked.count("broken") == 1:
            raise OSError
        return f"text of {page}"

    get = once(fetch)
    assert await get("a") == "text of a"
""",
        "the same text for every page": """
async def check_once(once):
    asked = []

    async def fetch(page):
        asked.append(page)
        await asyncio.sleep(0.005)
        if page == "broken" and asked.count("broken") == 1:
            raise OSError
        return f"text of {page}"

    get = once(fetch)
    await get("a")
    await get("a")
    assert asked == ["a"]
""",
        "asks twice when two tasks": """
async def check_once(once):
    asked = []

    async def fetch(page):
        asked.append(page)
        await asyncio.sleep(0.005)
        if page == "broken" and asked.count("broken") == 1:
            raise OSError
        return f"text of {page}"

    get = once(fetch)
    assert await get("a") == "text of a"
    assert await get("a") == "text of a"
    assert await get("b") == "text of b"
    assert asked == ["a", "b"]
""",
        "keeps an error": """
async def check_once(once):
    asked = []

    async def fetch(page):
        asked.append(page)
        await asyncio.sleep(0.005)
        if page == "broken" and asked.count("broken") == 1:
            raise OSError
        return f"text of {page}"

    get = once(fetch)
    async with asyncio.timeout(1):
        assert await asyncio.gather(get("a"), get("a"), get("b")) == ["text of a", "text of a", "text of b"]
        await get("a")
    assert asked == ["a", "b"]
""",
        "your test hangs": """
async def check_once(once):
    asked = []

    async def fetch(page):
        asked.append(page)
        await asyncio.sleep(0.005)
        if page == "broken" and asked.count("broken") == 1:
            raise OSError
        return f"text of {page}"

    get = once(fetch)
    assert await asyncio.gather(get("a"), get("a"), get("b")) == ["text of a", "text of a", "text of b"]
    await get("a")
    assert asked == ["a", "b"]
    try:
        await get("broken")
    except OSError:
        pass
    assert await get("broken") == "text of broken"
""",
        "your test fails for a `once` that does all": """
async def check_once(once):
    asked = []

    async def fetch(page):
        asked.append(page)
        await asyncio.sleep(0.005)
        if page == "broken" and asked.count("broken") == 1:
            raise OSError
        return f"text of {page}"

    get = once(fetch)
    await get("a")
    await get("a")
    assert asked == ["a", "a"]
""",
        "not a coroutine function": """
def check_once(once):
    assert once
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
}
