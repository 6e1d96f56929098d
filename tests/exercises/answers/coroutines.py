"""Answers to the exercises of notebook 04: wrong ones, each with what its verdict says, and right ones done differently."""

WRONG = {
    "risotto": {
        "called stir 3 times and returned None": """
def risotto(times, stir):
    for _ in range(times):
        stir()
""",
        "called stir 3 times and returned [2, 2]": """
def risotto(times, stir):
    waits = []
    for number in range(times):
        if number:
            waits.append(2)
        stir()
    return waits
""",
        "had stirred 3 times before anybody called next": """
def risotto(times, stir):
    for _ in range(times):
        stir()
    return iter([2] * (times - 1))
""",
        "it had stirred 3 times, and waited once more": """
def risotto(times, stir):
    for _ in range(times):
        stir()
        yield 2
""",
        "at yield number 1 it had stirred not once": """
def risotto(times, stir):
    for _ in range(times):
        yield 2
        stir()
""",
        "at yield number 1 it had stirred 3 times already": """
def risotto(times, stir):
    for _ in range(times):
        stir()
    for _ in range(times - 1):
        yield 2
""",
        "yielded None": """
def risotto(times, stir):
    for number in range(times):
        if number:
            yield
        stir()
""",
        "stirred twice in all": """
def risotto(times, stir):
    for _ in range(times - 1):
        stir()
        yield 2
""",
        "risotto(0, stir) stirred once in all": """
def risotto(times, stir):
    stir()
    for _ in range(times - 1):
        yield 2
        stir()
""",
        "yielded <generator object": """
def risotto(times, stir):
    def rest():
        yield 2

    for number in range(times):
        if number:
            yield rest()
        stir()
""",
    },
    "loop_with_results": {
        "goes round and round at minute 1": """
def loop_with_results(tasks, clock):
    results, due, waiting = {}, {}, deque(tasks)
    while waiting:
        task = waiting.popleft()
        if due.get(task, 0) <= clock.now:
            try:
                due[task] = clock.now + task.send(None)
            except StopIteration as end:
                results[task] = end.value
                continue
        waiting.append(task)
    return [results[task] for task in tasks]
""",
        "it was WAITING, not READY": """
def loop_with_results(tasks, clock):
    results, ready = {}, deque(tasks)
    while ready:
        task = ready.popleft()
        try:
            task.send(None)
        except StopIteration as end:
            results[task] = end.value
            continue
        ready.append(task)
    return [results[task] for task in tasks]
""",
        "it took 15 minutes, but": """
def loop_with_results(tasks, clock):
    results = []
    for task in tasks:
        while True:
            try:
                minutes = task.send(None)
                clock.sleep_until(clock.now + minutes)
            except StopIteration as end:
                results.append(end.value)
                break
    return results
""",
        "went on with 'pour' at minute 4, but had to wait until 5": """
def loop_with_results(tasks, clock):
    results = {}
    ready, sleepers, waits = deque(tasks), [], 0
    while ready or sleepers:
        if not ready:
            clock.sleep_until(sleepers[0][0])
        while sleepers and sleepers[0][0] <= clock.now:
            ready.append(heappop(sleepers)[2])
        task = ready.popleft()
        try:
            waits += 1
            heappush(sleepers, (clock.now + task.send(None), waits, task))
        except StopIteration as end:
            results[task] = end.value
    return [results[task] for task in tasks]
""",
        "was left unfinished": """
def loop_with_results(tasks, clock):
    results = {}
    ready, sleepers, waits = deque(tasks), [], 0
    while ready:
        while sleepers and sleepers[0][0] <= clock.now:
            ready.append(heappop(sleepers)[2])
        task = ready.popleft()
        try:
            minutes = task.send(None)
        except StopIteration as end:
            results[task] = end.value
            continue
        waits += 1
        heappush(sleepers, (clock.now + minutes, waits, task))
    return [results.get(task) for task in tasks]
""",
        "two dishes: the first to differ: toast is at 'slice' from minute 0": """
def loop_with_results(tasks, clock):
    results = {}
    ready, sleepers, waits = list(tasks), [], 0
    while ready or sleepers:
        if not ready:
            clock.sleep_until(sleepers[0][0])
        while sleepers and sleepers[0][0] <= clock.now:
            ready.append(heappop(sleepers)[2])
        task = ready.pop()
        try:
            minutes = task.send(None)
        except StopIteration as end:
            results[task] = end.value
            continue
        waits += 1
        heappush(sleepers, (clock.now + minutes, waits, task))
    return [results[task] for task in tasks]
""",
        "two that wake at the same minute: the first to differ: rice": """
def loop_with_results(tasks, clock):
    results = {}
    ready, sleepers = deque(tasks), []
    while ready or sleepers:
        if not ready:
            clock.sleep_until(sleepers[0][0])
        while sleepers and sleepers[0][0] <= clock.now:
            ready.append(heappop(sleepers)[2])
        task = ready.popleft()
        try:
            minutes = task.send(None)
        except StopIteration as end:
            results[task] = end.value
            continue
        heappush(sleepers, (clock.now + minutes, tasks.index(task), task))
    return [results[task] for task in tasks]
""",
        "the heap compares the generators: put a running number between": """
def loop_with_results(tasks, clock):
    results = {}
    ready, sleepers = deque(tasks), []
    while ready or sleepers:
        if not ready:
            clock.sleep_until(sleepers[0][0])
        while sleepers and sleepers[0][0] <= clock.now:
            ready.append(heappop(sleepers)[1])
        task = ready.popleft()
        try:
            minutes = task.send(None)
        except StopIteration as end:
            results[task] = end.value
            continue
        heappush(sleepers, (clock.now + minutes, task))
    return [results[task] for task in tasks]
""",
        "in the order in which the tasks ended": """
def loop_with_results(tasks, clock):
    results = []
    ready, sleepers, waits = deque(tasks), [], 0
    while ready or sleepers:
        if not ready:
            clock.sleep_until(sleepers[0][0])
        while sleepers and sleepers[0][0] <= clock.now:
            ready.append(heappop(sleepers)[2])
        task = ready.popleft()
        try:
            minutes = task.send(None)
        except StopIteration as end:
            results.append(end.value)
            continue
        waits += 1
        heappush(sleepers, (clock.now + minutes, waits, task))
    return results
""",
        "the function returned None": """
def loop_with_results(tasks, clock):
    ready, sleepers, waits = deque(tasks), [], 0
    while ready or sleepers:
        if not ready:
            clock.sleep_until(sleepers[0][0])
        while sleepers and sleepers[0][0] <= clock.now:
            ready.append(heappop(sleepers)[2])
        task = ready.popleft()
        try:
            minutes = task.send(None)
        except StopIteration:
            continue
        waits += 1
        heappush(sleepers, (clock.now + minutes, waits, task))
""",
        "you returned [None]": """
def loop_with_results(tasks, clock):
    results = {}
    ready, sleepers, waits = deque(tasks), [], 0
    while ready or sleepers:
        if not ready:
            clock.sleep_until(sleepers[0][0])
        while sleepers and sleepers[0][0] <= clock.now:
            ready.append(heappop(sleepers)[2])
        task = ready.popleft()
        minutes = next(task, None)
        if minutes is None:
            continue
        waits += 1
        heappush(sleepers, (clock.now + minutes, waits, task))
    return [results.get(task) for task in tasks]
""",
    },
    "three_pages": {
        "one after the other: the request for page 2": """
async def three_pages(get):
    return [await get(page) for page in (1, 2, 3)]
""",
        "one after the other, though get was called three times before": """
async def three_pages(get):
    one, two, three = get(1), get(2), get(3)
    return [await one, await two, await three]
""",
        "no more than 2 at once": """
async def three_pages(get):
    one, two = await asyncio.gather(get(1), get(2))
    return [one, two, await get(3)]
""",
        "in the order in which they came, text of page 3": """
async def three_pages(get):
    return [await page for page in asyncio.as_completed([get(1), get(2), get(3)])]
""",
        "which still has to be awaited": """
async def three_pages(get):
    pages = asyncio.gather(get(1), get(2), get(3))
    await asyncio.sleep(0.2)
    return pages
""",
        "page 1 was never fetched": """
async def three_pages(get):
    return [get(1), get(2), get(3)]
""",
        "has tasks in it, not texts": """
async def three_pages(get):
    tasks = [asyncio.create_task(get(page)) for page in (1, 2, 3)]
    await asyncio.wait(tasks)
    return tasks
""",
        "returned None": """
async def three_pages(get):
    await asyncio.gather(get(1), get(2), get(3))
""",
        "page 1 was fetched twice": """
async def three_pages(get):
    tasks = [asyncio.create_task(get(page)) for page in (1, 2, 3)]
    return [await get(1), await tasks[1], await tasks[2]]
""",
        "not a coroutine function": """
def three_pages(get):
    return [get(1), get(2), get(3)]
""",
    },
    "total": {
        "nothing in your function let go of the loop there": """
async def total(piece, n):
    return sum(piece(i) for i in range(n))
""",
        "you awaited nothing(), but nothing in it has to wait": """
async def nothing():
    pass


async def total(piece, n):
    result = 0
    for i in range(n):
        result += piece(i)
        await nothing()
    return result
""",
        "in a thread you do not decide when the others get their turns": """
async def total(piece, n):
    return await asyncio.to_thread(lambda: sum(piece(i) for i in range(n)))
""",
        "you slept for 0.2 s in all": """
async def total(piece, n):
    result = 0
    for i in range(n):
        result += piece(i)
        await asyncio.sleep(0.01)
    return result
""",
        "between piece 0 and piece 1 the neighbour had no turn": """
async def total(piece, n):
    result = 0
    for i in range(n):
        result += piece(i)
        if i % 5 == 4:
            await asyncio.sleep(0)
    return result
""",
        "piece(19) was never called": """
async def total(piece, n):
    result = 0
    for i in range(n - 1):
        result += piece(i)
        await asyncio.sleep(0)
    return result
""",
        "the function returned None": """
async def total(piece, n):
    result = 0
    for i in range(n):
        result += piece(i)
        await asyncio.sleep(0)
""",
        "the pieces add up to 590, but you returned 58": """
async def total(piece, n):
    for i in range(n):
        result = piece(i)
        await asyncio.sleep(0)
    return result
""",
        "the pieces had tasks of their own": """
async def total(piece, n):
    async def one(i):
        return piece(i)

    return sum(await asyncio.gather(*(one(i) for i in range(n))))
""",
        "not a coroutine function": """
def total(piece, n):
    return sum(piece(i) for i in range(n))
""",
        "piece(0) was called too often": """
async def total(piece, n):
    result = 0
    for i in range(n):
        piece(i)
        await asyncio.sleep(0)
        result += piece(i)
        await asyncio.sleep(0)
    return result
""",
    },
}

RIGHT = {
    "risotto": [
        """
def risotto(times, stir):
    if times:
        stir()
    for _ in range(times - 1):
        yield 2.0
        stir()
""",
        """
def risotto(times, stir):
    def rest(left):
        if left:
            yield 2
            stir()
            yield from rest(left - 1)

    if times > 0:
        stir()
        yield from rest(times - 1)
""",
        """
def risotto(times, stir):
    class Pot:
        left = times

        def __iter__(self):
            return self

        def __next__(self):
            if not self.left:
                raise StopIteration
            stir()
            self.left -= 1
            if not self.left:
                raise StopIteration
            return 2

    return Pot()
""",
    ],
    "loop_with_results": [
        """
def loop_with_results(tasks, clock):
    results, waits = [None] * len(tasks), 0
    asleep = [(0, number, number) for number in range(len(tasks))]
    waits = len(tasks)
    while asleep:
        asleep.sort()
        minute, _, number = asleep.pop(0)
        clock.sleep_until(minute)
        try:
            minutes = next(tasks[number])
        except StopIteration as end:
            results[number] = end.value
        else:
            waits += 1
            asleep.append((clock.now + minutes, waits, number))
    return results
""",
        """
def loop_with_results(tasks, clock):
    results = {}

    def to_the_end(task):
        results[task] = yield from task

    order = {task: number for number, task in enumerate(tasks)}
    queue, count = [(0, n, to_the_end(task)) for task, n in order.items()], len(tasks)
    while queue:
        minute, _, task = heappop(queue)
        clock.sleep_until(minute)
        for minutes in task:
            count += 1
            heappush(queue, (clock.now + minutes, count, task))
            break
    return tuple(results[task] for task in tasks)
""",
    ],
    "three_pages": [
        """
async def three_pages(get):
    return await asyncio.gather(get(1), get(2), get(3))
""",
        """
async def three_pages(get):
    tasks = [asyncio.create_task(get(page)) for page in (1, 2, 3)]
    return [await task for task in tasks]
""",
        """
async def three_pages(get):
    two, three = asyncio.create_task(get(2)), asyncio.create_task(get(3))
    return [await get(1), await two, await three]
""",
        """
async def three_pages(get):
    texts = {}

    async def fetch(page):
        texts[page] = await get(page)

    for done in asyncio.as_completed([fetch(page) for page in (3, 2, 1)]):
        await done
    return [texts[page] for page in sorted(texts)]
""",
    ],
    "total": [
        """
async def total(piece, n):
    result = piece(0)
    for i in range(1, n):
        await asyncio.sleep(0)
        result += piece(i)
    return result
""",
        """
async def total(piece, n):
    result = 0
    for i in range(n):
        result += await asyncio.to_thread(piece, i)
    return result
""",
        """
class GiveWay:
    def __await__(self):
        yield


async def total(piece, n):
    result = 0
    for i in reversed(range(n)):
        result += piece(i)
        await GiveWay()
    return result
""",
        """
async def total(piece, n):
    async def one(i):
        return piece(i)

    return sum([await asyncio.create_task(one(i)) for i in range(n)])
""",
    ],
}
