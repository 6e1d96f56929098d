"""Answers to the exercises of notebook 07: wrong ones, each with what its verdict says, and right ones done differently."""

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
    "workers": {
        "24 requests were under way at once": """
async def workers(get, urls, n):
    urls = list(urls)
    return dict(zip(urls, await asyncio.gather(*(get(url) for url in urls))))
""",
        "tasks were alive at once": """
async def workers(get, urls, n):
    places, pages = asyncio.Semaphore(n), {}

    async def one(url):
        async with places:
            pages[url] = await get(url)

    await asyncio.gather(*(one(url) for url in urls))
    return pages
""",
        "24 URLs had been taken out of the generator": """
async def workers(get, urls, n):
    line, pages = list(urls), {}

    async def worker():
        while line:
            url = line.pop()
            pages[url] = await get(url)

    await asyncio.gather(*(worker() for _ in range(n)))
    return pages
""",
        "one page after the other": """
async def workers(get, urls, n):
    return {url: await get(url) for url in urls}
""",
        "of 4 places were taken": """
async def workers(get, urls, n):
    pages, batch = {}, []

    async def fetch(batch):
        pages.update(zip(batch, await asyncio.gather(*map(get, batch))))

    for url in urls:
        batch.append(url)
        if len(batch) == n:
            await fetch(batch)
            batch = []
    await fetch(batch)
    return pages
""",
        "pages are not in the dict": """
async def workers(get, urls, n):
    line, pages = asyncio.Queue(n), {}

    async def worker():
        while True:
            url = await line.get()
            pages[url] = await get(url)

    crew = [asyncio.create_task(worker()) for _ in range(n)]
    for url in urls:
        await line.put(url)
    for task in crew:
        task.cancel()
    return pages
""",
        "still not done": """
async def workers(get, urls, n):
    line, pages = asyncio.Queue(n), {}

    async def worker():
        while True:
            url = await line.get()
            pages[url] = await get(url)

    async with asyncio.TaskGroup() as crew:
        for _ in range(n):
            crew.create_task(worker())
        for url in urls:
            await line.put(url)
    return pages
""",
        "4 tasks were not over yet": """
async def workers(get, urls, n):
    line, pages = asyncio.Queue(n), {}

    async def worker():
        while True:
            url = await line.get()
            pages[url] = await get(url)
            line.task_done()

    crew = [asyncio.create_task(worker()) for _ in range(n)]
    for url in urls:
        await line.put(url)
    await line.join()
    for task in crew:
        task.cancel()
    return pages
""",
        "4 tasks were still there": """
async def workers(get, urls, n):
    line, pages = asyncio.Queue(n), {}

    async def worker():
        while True:
            url = await line.get()
            pages[url] = await get(url)
            line.task_done()

    global crew
    crew = [asyncio.create_task(worker()) for _ in range(n)]
    for url in urls:
        await line.put(url)
    await line.join()
    return pages
""",
        "returned None": """
async def workers(get, urls, n):
    pages = {}

    async def worker():
        for url in urls:
            pages[url] = await get(url)

    await asyncio.gather(*(worker() for _ in range(n)))
""",
        "returned a list": """
async def workers(get, urls, n):
    pages = []

    async def worker():
        for url in urls:
            pages.append(await get(url))

    await asyncio.gather(*(worker() for _ in range(n)))
    return pages
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
        "it had to wait for others": """
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
        "cancelled, but not over": """
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
    "workers": [
        """
async def workers(get, urls, n):
    line, pages = asyncio.Queue(maxsize=n), {}

    async def worker():
        while (url := await line.get()) is not None:
            pages[url] = await get(url)

    async with asyncio.TaskGroup() as crew:
        for _ in range(n):
            crew.create_task(worker())
        for url in urls:
            await line.put(url)
        for _ in range(n):
            await line.put(None)
    return pages
""",
        """
async def workers(get, urls, n):
    pages, under_way = {}, set()

    async def one(url):
        pages[url] = await get(url)

    for url in urls:
        if len(under_way) == n:
            _, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        under_way.add(asyncio.create_task(one(url)))
    await asyncio.gather(*under_way)
    return pages
""",
        """
async def workers(get, urls, n):
    places, pages = asyncio.Semaphore(n), {}

    async def one(url):
        pages[url] = await get(url)
        places.release()

    async with asyncio.TaskGroup() as group:
        for url in urls:
            await places.acquire()
            group.create_task(one(url))
    return pages
""",
        """
async def workers(get, urls, n):
    line, pages = asyncio.Queue(n), {}

    async def worker():
        while True:
            url = await line.get()
            pages[url] = await get(url)
            line.task_done()

    crew = [asyncio.create_task(worker()) for _ in range(n)]
    for url in urls:
        await line.put(url)
    await line.join()
    for task in crew:
        task.cancel()
    await asyncio.gather(*crew, return_exceptions=True)
    return pages
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
}
