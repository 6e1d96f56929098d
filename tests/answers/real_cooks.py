"""Answers to the exercises of 05 Real cooks: known wrong ones, by a piece of what is said of them, and right ones."""

WRONG = {
    "slices": {
        "it returned None": """
def slices(timeline, lane):
    [span.duration for span in timeline.by_lane[lane] if span.state is RUNNING]
""",
        "its READY and WAITING too": """
def slices(timeline, lane):
    return [span.duration for span in timeline.by_lane[lane]]
""",
        "the spans of all lanes": """
def slices(timeline, lane):
    return [span.duration for span in timeline.spans if span.state is RUNNING]
""",
        "spans that touch are one slice": """
def slices(timeline, lane):
    return [span.duration for span in timeline.by_lane[lane] if span.state is RUNNING]
""",
        "a slice's length is the span's `duration`": """
def slices(timeline, lane):
    return [span for span in timeline.by_lane[lane] if span.state is RUNNING]
""",
        "it returned one number": """
def slices(timeline, lane):
    return sum(span.duration for span in timeline.by_lane[lane] if span.state is RUNNING)
""",
        "but not their order": """
def slices(timeline, lane):
    lengths, until = [], None
    for span in timeline.by_lane[lane]:
        if span.state is RUNNING:
            if span.start == until:
                lengths[-1] += span.duration
            else:
                lengths.append(span.duration)
            until = span.end
    return sorted(lengths)
""",
        "you say 15, but": """
def slices(timeline, lane):
    spans = [span for span in timeline.by_lane[lane] if span.state is RUNNING]
    return [spans[-1].end - spans[0].start]
""",
        "your code raised KeyError": """
def slices(timeline, lane):
    return timeline.by_lane["steak"]
""",
    },
    "count": {
        "before either had written": """
def count(counter, threads, times):
    def add():
        for _ in range(times):
            counter.write(counter.read() + 1)

    crew = [threading.Thread(target=add) for _ in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
""",
        "Keep the lock until the new number is written": """
def count(counter, threads, times):
    lock = threading.Lock()

    def add():
        for _ in range(times):
            with lock:
                seen = counter.read()
            counter.write(seen + 1)

    crew = [threading.Thread(target=add) for _ in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
""",
        "a lock that is not given back": """
def count(counter, threads, times):
    lock = threading.Lock()

    def add():
        for _ in range(times):
            lock.acquire()
            counter.write(counter.read() + 1)

    crew = [threading.Thread(target=add) for _ in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
""",
        "behind your back": """
def count(counter, threads, times):
    lock = threading.Lock()

    def add():
        for _ in range(times):
            with lock:
                counter.write(counter.read() + 1)

    for _ in range(threads):
        threading.Thread(target=add).start()
""",
        "one thread made all 6 additions": """
def count(counter, threads, times):
    for _ in range(threads * times):
        counter.write(counter.read() + 1)
""",
        "3 additions were made": """
def count(counter, threads, times):
    lock = threading.Lock()

    def add():
        with lock:
            counter.write(counter.read() + 1)

    crew = [threading.Thread(target=add) for _ in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
""",
        "each thread was started when the one before had ended": """
def count(counter, threads, times):
    def add():
        for _ in range(times):
            counter.write(counter.read() + 1)

    for _ in range(threads):
        thread = threading.Thread(target=add)
        thread.start()
        thread.join()
""",
        "write what you read, plus 1": """
def count(counter, threads, times):
    lock = threading.Lock()

    def add():
        for _ in range(times):
            with lock:
                counter.read()
                counter.write(1)

    crew = [threading.Thread(target=add) for _ in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
""",
    },
    "at_most": {
        "one call after the other": """
def at_most(k, get, pages):
    return [get(page) for page in pages]
""",
        "calls were under way at once: 3 were allowed": """
def at_most(k, get, pages):
    with ThreadPoolExecutor(len(pages)) as pool:
        return list(pool.map(get, pages))
""",
        "never more than 2 calls": """
def at_most(k, get, pages):
    with ThreadPoolExecutor(k - 1) as pool:
        return list(pool.map(get, pages))
""",
        "but it returned None": """
def at_most(k, get, pages):
    with ThreadPoolExecutor(k) as pool:
        list(pool.map(get, pages))
""",
        "it returned a generator": """
def at_most(k, get, pages):
    with ThreadPoolExecutor(k) as pool:
        return pool.map(get, pages)
""",
        "in the order in which they came": """
def at_most(k, get, pages):
    results = []
    with ThreadPoolExecutor(k) as pool:
        for page in pages:
            pool.submit(get, page).add_done_callback(lambda call: results.append(call.result()))
    return results
""",
        "results are not in what was returned": """
def at_most(k, get, pages):
    with ThreadPoolExecutor(k) as pool:
        return list(pool.map(get, pages))[:k]
""",
        "nobody heard of it": """
def at_most(k, get, pages):
    def careful(page):
        try:
            return get(page)
        except Exception:
            return None

    with ThreadPoolExecutor(k) as pool:
        return list(pool.map(careful, pages))
""",
        "calls were still under way": """
def at_most(k, get, pages):
    places = threading.Semaphore(k)
    results = {}

    def fetch(page):
        with places:
            results[page] = get(page)

    for page in pages:
        threading.Thread(target=fetch, args=[page]).start()
    while len(results) < 2:
        pass
    return list(results.values())
""",
        "were left behind": """
def at_most(k, get, pages):
    pool = ThreadPoolExecutor(k)
    results = list(pool.map(get, pages))
    pool.shutdown()
    return results
""",
    },
}

RIGHT = {
    "slices": [
        """
def slices(timeline, lane):
    ends = []
    for span in timeline.by_lane[lane]:
        if span.state is not RUNNING:
            continue
        if ends and ends[-1][1] == span.start:
            ends[-1][1] = span.end
        else:
            ends.append([span.start, span.end])
    return [end - start for start, end in ends]
""",
        """
def slices(timeline, lane):
    lengths, going_on = [], False
    for span in timeline.by_lane[lane]:
        if span.state is RUNNING and going_on:
            lengths[-1] += span.duration
        elif span.state is RUNNING:
            lengths.append(span.duration)
        going_on = span.state is RUNNING
    return tuple(lengths)
""",
    ],
    "count": [
        """
def count(counter, threads, times):
    lock = threading.RLock()

    def add(_):
        lock.acquire()
        try:
            seen = counter.read()
            counter.write(seen + 1)
        finally:
            lock.release()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(add, range(threads * times)))
""",
        """
def count(counter, threads, times):
    lock = threading.Semaphore(1)

    def add():
        with lock:
            for _ in range(times):
                counter.write(counter.read() + 1)

    crew = [threading.Thread(target=add) for _ in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
""",
    ],
    "at_most": [
        """
def at_most(k, get, pages):
    places = threading.Semaphore(k)
    results, problems = {}, []

    def fetch(page):
        with places:
            try:
                results[page] = get(page)
            except Exception as problem:
                problems.append(problem)

    crew = [threading.Thread(target=fetch, args=[page]) for page in pages]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    if problems:
        raise problems[0]
    return [results[page] for page in pages]
""",
        """
def at_most(k, get, pages):
    with ThreadPoolExecutor(k) as pool:
        calls = [pool.submit(get, page) for page in pages]
        return [call.result() for call in calls]
""",
        """
def at_most(k, get, pages):
    async def all_of_them():
        places = asyncio.Semaphore(k)

        async def fetch(page):
            async with places:
                return await asyncio.to_thread(get, page)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(fetch(page)) for page in pages]
        return [task.result() for task in tasks]

    return asyncio.run(all_of_them())
""",
    ],
}
