"""Answers to the exercises of notebook 06: wrong ones, each with what its verdict says, and right ones done differently."""

WRONG = {
    "fetch_all": {
        "12 requests were under way at once": """
async def fetch_all(get, pages, most):
    return await asyncio.gather(*(get(page) for page in pages))
""",
        "5 requests were under way at once": """
async def fetch_all(get, pages, most):
    places = asyncio.Semaphore(most + 1)

    async def politely(page):
        async with places:
            return await get(page)

    return await asyncio.gather(*(politely(page) for page in pages))
""",
        "one page after the other": """
async def fetch_all(get, pages, most):
    return [await get(page) for page in pages]
""",
        "of 4 places were taken": """
async def fetch_all(get, pages, most):
    results = []
    for start in range(0, len(pages), most):
        results += await asyncio.gather(*(get(page) for page in pages[start : start + most]))
    return results
""",
        "the order of the pages": """
async def fetch_all(get, pages, most):
    places, results = asyncio.Semaphore(most), []

    async def politely(page):
        async with places:
            results.append(await get(page))

    await asyncio.gather(*(politely(page) for page in pages))
    return results
""",
        "page 11 was never asked for": """
async def fetch_all(get, pages, most):
    line, results = iter(list(enumerate(pages))[:-1]), [None] * len(pages)

    async def worker():
        for place, page in line:
            results[place] = await get(page)

    await asyncio.gather(*(worker() for _ in range(most)))
    return results
""",
        "it returned None": """
async def fetch_all(get, pages, most):
    places = asyncio.Semaphore(most)

    async def politely(page):
        async with places:
            return await get(page)

    await asyncio.gather(*(politely(page) for page in pages))
""",
        "the list has a coroutine in it": """
async def fetch_all(get, pages, most):
    async with asyncio.Semaphore(most):
        return [get(page) for page in pages]
""",
        "10 results came back for 12 pages": """
async def fetch_all(get, pages, most):
    places, results = asyncio.Semaphore(most), {}

    async def politely(page):
        async with places:
            results[page] = await get(page)

    await asyncio.gather(*(politely(page) for page in pages))
    return [results[page] for page in pages[:10]]
""",
        "page 0 was asked for 2 times": """
async def fetch_all(get, pages, most):
    places = asyncio.Semaphore(most)

    async def politely(page):
        async with places:
            return await get(page)

    await politely(pages[0])
    return await asyncio.gather(*(politely(page) for page in pages))
""",
        "not a coroutine function": """
def fetch_all(get, pages, most):
    return [get(page) for page in pages]
""",
        "your code raised ValueError": """
async def fetch_all(get, pages, most):
    places = asyncio.Semaphore(most)

    async def politely(page):
        async with places:
            return await get(page)

    tasks = [asyncio.create_task(politely(page)) for page in pages]
    await asyncio.wait(tasks)
    return [task.result() for task in tasks]
""",
        "it was still not done": """
async def fetch_all(get, pages, most):
    places = asyncio.Semaphore(most)

    async def politely(page):
        await places.acquire()
        return await get(page)

    return await asyncio.gather(*(politely(page) for page in pages))
""",
    },
    "fetch_within": {
        "s, but its time was up after 0.2 s": """
async def fetch_within(get, pages, seconds):
    return await asyncio.gather(*(get(page) for page in pages))
""",
        "the TimeoutError of one page ended everything": """
async def fetch_within(get, pages, seconds):
    return await asyncio.gather(*(asyncio.wait_for(get(page), seconds) for page in pages))
""",
        "fetch them all at once": """
async def fetch_within(get, pages, seconds):
    results = []
    for page in pages:
        try:
            results.append(await asyncio.wait_for(get(page), seconds))
        except TimeoutError:
            results.append(None)
    return results
""",
        "function had returned, and something still waited for": """
async def fetch_within(get, pages, seconds):
    tasks = [asyncio.create_task(get(page)) for page in pages]
    done, late = await asyncio.wait(tasks, timeout=seconds)
    return [task.result() if task in done else None for task in tasks]
""",
        "defeats the deadline": """
async def fetch_within(get, pages, seconds):
    async def in_time(page):
        async with asyncio.timeout(seconds):
            try:
                return await get(page)
            except asyncio.CancelledError:
                return await get(page)

    return await asyncio.gather(*(in_time(page) for page in pages))
""",
        "was given up after": """
async def fetch_within(get, pages, seconds):
    async def in_time(page):
        try:
            async with asyncio.timeout(seconds / 10):
                return await get(page)
        except TimeoutError:
            return None

    return await asyncio.gather(*(in_time(page) for page in pages))
""",
        "4 results came back for 6 pages": """
async def fetch_within(get, pages, seconds):
    tasks = [asyncio.create_task(get(page)) for page in pages]
    done, late = await asyncio.wait(tasks, timeout=seconds)
    for task in late:
        task.cancel()
    return [task.result() for task in tasks if task in done]
""",
        "is None, not 'the text of page 0'": """
async def fetch_within(get, pages, seconds):
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.gather(*(get(page) for page in pages))
    except TimeoutError:
        return [None] * len(pages)
""",
        "page 1 was cancelled, but it was still cleaning up": """
async def fetch_within(get, pages, seconds):
    tasks = [asyncio.create_task(get(page)) for page in pages]
    done, late = await asyncio.wait(tasks, timeout=seconds)
    for task in late:
        task.cancel()
    return [task.result() if task in done else None for task in tasks]
""",
        "page 4 was cancelled, but it was still cleaning up": """
async def fetch_within(get, pages, seconds):
    tasks = [asyncio.create_task(get(page)) for page in pages]
    try:
        async with asyncio.timeout(seconds):
            await asyncio.gather(*tasks)  # which ends at the first that was cancelled
    except TimeoutError:
        pass
    return [task.result() if task.done() and not task.cancelled() else None for task in tasks]
""",
        "is TimeoutError()": """
async def fetch_within(get, pages, seconds):
    timed = [asyncio.wait_for(get(page), seconds) for page in pages]
    return await asyncio.gather(*timed, return_exceptions=True)
""",
    },
    "crawl": {
        "asked for index twice": """
async def crawl(get, start, most):
    places, found = asyncio.Semaphore(most), []

    async def visit(page):
        async with places:
            links = await get(page)
        found.append(page)
        await asyncio.gather(*(visit(link) for link in links))

    await visit(start)
    return set(found)
""",
        "asked for cups twice": """
async def crawl(get, start, most):
    places, seen = asyncio.Semaphore(most), set()

    async def visit(page):
        async with places:
            links = await get(page)
        seen.add(page)
        await asyncio.gather(*(visit(link) for link in links if link not in seen))

    await visit(start)
    return seen
""",
        "and `most` was 3": """
async def crawl(get, start, most):
    seen = {start}

    async def visit(page):
        links = [link for link in await get(page) if link not in seen]
        seen.update(links)
        await asyncio.gather(*map(visit, links))

    await visit(start)
    return seen
""",
        "was still under way: wait for all tasks": """
async def crawl(get, start, most):
    seen, tasks = {start}, []

    async def visit(page):
        for link in await get(page):
            if link not in seen:
                seen.add(link)

    await visit(start)
    tasks = [asyncio.create_task(visit(page)) for page in list(seen)[:0] or ["news", "shop"]]
    await tasks[1]
    return seen
""",
        "you never asked for old news": """
async def crawl(get, start, most):
    places = asyncio.Semaphore(most)

    async def visit(page):
        async with places:
            return await get(page)

    links = await get(start)
    await asyncio.gather(*map(visit, links))
    return {start, *links}
""",
        "never more than 1 under way": """
async def crawl(get, start, most):
    seen, todo = {start}, [start]
    while todo:
        for link in await get(todo.pop()):
            if link not in seen:
                seen.add(link)
                todo.append(link)
    return seen
""",
        "returned None": """
async def crawl(get, start, most):
    places, seen = asyncio.Semaphore(most), {start}

    async def visit(page):
        async with places:
            links = [link for link in await get(page) if link not in seen]
            seen.update(links)
        await asyncio.gather(*map(visit, links))

    await visit(start)
""",
        "it should be the set of the 11 pages": """
async def crawl(get, start, most):
    places, seen = asyncio.Semaphore(most), {start}

    async def visit(page):
        async with places:
            links = [link for link in await get(page) if link not in seen]
            seen.update(links)
        await asyncio.gather(*map(visit, links))

    await visit(start)
    return seen - {start}
""",
    },
}

RIGHT = {
    "fetch_all": [
        """
async def fetch_all(get, pages, most):
    line, results = iter(enumerate(pages)), [None] * len(pages)

    async def worker():
        for place, page in line:
            results[place] = await get(page)

    async with asyncio.TaskGroup() as group:
        for _ in range(most):
            group.create_task(worker())
    return results
""",
        """
async def fetch_all(get, pages, most):
    left, under_way, texts = list(pages), {}, {}
    while left or under_way:
        while left and len(under_way) < most:
            page = left.pop(0)
            under_way[asyncio.create_task(get(page))] = page
        done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            texts[under_way.pop(task)] = task.result()
    return [texts[page] for page in pages]
""",
        """
async def fetch_all(get, pages, most):
    queue, texts = asyncio.Queue(), {}

    async def worker():
        while True:
            page = await queue.get()
            texts[page] = await get(page)
            queue.task_done()

    workers = [asyncio.create_task(worker()) for _ in range(most)]
    for page in pages:
        await queue.put(page)
    await queue.join()
    for task in workers:
        task.cancel()
    return [texts[page] for page in pages]
""",
        """
async def fetch_all(get, pages, most):
    tasks = []
    for page in pages:
        while sum(not task.done() for task in tasks) >= most:
            await asyncio.sleep(0.002)
        tasks.append(asyncio.create_task(get(page)))
    return [await task for task in tasks]
""",
    ],
    "fetch_within": [
        """
async def fetch_within(get, pages, seconds):
    tasks = [asyncio.create_task(get(page)) for page in pages]
    done, late = await asyncio.wait(tasks, timeout=seconds)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return [task.result() if task in done else None for task in tasks]
""",
        """
async def fetch_within(get, pages, seconds):
    timed = (asyncio.wait_for(get(page), seconds) for page in pages)
    results = await asyncio.gather(*timed, return_exceptions=True)
    return [None if isinstance(result, TimeoutError) else result for result in results]
""",
    ],
    "crawl": [
        """
async def crawl(get, start, most):
    seen, level = {start}, [start]
    places = asyncio.Semaphore(most)

    async def visit(page):
        async with places:
            return await get(page)

    while level:
        links = await asyncio.gather(*map(visit, level))
        level = sorted({link for some in links for link in some} - seen)
        seen.update(level)
    return seen
""",
        """
async def crawl(get, start, most):
    queue, seen = asyncio.Queue(), {start}
    queue.put_nowait(start)

    async def work():
        while True:
            page = await queue.get()
            for link in await get(page):
                if link not in seen:
                    seen.add(link)
                    queue.put_nowait(link)
            queue.task_done()

    workers = [asyncio.create_task(work()) for _ in range(most)]
    await queue.join()
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    return list(seen)
""",
    ],
}
