"""Answers to the exercises of notebook 07: wrong ones, each with what its verdict says, and right ones done differently."""

import sys

WRONG = {
    "enough": {
        "returned None": """
def enough(dishes):
    limit = 1
    while simulate.cooperative(dishes, limit=limit).makespan > 1.1 * simulate.lower_bound(dishes):
        limit += 1
""",
        "40 places are enough, but so are": """
def enough(dishes):
    return len(dishes)
""",
        "with 4 places it takes": """
def enough(dishes):
    wait, work = dishes[0].steps[1].duration, 2 * dishes[0].steps[0].duration
    return round((wait + work) / work)
""",
        "with 1 place it takes": """
def enough(dishes):
    return 1
""",
        "a limit is a whole number": """
def enough(dishes):
    return 7 * simulate.cooperative(dishes, limit=7).makespan / simulate.lower_bound(dishes) + 0.1
""",
        "60 slow answers: with 10 places": """
def enough(dishes):
    return {40: 5}.get(len(dishes), 10)
""",
        "after 2 s it was still not done": """
def enough(dishes):
    limit = 1
    while simulate.cooperative(dishes, limit=limit).makespan > 1.1 * simulate.lower_bound(dishes):
        pass
    return limit
""",
    },
    "get_politely": {
        "without any `sleep`": """
async def get_politely(get, url, sleep):
    while (answer := await get(url)).status == 429:
        pass
    return answer
""",
        "in the very same moment": """
async def get_politely(get, url, sleep):
    while (answer := await get(url)).status == 429:
        await sleep(answer.retry_after)
    return answer
""",
        "it came back after": """
async def get_politely(get, url, sleep):
    pause = 0.1
    while (answer := await get(url)).status == 429:
        await sleep(pause * random.uniform(1, 2))
        pause *= 2
    return answer
""",
        "given up after a 429": """
async def get_politely(get, url, sleep):
    answer = await get(url)
    if answer.status == 429:
        await sleep(answer.retry_after)
        answer = await get(url)
    return answer
""",
        "only 429 means": """
async def get_politely(get, url, sleep):
    for _ in range(50):
        answer = await get(url)
        if answer.status == 200:
            break
        await sleep((answer.retry_after or 1) * random.uniform(1, 2))
    return answer
""",
        "spread them over about as long again": """
async def get_politely(get, url, sleep):
    while (answer := await get(url)).status == 429:
        await sleep(answer.retry_after + random.uniform(0, 0.1))
    return answer
""",
        "nearly together: they came back within 0.00": """
async def get_politely(get, url, sleep):
    while (answer := await get(url)).status == 429:
        await sleep(answer.retry_after + random.uniform(0, 0.001))
    return answer
""",
        "returned None": """
async def get_politely(get, url, sleep):
    while (answer := await get(url)).status == 429:
        await sleep(answer.retry_after * random.uniform(1, 2))
""",
    },
    "as_they_come": {
        "all pages were handed over together": """
async def as_they_come(get, urls, limit):
    places = asyncio.Semaphore(limit)

    async def one(url):
        async with places:
            return await get(url)

    for page in await asyncio.gather(*map(one, urls)):
        yield page
""",
        "it had to wait for pages": """
async def as_they_come(get, urls, limit):
    places = asyncio.Semaphore(limit)

    async def one(url):
        async with places:
            return await get(url)

    for task in [asyncio.create_task(one(url)) for url in urls]:
        yield await task
""",
        "10 requests were under way": """
async def as_they_come(get, urls, limit):
    for first in asyncio.as_completed([get(url) for url in urls]):
        yield await first
""",
        "one page after the other": """
async def as_they_come(get, urls, limit):
    for url in urls:
        yield await get(url)
""",
        "requests were still under way": """
async def as_they_come(get, urls, limit):
    places = asyncio.Semaphore(limit)

    async def one(url):
        async with places:
            return await get(url)

    for first in asyncio.as_completed([one(url) for url in urls]):
        yield await first
""",
        "cancelled, but not finished": """
async def as_they_come(get, urls, limit):
    places = asyncio.Semaphore(limit)

    async def one(url):
        async with places:
            return await get(url)

    tasks = [asyncio.create_task(one(url)) for url in urls]
    try:
        for first in asyncio.as_completed(tasks):
            yield await first
    finally:
        for task in tasks:
            task.cancel()
""",
        "stands inside a TaskGroup": """
async def as_they_come(get, urls, limit):
    places = asyncio.Semaphore(limit)

    async def one(url):
        async with places:
            return await get(url)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(url)) for url in urls]
        for first in asyncio.as_completed(tasks):
            yield await first
""",
        "catches GeneratorExit": """
async def as_they_come(get, urls, limit):
    places = asyncio.Semaphore(limit)

    async def one(url):
        async with places:
            return await get(url)

    for first in asyncio.as_completed([asyncio.create_task(one(url)) for url in urls]):
        try:
            yield await first
        except GeneratorExit:
            pass
""",
        "it is a coroutine": """
async def as_they_come(get, urls, limit):
    places = asyncio.Semaphore(limit)

    async def one(url):
        async with places:
            return await get(url)

    return await asyncio.gather(*map(one, urls))
""",
        "page 9 was never asked for": """
async def as_they_come(get, urls, limit):
    places = asyncio.Semaphore(limit)

    async def one(url):
        async with places:
            return await get(url)

    tasks = [asyncio.create_task(one(url)) for url in urls[:-1]]
    for first in asyncio.as_completed(tasks):
        yield await first
""",
    },
    "harvest": {
        "requests were under way at once": """
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

    await asyncio.gather(*(one(url) for url in urls))
    return given_up
""",
        "tasks were alive at once": """
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

    places = asyncio.Semaphore(n)

    async def politely(url):
        async with places:
            await one(url)

    await asyncio.gather(*(politely(url) for url in urls))
    return given_up
""",
        "taken out of the generator": """
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

    line = list(urls)

    async def worker():
        while line:
            await one(line.pop())

    await asyncio.gather(*(worker() for _ in range(n)))
    return given_up
""",
        "one page after the other": """
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

    for url in urls:
        await one(url)
    return given_up
""",
        "of 4 places were taken": """
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

    batch = []
    for url in urls:
        batch.append(url)
        if len(batch) == n:
            await asyncio.gather(*map(one, batch))
            batch = []
    await asyncio.gather(*map(one, batch))
    return given_up
""",
        "its error came out": """
async def harvest(get, urls, save, n):
    async def worker():
        for url in urls:
            save(url, await get(url))

    async with asyncio.TaskGroup() as crew:
        for _ in range(n):
            crew.create_task(worker())
    return []
""",
        "was given up after 1 try": """
async def harvest(get, urls, save, n):
    given_up = []

    async def worker():
        for url in urls:
            try:
                save(url, await get(url))
            except ConnectionError:
                given_up.append(url)

    async with asyncio.TaskGroup() as crew:
        for _ in range(n):
            crew.create_task(worker())
    return given_up
""",
        "page 15 was asked for 10 times": """
async def harvest(get, urls, save, n):
    given_up = []

    async def one(url):
        while True:
            try:
                save(url, await get(url))
                return
            except ConnectionError:
                pass
        given_up.append(url)

    async def worker():
        for url in urls:
            await one(url)

    async with asyncio.TaskGroup() as crew:
        for _ in range(n):
            crew.create_task(worker())
    return given_up
""",
        "page 0 was asked for 3 times: though it had come": """
async def harvest(get, urls, save, n):
    given_up = []

    async def one(url):
        for _ in range(3):
            try:
                save(url, await get(url))
            except ConnectionError:
                pass
        given_up.append(url)

    async def worker():
        for url in urls:
            await one(url)

    async with asyncio.TaskGroup() as crew:
        for _ in range(n):
            crew.create_task(worker())
    return given_up
""",
        "save each page when it comes": """
async def harvest(get, urls, save, n):
    given_up, pages = [], {}

    async def one(url):
        for _ in range(3):
            try:
                pages[url] = await get(url)
                return
            except ConnectionError:
                pass
        given_up.append(url)

    async def worker():
        for url in urls:
            await one(url)

    async with asyncio.TaskGroup() as crew:
        for _ in range(n):
            crew.create_task(worker())
    for url, page in pages.items():
        save(url, page)
    return given_up
""",
        "it returned None": """
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
        for url in urls:
            await one(url)

    async with asyncio.TaskGroup() as crew:
        for _ in range(n):
            crew.create_task(worker())
""",
        "still not done": """
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

    line = asyncio.Queue(n)

    async def worker():
        while True:
            await one(await line.get())

    async with asyncio.TaskGroup() as crew:
        for _ in range(n):
            crew.create_task(worker())
        for url in urls:
            await line.put(url)
    return given_up
""",
        "4 tasks were not over yet": """
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

    line = asyncio.Queue(n)

    async def worker():
        while True:
            await one(await line.get())
            line.task_done()

    crew = [asyncio.create_task(worker()) for _ in range(n)]
    for url in urls:
        await line.put(url)
    await line.join()
    for task in crew:
        task.cancel()
    return given_up
""",
        "4 tasks were still there": """
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

    global crew
    line = asyncio.Queue(n)

    async def worker():
        while True:
            await one(await line.get())
            line.task_done()

    crew = [asyncio.create_task(worker()) for _ in range(n)]
    for url in urls:
        await line.put(url)
    await line.join()
    return given_up
""",
        "nobody waited for it": """
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

    line = asyncio.Queue(n)

    async def worker():
        while True:
            await one(await line.get())
            line.task_done()

    crew = [asyncio.create_task(worker()) for _ in range(n)]
    for url in urls:
        await line.put(url)
    for task in crew:
        task.cancel()
    await asyncio.gather(*crew, return_exceptions=True)
    return given_up
""",
    },
}

RIGHT = {
    "enough": [
        """
def enough(dishes):
    few, many = 0, len(dishes)
    while many - few > 1:
        middle = (few + many) // 2
        if simulate.cooperative(dishes, limit=middle).makespan <= 1.1 * simulate.lower_bound(dishes):
            many = middle
        else:
            few = middle
    return many
""",
    ],
    "get_politely": [
        """
async def get_politely(get, url, sleep):
    for attempt in range(100):
        answer = await get(url)
        if answer.status != 429:
            return answer
        await sleep(answer.retry_after + random.random() * 2**attempt)
""",
    ],
    "as_they_come": [
        """
async def as_they_come(get, urls, limit):
    line, arrived = iter(urls), asyncio.Queue()

    async def worker():
        for url in line:
            await arrived.put(await get(url))

    crew = [asyncio.create_task(worker()) for _ in range(limit)]
    try:
        for _ in urls:
            yield await arrived.get()
    finally:
        for task in crew:
            task.cancel()
        await asyncio.gather(*crew, return_exceptions=True)
""",
        """
async def as_they_come(get, urls, limit):
    line, under_way = list(urls), set()
    try:
        while line or under_way:
            while line and len(under_way) < limit:
                under_way.add(asyncio.create_task(get(line.pop(0))))
            done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            while line and len(under_way) < limit:
                under_way.add(asyncio.create_task(get(line.pop(0))))
            for task in done:
                yield task.result()
    finally:
        for task in under_way:
            task.cancel()
        if under_way:
            await asyncio.wait(under_way)
""",
    ],
    "harvest": [
        """
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
        for url in urls:
            await one(url)

    async with asyncio.TaskGroup() as crew:
        for _ in range(n):
            crew.create_task(worker())
    return given_up
""",
        """
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

    line = asyncio.Queue(n)

    async def worker():
        while True:
            await one(await line.get())
            line.task_done()

    crew = [asyncio.create_task(worker()) for _ in range(n)]
    for url in urls:
        await line.put(url)
    await line.join()
    for task in crew:
        task.cancel()
    await asyncio.gather(*crew, return_exceptions=True)
    return given_up
""",
        """
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

    places = asyncio.Semaphore(n)

    async def place_free_after(url):
        await one(url)
        places.release()

    async with asyncio.TaskGroup() as group:
        for url in urls:
            await places.acquire()
            group.create_task(place_free_after(url))
    return given_up
""",
    ],
}

if sys.version_info >= (3, 15):  # its TaskGroup lets the GeneratorExit out that ends the generator
    RIGHT["as_they_come"].append(WRONG["as_they_come"].pop("stands inside a TaskGroup"))
