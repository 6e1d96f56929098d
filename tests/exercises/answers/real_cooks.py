"""Answers to the exercises of 05 Real cooks: known wrong ones, by a piece of what is said of them, and right ones."""

WRONG = {
    "impossible": {
        "A A A A B A A B B B loses an update": """
def impossible():
    a = '''
        shelves.acquire()
        take = left
        left = take - 1
        put = right
        right = put + 1
        shelves.release()
    '''
    b = '''
        take = right
        right = take - 1
        put = left
        left = put + 1
    '''
    return a, b
""",
        "A A A A B B A A B B B B loses an update": """
def impossible():
    a = '''
        one.acquire()
        take = left
        left = take - 1
        put = right
        right = put + 1
        one.release()
    '''
    b = '''
        other.acquire()
        take = right
        right = take - 1
        put = left
        left = put + 1
        other.release()
    '''
    return a, b
""",
        "A waits for two and B waits for one": """
def impossible():
    a = '''
        one.acquire()
        two.acquire()
        take = left
        left = take - 1
        put = right
        right = put + 1
        two.release()
        one.release()
    '''
    b = '''
        two.acquire()
        one.acquire()
        take = right
        right = take - 1
        put = left
        left = put + 1
        one.release()
        two.release()
    '''
    return a, b
""",
        "ends in a deadlock. Nobody can take a step: B waits for shelves": """
def impossible():
    a = '''
        shelves.acquire()
        take = left
        left = take - 1
        put = right
        right = put + 1
    '''
    b = '''
        shelves.acquire()
        take = right
        right = take - 1
        put = left
        left = put + 1
        shelves.release()
    '''
    return a, b
""",
        "A waits for shelves and B": """
def impossible():
    a = '''
        shelves.acquire()
        shelves.acquire()
        take = left
        left = take - 1
        put = right
        right = put + 1
        shelves.release()
    '''
    b = '''
        shelves.acquire()
        take = right
        right = take - 1
        put = left
        left = put + 1
        shelves.release()
    '''
    return a, b
""",
        "thread A keeps mine for ever": """
def impossible():
    a = '''
        mine.acquire()
        shelves.acquire()
        take = left
        left = take - 1
        put = right
        right = put + 1
        shelves.release()
    '''
    b = '''
        shelves.acquire()
        take = right
        right = take - 1
        put = left
        left = put + 1
        shelves.release()
    '''
    return a, b
""",
        "nobody holds it": """
def impossible():
    a = '''
        take = left
        left = take - 1
        put = right
        right = put + 1
        shelves.release()
    '''
    b = '''
        shelves.acquire()
        take = right
        right = take - 1
        put = left
        left = put + 1
        shelves.release()
    '''
    return a, b
""",
        "thread B no longer does its own four lines": """
def impossible():
    a = '''
        shelves.acquire()
        take = left
        left = take - 1
        put = right
        right = put + 1
        shelves.release()
    '''
    b = '''
        right = right - 1
        left = left + 1
    '''
    return a, b
""",
        "return the two texts": """
def impossible():
    return None
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
        "a lock that nobody gives back": """
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
        "each thread after the one before had ended": """
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
    "count_words": {
        "one page after the other": """
def count_words(get, pages):
    counts = {}
    for page in pages:
        try:
            for word in get(page).split():
                counts[word] = counts.get(word, 0) + 1
        except OSError:
            pass
    return counts
""",
        "its error came out": """
def count_words(get, pages):
    counts = {}
    with ThreadPoolExecutor(len(pages)) as pool:
        for text in pool.map(get, pages):
            for word in text.split():
                counts[word] = counts.get(word, 0) + 1
    return counts
""",
        "calls were still under way": """
def count_words(get, pages):
    counts, lock = {}, threading.Lock()

    def count(page):
        try:
            words = get(page).split()
        except OSError:
            return
        with lock:
            for word in words:
                counts[word] = counts.get(word, 0) + 1

    for page in pages:
        threading.Thread(target=count, args=[page]).start()
    return counts
""",
        "it returned None": """
def count_words(get, pages):
    counts, lock = {}, threading.Lock()

    def count(page):
        try:
            words = get(page).split()
        except OSError:
            return
        with lock:
            for word in words:
                counts[word] = counts.get(word, 0) + 1

    crew = [threading.Thread(target=count, args=[page]) for page in pages]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
""",
        "never more than 2 of 5": """
def count_words(get, pages):
    counts, lock = {}, threading.Lock()

    def count(page):
        try:
            words = get(page).split()
        except OSError:
            return
        with lock:
            for word in words:
                counts[word] = counts.get(word, 0) + 1

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(count, pages))
    return counts
""",
        "you count 'egg' 2 times, 'and' 2 times": """
def count_words(get, pages):
    counts, lock = {}, threading.Lock()

    def count(page):
        try:
            words = get(page).split()
        except OSError:
            return
        with lock:
            for word in set(words):
                counts[word] = counts.get(word, 0) + 1

    crew = [threading.Thread(target=count, args=[page]) for page in pages]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    return counts
""",
        "and no word of these pages": """
def count_words(get, pages):
    counts, lock = {}, threading.Lock()

    def count(page):
        try:
            words = get(page).split()
        except OSError:
            words = ["error"]
        with lock:
            for word in words:
                counts[word] = counts.get(word, 0) + 1

    crew = [threading.Thread(target=count, args=[page]) for page in pages]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    return counts
""",
        "'bread' 0 times": """
def count_words(get, pages):
    counts = {}
    try:
        with ThreadPoolExecutor(len(pages)) as pool:
            for text in pool.map(get, pages):
                for word in text.split():
                    counts[word] = counts.get(word, 0) + 1
    except OSError:
        pass
    return counts
""",
        "belong under one lock": """
def count_words(get, pages):
    counts = {}

    def count(page):
        try:
            words = get(page).split()
        except OSError:
            return
        for word in words:
            counts[word] = counts.get(word, 0) + 1

    crew = [threading.Thread(target=count, args=[page]) for page in pages]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    return counts
""",
        "was called 9 times": """
def count_words(get, pages):
    counts, lock = {}, threading.Lock()

    def count(page):
        try:
            words = get(page).split() and get(page).split()
        except OSError:
            return
        with lock:
            for word in words:
                counts[word] = counts.get(word, 0) + 1

    crew = [threading.Thread(target=count, args=[page]) for page in pages]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    return counts
""",
    },
}

RIGHT = {
    "impossible": [
        """
def impossible():
    a = '''
        one.acquire()
        two.acquire()
        take = left
        left = take - 1
        put = right
        right = put + 1
        two.release()
        one.release()
    '''
    b = '''
        one.acquire()
        two.acquire()
        take = right
        right = take - 1
        put = left
        left = put + 1
        two.release()
        one.release()
    '''
    return a, b
""",
        """
def impossible():
    a = '''
        one.acquire()
        take = left
        left = take - 1
        one.release()
        two.acquire()
        put = right
        right = put + 1
        two.release()
    '''
    b = '''
        two.acquire()
        take = right
        right = take - 1
        two.release()
        one.acquire()
        put = left
        left = put + 1
        one.release()
    '''
    return a, b
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
    "count_words": [
        """
def count_words(get, pages):
    def words(page):
        try:
            return get(page).split()
        except OSError:
            return []

    counts = {}
    with ThreadPoolExecutor(len(pages)) as pool:
        for found in pool.map(words, pages):
            for word in found:
                counts[word] = counts.get(word, 0) + 1
    return counts
""",
    ],
}
