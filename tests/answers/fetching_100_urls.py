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
        "the order is that of the pages": """
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
        "in the list stands a coroutine": """
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
        "no coroutine function": """
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
    "fetch_each": {
        "page 1 failed, and that ended everything": """
async def fetch_each(get, pages):
    return await asyncio.gather(*(get(page) for page in pages))
""",
        "page 5 failed, and that ended everything: 3 of 8 pages were had": """
async def fetch_each(get, pages):
    tasks = [asyncio.create_task(get(page)) for page in pages]
    results = []
    for task in asyncio.as_completed(tasks):
        try:
            results.append(await task)
        except OSError as error:
            results.append(error)
    return results
""",
        "only 1 under way at once": """
async def fetch_each(get, pages):
    results = []
    for page in pages:
        try:
            results.append(await get(page))
        except Exception as error:
            results.append(error)
    return results
""",
        "6 results came back for 8 pages": """
async def fetch_each(get, pages):
    results = await asyncio.gather(*(get(page) for page in pages), return_exceptions=True)
    return [result for result in results if not isinstance(result, Exception)]
""",
        "in the place of page 1 stands None": """
async def fetch_each(get, pages):
    async def safely(page):
        try:
            return await get(page)
        except Exception:
            return None

    return await asyncio.gather(*(safely(page) for page in pages))
""",
        "in the place of page 1 stands 'connection reset'": """
async def fetch_each(get, pages):
    results = await asyncio.gather(*(get(page) for page in pages), return_exceptions=True)
    return [result if isinstance(result, str) else str(result) for result in results]
""",
        "in the order of the pages": """
async def fetch_each(get, pages):
    results = []

    async def safely(page):
        try:
            results.append(await get(page))
        except Exception as error:
            results.append(error)

    async with asyncio.TaskGroup() as group:
        for page in pages:
            group.create_task(safely(page))
    return results
""",
        "in the list stands a Task": """
async def fetch_each(get, pages):
    tasks = [asyncio.create_task(get(page)) for page in pages]
    await asyncio.wait(tasks)
    return tasks
""",
    },
    "fetch_within": {
        "page 1 was waited for 1": """
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
        "it had returned, and page 1 was still being waited for": """
async def fetch_within(get, pages, seconds):
    tasks = [asyncio.create_task(get(page)) for page in pages]
    done, late = await asyncio.wait(tasks, timeout=seconds)
    return [task.result() if task in done else None for task in tasks]
""",
        "takes the deadline its force": """
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
            async with asyncio.timeout(seconds / 2):
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
        "stands None, and not 'the text of page 0'": """
async def fetch_within(get, pages, seconds):
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.gather(*(get(page) for page in pages))
    except TimeoutError:
        return [None] * len(pages)
""",
        "page 1 was cancelled, and it was still cleaning up": """
async def fetch_within(get, pages, seconds):
    tasks = [asyncio.create_task(get(page)) for page in pages]
    done, late = await asyncio.wait(tasks, timeout=seconds)
    for task in late:
        task.cancel()
    return [task.result() if task in done else None for task in tasks]
""",
        "page 4 was cancelled, and it was still cleaning up": """
async def fetch_within(get, pages, seconds):
    tasks = [asyncio.create_task(get(page)) for page in pages]
    try:
        async with asyncio.timeout(seconds):
            await asyncio.gather(*tasks)  # which ends at the first that was cancelled
    except TimeoutError:
        pass
    return [task.result() if task.done() and not task.cancelled() else None for task in tasks]
""",
        "stands TimeoutError()": """
async def fetch_within(get, pages, seconds):
    timed = [asyncio.wait_for(get(page), seconds) for page in pages]
    return await asyncio.gather(*timed, return_exceptions=True)
""",
    },
    "get_patiently": {
        "it was given up after 1 of 3 requests": """
async def get_patiently(get, page, sleep, tries):
    return await get(page)
""",
        "it was asked again at once": """
async def get_patiently(get, page, sleep, tries):
    for _ in range(tries):
        answer = await get(page)
        if answer.status != 429:
            break
    return answer
""",
        "after a 404 it was asked again": """
async def get_patiently(get, page, sleep, tries):
    pause = 1
    for attempt in range(tries):
        answer = await get(page)
        if answer.status == 200 or attempt == tries - 1:
            return answer
        await sleep(answer.retry_after or pause)
        pause *= 2
""",
        "5 requests were made, and `tries` was 4": """
async def get_patiently(get, page, sleep, tries):
    pause, answer = 1, await get(page)
    for _ in range(tries):
        if answer.status != 429:
            break
        await sleep(answer.retry_after or pause)
        pause *= 2
        answer = await get(page)
    return answer
""",
        "3 s were due: the site asked for 3 s": """
async def get_patiently(get, page, sleep, tries):
    for attempt in range(tries):
        answer = await get(page)
        if answer.status != 429 or attempt == tries - 1:
            return answer
        await sleep(2**attempt)
""",
        "2 s were due: the site said nothing": """
async def get_patiently(get, page, sleep, tries):
    for attempt in range(tries):
        answer = await get(page)
        if answer.status != 429 or attempt == tries - 1:
            return answer
        await sleep(answer.retry_after or 1)
""",
        "it slept once more": """
async def get_patiently(get, page, sleep, tries):
    pause = 1
    for _ in range(tries):
        answer = await get(page)
        if answer.status != 429:
            break
        await sleep(answer.retry_after or pause)
        pause *= 2
    return answer
""",
        "return the answer that you got": """
async def get_patiently(get, page, sleep, tries):
    pause = 1
    for attempt in range(tries):
        answer = await get(page)
        if answer.status == 200:
            return answer
        if answer.status != 429 or attempt == tries - 1:
            return None
        await sleep(answer.retry_after or pause)
        pause *= 2
""",
        "0 is a number too": """
async def get_patiently(get, page, sleep, tries):
    for attempt in range(tries):
        answer = await get(page)
        if answer.status != 429 or attempt == tries - 1:
            return answer
        await sleep(answer.retry_after or 2**attempt)
""",
        "your code raised TypeError": """
async def get_patiently(get, page, sleep, tries):
    for attempt in range(tries):
        answer = await get(page)
        if answer.status != 429 or attempt == tries - 1:
            return answer
        await sleep(answer.retry_after)
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
    "fetch_each": [
        """
async def fetch_each(get, pages):
    async def safely(page):
        try:
            return await get(page)
        except Exception as error:
            return error

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(safely(page)) for page in pages]
    return [task.result() for task in tasks]
""",
        """
async def fetch_each(get, pages):
    tasks = [asyncio.create_task(get(page)) for page in pages]
    await asyncio.wait(tasks)
    return [task.exception() or task.result() for task in tasks]
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
    "get_patiently": [
        """
async def get_patiently(get, page, sleep, tries):
    answer = await get(page)
    pause = 1
    while answer.status == 429 and tries > 1:
        if answer.retry_after is not None:
            await sleep(answer.retry_after)
        else:
            await sleep(pause)
            pause *= 2
        tries -= 1
        answer = await get(page)
    return answer
""",
        """
async def get_patiently(get, page, sleep, tries, pause=1):
    answer = await get(page)
    if answer.status != 429 or tries == 1:
        return answer
    await sleep(pause if answer.retry_after is None else answer.retry_after)
    return await get_patiently(get, page, sleep, tries - 1, 2 * pause)
""",
    ],
}
