"""Rows of awaits in programs as people write them: which go by what came before, and which do not."""

import asyncio
import sys
import time
from collections import deque
from contextlib import suppress
from random import random

import pytest

from kitchen.watching.watch import watch

PAUSE = 0.04
known, stock, book, account = {}, {"tea": 2}, {"count": 0}, 100


async def fetch(thing):
    await asyncio.sleep(PAUSE)
    return thing


def findings(program):
    async def main():
        async with watch() as run:
            await program()
        return run

    return [finding for finding in asyncio.run(main()).findings if finding.kind in ("in a row", "lock held")]


class Client:
    def __init__(self):
        self.user, self.token, self.headers, self.at, self.count, self.lock = "", "", {}, 0, 0, asyncio.Lock()

    async def get(self, what):
        return await fetch(f"{what} with {self.token}")

    async def request(self, method, what):
        return await fetch((method, what))

    async def ask(self, what):
        return await self._ask(what)

    async def _ask(self, what):
        async with self.lock:
            return await fetch(what)

    async def take(self, number):
        start = self.at
        self.at += number
        return await fetch((start, self.at))

    async def visit(self, url):
        self.user = url
        await fetch(url)
        return self.user

    async def check(self):
        return await fetch(self.count)


# --- each needs the one before, or the order is meant ----------------------------------------------------------------

MEANT = []


def meant(program):
    MEANT.append(program)
    return program


@meant
async def an_attribute_that_the_next_one_reads():
    client = Client()
    client.user = await fetch("me")
    client.count = await fetch(client.user)
    client.token = await fetch(client.count)


@meant
async def an_attribute_that_what_is_called_reads():
    client = Client()
    client.token = await client.get("token for me")
    client.user = await client.get("me")
    client.count = await client.get("count")


@meant
async def an_entry_that_the_next_one_reads():
    got = {}
    got["a"] = await fetch(1)
    got["b"] = await fetch(got["a"])
    got["c"] = await fetch(got["b"])


@meant
async def what_was_said_so_far():
    said = []
    for question in "abcd":
        prompt = ", ".join([*said, question])
        answer = await fetch(prompt)
        said += [question, answer]


@meant
async def a_message_more_each_time():
    messages = ()
    for question in "abcd":
        messages = (*messages, question)
        messages = (*messages, await fetch(messages))


@meant
async def a_name_within_a_comprehension():
    last = 0
    return [last := await fetch(last + number) for number in range(4)]


@meant
async def what_is_there_and_is_taken_from():
    async def withdraw(amount):
        global account
        if account < amount:
            return
        await asyncio.sleep(PAUSE)
        account -= amount

    for amount in (30, 30, 30, 30):
        await withdraw(amount)


@meant
async def an_entry_that_is_taken_from():
    async def sell(thing, number):
        if stock[thing] >= number:
            await asyncio.sleep(PAUSE)
            stock[thing] -= number

    for number in (1, 1, 1, 1):
        await sell("tea", number)


@meant
async def one_thing_that_all_are_handed():
    async def learn(weights, number):
        before = weights["w"]
        await asyncio.sleep(PAUSE)
        weights["w"] = before + number

    weights = {"w": 0}
    for number in range(4):
        await learn(weights, number)


@meant
async def where_the_last_one_stopped():
    client = Client()
    for number in (4, 8, 4, 8):
        await client.take(number)


@meant
async def what_is_set_first_and_used_last():
    client = Client()
    for url in "abcd":
        await client.visit(url)


@meant
async def an_attribute_that_is_set_for_each():
    client = Client()
    for user in "abcd":
        client.headers["user"] = user
        await client.get(user)


@meant
async def one_of_a_few_that_share_what_is_to_be_done():
    async def worker():
        for number in numbers:
            await fetch(number)

    numbers = iter(range(12))
    await asyncio.gather(*(worker() for _ in range(3)))


@meant
async def one_of_a_few_that_take_from_one_heap():
    async def worker():
        while todo:
            number = todo.popleft()
            await fetch(number)

    todo = deque(range(12))
    await asyncio.gather(*(worker() for _ in range(3)))


@meant
async def what_a_consumer_takes_as_fast_as_it_can():
    async def produce():
        for number in range(5):
            thing = await fetch(number)
            await queue.put(thing)

    queue = asyncio.Queue(1)
    maker = asyncio.create_task(produce())
    for _ in range(5):
        await queue.get()
    await maker


@meant
async def what_is_asked_of_somebody_at_the_keyboard():
    def input(prompt):
        time.sleep(PAUSE)
        return prompt

    for question in "abcd":
        await asyncio.to_thread(input, question)


@meant
async def what_goes_on_already():
    async def result(task):
        return await asyncio.wait_for(task, 5)

    tasks = [asyncio.create_task(asyncio.sleep(PAUSE * number)) for number in range(1, 5)]
    for task in tasks:
        await result(task)


@meant
async def what_lets_one_in_two_calls_deep():
    client = Client()
    for word in "abcd":
        await client.ask(word)


@meant
async def what_one_task_answers():
    async def actor():
        while True:
            number, reply = await inbox.get()
            await asyncio.sleep(PAUSE)
            reply.set_result(number)

    async def call(number):
        reply = asyncio.get_running_loop().create_future()
        await inbox.put((number, reply))
        return await reply

    inbox = asyncio.Queue()
    task = asyncio.create_task(actor())
    for number in range(4):
        await call(number)
    task.cancel()


@meant
async def a_change_and_then_a_look():
    client = Client()
    before = await client.request("GET", "page")
    changed = await client.request("PUT", "page")
    after = await client.request("GET", "page again")
    return before, changed, after


@meant
async def from_the_last_to_the_first():
    for number in reversed(range(4)):
        await fetch(number)


@meant
async def events():
    events = deque("abcd")
    while events:
        event = events.popleft()
        await fetch(event)


@meant
async def how_long_each_takes():
    async def measure(number):
        began = time.perf_counter()
        await fetch(number)
        return time.perf_counter() - began

    for number in range(4):
        await measure(number)


@pytest.mark.parametrize("program", MEANT, ids=lambda program: program.__name__)
def test_nothing_is_said_where_each_needs_the_one_before_or_the_order_is_meant(program):
    assert findings(program) == []


# --- none needs the one before -----------------------------------------------------------------------------------------

FOUND = []


def found(program):
    FOUND.append(program)
    return program


@found
async def tasks_with_something_in_between():
    for number in range(4):
        task = asyncio.create_task(fetch(number))
        task.set_name(f"page {number}")
        with suppress(TimeoutError):
            await asyncio.wait_for(task, 5)


@found
async def functions_of_one_module():
    for number in range(4):
        pause = asyncio.sleep(0)
        await pause
        await asyncio.wait({asyncio.create_task(fetch(number))})


@found
async def modules_that_the_loop_calls_too():
    for number in range(4):
        deadline = time.time() + random()
        await fetch((number, deadline, time.time()))


@found
async def a_function_that_is_asked_for_something():
    async def check_site(url):
        return await fetch(url)

    return [await check_site(url) for url in "abcd"]


@found
async def a_method_of_another_thing_each_time():
    for client in [Client() for _ in range(4)]:
        await client.check()


@found
async def what_is_only_counted():
    client = Client()
    for word in "abcd":
        await client.get(word)
        client.count += 1


@found
async def a_job_for_a_thread_in_a_name():
    def load(number):
        time.sleep(PAUSE)
        return number

    loop = asyncio.get_running_loop()
    for number in range(4):
        job = loop.run_in_executor(None, load, number)
        print(await job, file=sys.stderr)


@found
async def how_long_each_took_is_only_shown():
    for number in range(4):
        began = time.perf_counter()
        await fetch(number)
        print(f"{time.perf_counter() - began:.1f} s", file=sys.stderr)


@found
async def a_client_that_is_made_once():
    class Site:
        client = None

        async def page(self, number):
            if self.client is None:
                self.client = Client()
            return await self.client.get(number)

    site = Site()
    for number in range(4):
        await site.page(number)


@pytest.mark.parametrize("program", FOUND, ids=lambda program: program.__name__)
def test_a_row_that_could_overlap_is_told(program):
    (finding,) = findings(program)
    assert finding.kind == "in a row"


# --- locks -----------------------------------------------------------------------------------------------------------------


async def what_a_lock_keeps_together():
    client = Client()

    async def withdraw(amount):
        async with client.lock:
            if client.at + amount < 1000:
                await fetch(amount)
                client.at += amount

    await asyncio.gather(*(withdraw(number) for number in range(5)))


async def an_oven():
    oven = asyncio.Lock()

    async def bake(cake):
        async with oven:
            await fetch(cake)

    await asyncio.gather(*(bake(number) for number in range(5)))


async def what_is_written_by_one_at_a_time():
    lock = asyncio.Lock()

    def dump(number):
        time.sleep(PAUSE)

    async def keep(number):
        async with lock:
            await asyncio.to_thread(dump, number)

    await asyncio.gather(*(keep(number) for number in range(5)))


@pytest.mark.parametrize("program", [what_a_lock_keeps_together, an_oven, what_is_written_by_one_at_a_time])
def test_a_lock_that_is_needed_is_no_fault(program):
    assert findings(program) == []
