"""Answers to the exercises of 10 More cooks: known wrong ones, by a piece of what is said of them, and right ones."""

WRONG = {
    "ready": {
        "it returned None": """
def ready(minutes, cooks):
    max(minutes)
""",
        "all the work, divided by the cooks": """
def ready(minutes, cooks):
    return sum(minutes) / cooks
""",
        "one cook would need that long": """
def ready(minutes, cooks):
    return sum(minutes)
""",
        "the longest dish": """
def ready(minutes, cooks):
    return max(minutes)
""",
        "dealt out in turn, like cards": """
def ready(minutes, cooks):
    return max(sum(minutes[first::cooks]) for first in range(cooks))
""",
        "with the longest first": """
def ready(minutes, cooks):
    free = [0] * cooks
    for duration in sorted(minutes, reverse=True):
        free[free.index(min(free))] += duration
    return max(free)
""",
        "one number": """
def ready(minutes, cooks):
    free = [0] * cooks
    for duration in minutes:
        free[free.index(min(free))] += duration
    return free
""",
        "you say 0, but": """
def ready(minutes, cooks):
    free = [0] * cooks
    for duration in minutes:
        free[free.index(min(free))] += duration
    return min(free) if cooks == 4 else max(free)
""",
    },
    "outcomes": {
        "bread burnt, and that came out": """
def outcomes(pool, cook, dishes):
    return dict(zip(dishes, pool.map(cook, dishes)))
""",
        "the pool broke, and that came out": """
def outcomes(pool, cook, dishes):
    found = {}
    for dish, future in [(dish, pool.submit(cook, dish)) for dish in dishes]:
        try:
            found[dish] = future.result()
        except Exception as problem:
            if "abruptly" in str(problem):
                raise
            found[dish] = problem
    return found
""",
        "one dish after the other": """
def outcomes(pool, cook, dishes):
    found = {}
    for dish in dishes:
        try:
            found[dish] = pool.submit(cook, dish).result()
        except Exception as problem:
            found[dish] = problem
    return found
""",
        "nothing about bread": """
def outcomes(pool, cook, dishes):
    futures = {dish: pool.submit(cook, dish) for dish in dishes}
    found = {}
    for dish, future in futures.items():
        try:
            found[dish] = future.result()
        except Exception:
            pass
    return found
""",
        "bread went wrong, but you say None": """
def outcomes(pool, cook, dishes):
    futures = {dish: pool.submit(cook, dish) for dish in dishes}
    wait(futures.values())
    return {dish: None if future.exception() else future.result() for dish, future in futures.items()}
""",
        "you return the future": """
def outcomes(pool, cook, dishes):
    futures = {dish: pool.submit(cook, dish) for dish in dishes}
    wait(futures.values())
    return futures
""",
        "it returned None": """
def outcomes(pool, cook, dishes):
    wait([pool.submit(cook, dish) for dish in dishes])
""",
        "for 6 dishes": """
def outcomes(pool, cook, dishes):
    futures = {dish: pool.submit(cook, dish) for dish in dishes}
    found = {dish: future.exception() or future.result() for dish, future in futures.items()}
    for dish in dishes:
        if isinstance(found[dish], Exception):
            again = pool.submit(cook, dish)
            found[dish] = again.exception() or again.result()
    return found
""",
    },
    "both": {
        "in the event loop's own thread": """
async def both(get, pool, compute, pages):
    async def one(page):
        return compute(await get(page))

    return await asyncio.gather(*[one(page) for page in pages])
""",
        "in a thread, not in the pool": """
async def both(get, pool, compute, pages):
    async def one(page):
        return await asyncio.to_thread(compute, await get(page))

    return await asyncio.gather(*[one(page) for page in pages])
""",
        "the loop stood still": """
async def both(get, pool, compute, pages):
    async def one(page):
        return pool.submit(compute, await get(page)).result()

    return await asyncio.gather(*[one(page) for page in pages])
""",
        "one after the other": """
async def both(get, pool, compute, pages):
    loop = asyncio.get_running_loop()
    return [await loop.run_in_executor(pool, compute, await get(page)) for page in pages]
""",
        "before the last page had come": """
async def both(get, pool, compute, pages):
    loop = asyncio.get_running_loop()
    texts = await asyncio.gather(*[get(page) for page in pages])
    return await asyncio.gather(*[loop.run_in_executor(pool, compute, text) for text in texts])
""",
        "in the order in which they came": """
async def both(get, pool, compute, pages):
    loop = asyncio.get_running_loop()

    async def one(page):
        return await loop.run_in_executor(pool, compute, await get(page))

    return [await done for done in asyncio.as_completed([one(page) for page in pages])]
""",
        "it returned None": """
async def both(get, pool, compute, pages):
    loop = asyncio.get_running_loop()

    async def one(page):
        await loop.run_in_executor(pool, compute, await get(page))

    await asyncio.gather(*[one(page) for page in pages])
""",
        "`compute` 0 times": """
async def both(get, pool, compute, pages):
    return await asyncio.gather(*[get(page) for page in pages])
""",
        "not a coroutine function": """
def both(get, pool, compute, pages):
    return list(pool.map(compute, pages))
""",
    },
}

RIGHT = {
    "ready": [
        """
def ready(minutes, cooks):
    free = [0.0] * cooks
    for duration in minutes:
        free.sort()
        free[0] += duration
    return max(free)
""",
    ],
    "outcomes": [
        """
def outcomes(pool, cook, dishes):
    futures = {pool.submit(cook, dish): dish for dish in dishes}
    return {futures[future]: future.exception() or future.result() for future in as_completed(futures)}
""",
        """
def outcomes(pool, cook, dishes):
    futures = {dish: pool.submit(cook, dish) for dish in dishes}
    wait(futures.values())
    return {dish: future.exception() or future.result() for dish, future in futures.items()}
""",
    ],
    "both": [
        """
async def both(get, pool, compute, pages):
    async def one(page):
        return await asyncio.wrap_future(pool.submit(compute, await get(page)))

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(page)) for page in pages]
    return [task.result() for task in tasks]
""",
        """
async def both(get, pool, compute, pages):
    loop, found = asyncio.get_running_loop(), {}

    async def one(page):
        found[page] = await loop.run_in_executor(pool, compute, await get(page))

    await asyncio.gather(*map(one, pages))
    return tuple(found[page] for page in pages)
""",
    ],
}
