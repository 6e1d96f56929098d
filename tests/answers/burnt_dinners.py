"""Known wrong and right answers to the exercises of notebook 08."""

WRONG = {
    "grind_all": {
        "in the event loop's own thread": """
async def grind_all(beans, grind):
    async def one(bean):
        return grind(bean)
    return await asyncio.gather(*(one(bean) for bean in beans))
""",
        "waited for that thread without an await": """
async def grind_all(beans, grind):
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor() as pool:
        return list(pool.map(grind, beans))
""",
        "still to be awaited": """
async def grind_all(beans, grind):
    return [asyncio.to_thread(grind, bean) for bean in beans]
""",
        "ground in a row": """
async def grind_all(beans, grind):
    return [await asyncio.to_thread(grind, bean) for bean in beans]
""",
        "what came back is None": """
async def grind_all(beans, grind):
    await asyncio.gather(*(asyncio.to_thread(grind, bean) for bean in beans))
""",
        "and not ['arabica, ground'": """
async def grind_all(beans, grind):
    ground = await asyncio.gather(*(asyncio.to_thread(grind, bean) for bean in beans))
    return set(ground)
""",
        "no coroutine function": """
def grind_all(beans, grind):
    return [grind(bean) for bean in beans]
""",
    },
    "serve_all": {
        "begun, but not over": """
async def serve_all(dishes, cook):
    tasks = {dish: asyncio.create_task(cook(dish)) for dish in dishes}
    await asyncio.sleep(0.001)
    return tasks
""",
        "not even begun": """
async def serve_all(dishes, cook):
    tasks = {dish: asyncio.create_task(cook(dish)) for dish in dishes}
    return tasks
""",
        "came out of serve_all": """
async def serve_all(dishes, cook):
    return dict(zip(dishes, await asyncio.gather(*(cook(dish) for dish in dishes))))
""",
        "were cancelled with it": """
async def serve_all(dishes, cook):
    async with asyncio.TaskGroup() as group:
        tasks = {dish: group.create_task(cook(dish)) for dish in dishes}
    return {dish: task.result() for dish, task in tasks.items()}
""",
        "the exception was swallowed": """
async def serve_all(dishes, cook):
    async def safely(dish):
        try:
            return await cook(dish)
        except Exception:
            return None
    return dict(zip(dishes, await asyncio.gather(*map(safely, dishes))))
""",
        "fish is missing": """
async def serve_all(dishes, cook):
    outcomes = await asyncio.gather(*map(cook, dishes), return_exceptions=True)
    return {dish: got for dish, got in zip(dishes, outcomes) if not isinstance(got, Exception)}
""",
        "never more than 1 of 4": """
async def serve_all(dishes, cook):
    outcomes = {}
    for dish in dishes:
        try:
            outcomes[dish] = await cook(dish)
        except Exception as error:
            outcomes[dish] = error
    return outcomes
""",
        "is a task or a coroutine": """
async def serve_all(dishes, cook):
    tasks = {dish: asyncio.create_task(cook(dish)) for dish in dishes}
    await asyncio.wait(tasks.values())
    return tasks
""",
        "it should be a dict": """
async def serve_all(dishes, cook):
    return await asyncio.gather(*map(cook, dishes), return_exceptions=True)
""",
    },
    "make_sauce": {
        "went on and stirred": """
async def make_sauce(pan):
    try:
        sauce = "thin"
        while sauce != "thick":
            try:
                sauce = await pan.stir()
            except asyncio.CancelledError:
                continue
        return sauce
    finally:
        await pan.wash()
""",
        "returned as if all were well": """
async def make_sauce(pan):
    sauce = "thin"
    try:
        while sauce != "thick":
            sauce = await pan.stir()
    except asyncio.CancelledError:
        pass
    finally:
        await pan.wash()
    return sauce
""",
        "when it was told to stop, the pan was never washed": """
async def make_sauce(pan):
    sauce = "thin"
    try:
        while sauce != "thick":
            sauce = await pan.stir()
    except Exception:
        await pan.wash()
        raise
    await pan.wash()
    return sauce
""",
        "when stirring failed, the pan was never washed": """
async def make_sauce(pan):
    sauce = "thin"
    while sauce != "thick":
        sauce = await pan.stir()
    await pan.wash()
    return sauce
""",
        "when the sauce was thick, the pan was never washed": """
async def make_sauce(pan):
    sauce = "thin"
    try:
        while sauce != "thick":
            sauce = await pan.stir()
        return sauce
    except BaseException:
        await pan.wash()
        raise
""",
        "washed 2 times": """
async def make_sauce(pan):
    sauce = "thin"
    try:
        while sauce != "thick":
            sauce = await pan.stir()
    except asyncio.CancelledError:
        await pan.wash()
        raise
    finally:
        await pan.wash()
    return sauce
""",
        "the stirring was not": """
async def make_sauce(pan):
    async def stirring():
        while await pan.stir() != "thick":
            pass
        return "thick"
    try:
        return await asyncio.shield(asyncio.create_task(stirring()))
    finally:
        await pan.wash()
""",
        "still dirty": """
async def make_sauce(pan):
    try:
        while await pan.stir() != "thick":
            pass
        return "thick"
    finally:
        pan.wash()
""",
        "in the place of CancelledError": """
async def make_sauce(pan):
    try:
        while await pan.stir() != "thick":
            pass
        return "thick"
    except asyncio.CancelledError:
        raise RuntimeError("stopped") from None
    finally:
        await pan.wash()
""",
        "the error did not come out": """
async def make_sauce(pan):
    try:
        while await pan.stir() != "thick":
            pass
        return "thick"
    except Exception:
        return "burnt"
    finally:
        await pan.wash()
""",
        "and not 'thick'": """
async def make_sauce(pan):
    try:
        while await pan.stir() != "thick":
            pass
    finally:
        await pan.wash()
""",
    },
    "with_both": {
        "deadlock: ": """
async def with_both(one, other, work):
    async with other, one:
        return await work()
""",
        "one after the other: one lock": """
everything = asyncio.Lock()


async def with_both(one, other, work):
    async with everything:
        async with one, other:
            return await work()
""",
        "hold nothing that everybody needs": """
big = asyncio.Lock()


async def with_both(one, other, work):
    async with big:
        await one.acquire()
        await other.acquire()
    try:
        return await work()
    finally:
        one.release()
        other.release()
""",
        "not done after 1 s": """
async def with_both(one, other, work):
    while True:
        async with one:
            try:
                async with asyncio.timeout(0.05):
                    await other.acquire()
            except TimeoutError:
                continue
            try:
                return await work()
            finally:
                other.release()
""",
        "never released: the next cook": """
async def with_both(one, other, work):
    first, second = sorted((one, other), key=lambda tool: tool.name)
    await first.acquire()
    await second.acquire()
    result = await work()
    second.release()
    first.release()
    return result
""",
        "was given up": """
async def with_both(one, other, work):
    try:
        async with one:
            async with asyncio.timeout(0.05):
                await other.acquire()
            try:
                return await work()
            finally:
                other.release()
    except TimeoutError:
        return None
""",
        "without holding both": """
async def with_both(one, other, work):
    async with one:
        pass
    async with other:
        return await work()
""",
        "and not what its work returned": """
async def with_both(one, other, work):
    first, second = sorted((one, other), key=lambda tool: tool.name)
    async with first, second:
        await work()
""",
        "though its cook is done": """
async def with_both(one, other, work):
    first, second = sorted((one, other), key=lambda tool: tool.name)
    await first.acquire()
    async with second:
        return await work()
""",
    },
}

RIGHT = {
    "grind_all": [
        """
async def grind_all(beans, grind):
    loop = asyncio.get_running_loop()
    jobs = [loop.run_in_executor(None, grind, bean) for bean in beans]
    return [await job for job in jobs]
""",
        """
async def grind_all(beans, grind):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(asyncio.to_thread(grind, bean)) for bean in beans]
    return [task.result() for task in tasks]
""",
    ],
    "serve_all": [
        """
async def serve_all(dishes, cook):
    tasks = {dish: asyncio.create_task(cook(dish)) for dish in dishes}
    await asyncio.wait(tasks.values())
    return {dish: task.exception() or task.result() for dish, task in tasks.items()}
""",
        """
async def serve_all(dishes, cook):
    outcomes = {}

    async def known(dish):
        try:
            outcomes[dish] = await cook(dish)
        except Exception as error:
            outcomes[dish] = error

    async with asyncio.TaskGroup() as group:
        for dish in dishes:
            group.create_task(known(dish))
    return outcomes
""",
    ],
    "make_sauce": [
        """
async def make_sauce(pan):
    try:
        while (sauce := await pan.stir()) != "thick":
            pass
    except BaseException:
        await pan.wash()
        raise
    await pan.wash()
    return sauce
""",
        """
from contextlib import AsyncExitStack


async def make_sauce(pan):
    async with AsyncExitStack() as stack:
        stack.push_async_callback(pan.wash)
        while await pan.stir() != "thick":
            pass
        return "thick"
""",
    ],
    "with_both": [
        """
async def with_both(one, other, work):
    tools = sorted((one, other), key=id)
    await tools[0].acquire()
    try:
        await tools[1].acquire()
        try:
            return await work()
        finally:
            tools[1].release()
    finally:
        tools[0].release()
""",
        """
changed = asyncio.Condition()
taken = set()


async def with_both(one, other, work):
    async with changed:
        await changed.wait_for(lambda: not {one, other} & taken)
        taken.update({one, other})
    try:
        async with one, other:
            return await work()
    finally:
        taken.difference_update({one, other})
        async with changed:
            changed.notify_all()
""",
    ],
}
