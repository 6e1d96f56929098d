"""Known wrong and right answers to the exercises of notebook 08."""

DIAGNOSES = {"A": "in a row", "B": "nothing", "C": "blocked", "D": "too many", "E": "executor full", "F": "hang"}


def diagnoses_but(**wrong):
    return f"diagnoses = {DIAGNOSES | wrong}"


WRONG = {
    "diagnoses": {
        "not a dict from the names": "diagnoses = ['in a row', 'nothing', 'blocked', 'too many']",
        "no diagnosis for picture D": "diagnoses = {'A': 'in a row', 'B': 'nothing', 'C': 'blocked'}",
        "'slow' is not one of": diagnoses_but(B="slow"),
        "picture A does not show 'blocked'": diagnoses_but(A="blocked"),
        "picture B does not show 'too many'": diagnoses_but(B="too many"),
        "picture C does not show 'never awaited'": diagnoses_but(C="never awaited"),
        "picture D does not show 'nothing'": diagnoses_but(D="nothing"),
        "picture E does not show 'too many'": diagnoses_but(E="too many"),
        "picture F does not show 'blocked'": diagnoses_but(F="blocked"),
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
        "returned as if all was well": """
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
        "the stirring went on for": """
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
        "instead of CancelledError": """
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
        " not 'thick'": """
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
        "not what its work returned": """
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
    "closing_time": {
        "take for ever": """
async def closing_time(cook, dishes, bell, grace):
    tasks = {dish: asyncio.create_task(cook(dish)) for dish in dishes}
    await asyncio.wait(tasks.values())
    return {dish: "thrown away" if task.cancelled() else "served" for dish, task in tasks.items()}
""",
        "one dish after the other": """
async def closing_time(cook, dishes, bell, grace):
    outcomes = {}
    for dish in dishes:
        try:
            async with asyncio.timeout(grace):
                await cook(dish)
            outcomes[dish] = "served"
        except TimeoutError:
            outcomes[dish] = "thrown away"
    return outcomes
""",
        "s of grace": """
async def closing_time(cook, dishes, bell, grace):
    tasks = {dish: asyncio.create_task(cook(dish)) for dish in dishes}
    ringing = asyncio.create_task(bell.wait())
    all_done = asyncio.create_task(asyncio.wait(tasks.values()))
    await asyncio.wait([ringing, all_done], return_when=asyncio.FIRST_COMPLETED)
    for task in tasks.values():
        task.cancel()
    await asyncio.wait(tasks.values())
    return {dish: "thrown away" if task.cancelled() else "served" for dish, task in tasks.items()}
""",
        "went on cooking": """
async def closing_time(cook, dishes, bell, grace):
    tasks = {dish: asyncio.create_task(cook(dish)) for dish in dishes}
    ringing = asyncio.create_task(bell.wait())
    all_done = asyncio.create_task(asyncio.wait(tasks.values()))
    await asyncio.wait([ringing, all_done], return_when=asyncio.FIRST_COMPLETED)
    await asyncio.wait(tasks.values(), timeout=grace)
    return {dish: "served" if task.done() else "thrown away" for dish, task in tasks.items()}
""",
        "still cleaning up": """
async def closing_time(cook, dishes, bell, grace):
    tasks = {dish: asyncio.create_task(cook(dish)) for dish in dishes}
    ringing = asyncio.create_task(bell.wait())
    all_done = asyncio.create_task(asyncio.wait(tasks.values()))
    await asyncio.wait([ringing, all_done], return_when=asyncio.FIRST_COMPLETED)
    _, left = await asyncio.wait(tasks.values(), timeout=grace)
    for task in left:
        task.cancel()
    await asyncio.sleep(0)
    return {dish: "thrown away" if task in left else "served" for dish, task in tasks.items()}
""",
        "it should be {": """
async def closing_time(cook, dishes, bell, grace):
    tasks = {dish: asyncio.create_task(cook(dish)) for dish in dishes}
    ringing = asyncio.create_task(bell.wait())
    all_done = asyncio.create_task(asyncio.wait(tasks.values()))
    await asyncio.wait([ringing, all_done], return_when=asyncio.FIRST_COMPLETED)
    await asyncio.wait(tasks.values(), timeout=grace)
    for task in tasks.values():
        task.cancel()
    await asyncio.wait(tasks.values())
""",
        "went on waiting for the bell": """
async def closing_time(cook, dishes, bell, grace):
    tasks = {dish: asyncio.create_task(cook(dish)) for dish in dishes}
    await bell.wait()
    await asyncio.wait(tasks.values(), timeout=grace)
    for task in tasks.values():
        task.cancel()
    await asyncio.wait(tasks.values())
    return {dish: "thrown away" if task.cancelled() else "served" for dish, task in tasks.items()}
""",
        "until the grace was over": """
async def closing_time(cook, dishes, bell, grace):
    tasks = {dish: asyncio.create_task(cook(dish)) for dish in dishes}
    ringing = asyncio.create_task(bell.wait())
    all_done = asyncio.create_task(asyncio.wait(tasks.values()))
    await asyncio.wait([ringing, all_done], return_when=asyncio.FIRST_COMPLETED)
    if ringing.done():
        await asyncio.sleep(grace)
    for task in tasks.values():
        task.cancel()
    await asyncio.wait(tasks.values())
    return {dish: "thrown away" if task.cancelled() else "served" for dish, task in tasks.items()}
""",
    },
}

RIGHT = {
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
    "closing_time": [
        """
async def closing_time(cook, dishes, bell, grace):
    outcomes = dict.fromkeys(dishes, "thrown away")

    async def one(dish):
        await cook(dish)
        outcomes[dish] = "served"

    async def close():
        await bell.wait()
        limit.reschedule(asyncio.get_running_loop().time() + grace)

    closing = asyncio.create_task(close())
    try:
        async with asyncio.timeout(None) as limit, asyncio.TaskGroup() as group:
            for dish in dishes:
                group.create_task(one(dish))
    except TimeoutError:
        pass
    finally:
        closing.cancel()
    return outcomes
""",
    ],
}
