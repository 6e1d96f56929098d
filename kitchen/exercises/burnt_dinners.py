"""Notebook 08, the break-it lab: four programs that come broken, and a restaurant that turns guests away."""

import asyncio
import inspect
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from kitchen.exercises.exercise import Right, Wrong, exercise, run
from kitchen.timeline import RUNNING, WAITING

PATIENCE = 1.0  # seconds that a right answer never needs, however busy the computer is


class Burnt(Exception):
    """What a dish of ours raises on purpose."""


# --- dinner 4's restaurant -------------------------------------------------------------------------------------------


@contextmanager
def restaurant(seats: int, meal: float = 0.1) -> Iterator[int]:
    """A server on a loop and in a thread of its own; gives its port. Whoever connects is told "200" after `meal` seconds,
    or "429" at once when so many are seated already. It is gone when the block ends.
    """
    opened = Future()
    with ThreadPoolExecutor(1, "restaurant") as pool:
        evening = pool.submit(asyncio.run, _open(seats, meal, opened))
        port, loop, closed = opened.result(10 * PATIENCE)
        try:
            yield port
        finally:
            loop.call_soon_threadsafe(closed.set)
            evening.result()


async def _open(seats, meal, opened):
    loop, closed, seated = asyncio.get_running_loop(), asyncio.Event(), 0

    def answer(transport, status):
        nonlocal seated
        seated -= status == b"200"
        transport.write(status)
        transport.close()

    class Door(asyncio.Protocol):
        def connection_made(self, transport):
            nonlocal seated
            if seated < seats:
                seated += 1
                loop.call_later(meal, answer, transport, b"200")
            else:
                answer(transport, b"429")

    server = await loop.create_server(Door, "127.0.0.1")
    opened.set_result((server.sockets[0].getsockname()[1], loop, closed))
    await closed.wait()
    server.close()


# --- what the judges share -------------------------------------------------------------------------------------------


def _coroutine_function(answer):
    if not inspect.iscoroutinefunction(answer):
        raise Wrong("that is no coroutine function: begin it with `async def`, so that it can await")


def _lane(timeline, state, word=""):
    """The longest span in this state whose label has this word in it, None if there is none: what a verdict points at."""
    found = [span for span in timeline.spans if span.state is state and word in span.label]
    return max(found, key=lambda span: span.duration, default=None)


def _is_pending(thing):
    """Whether this is something that should have been awaited, and not a result."""
    if inspect.iscoroutine(thing) or asyncio.isfuture(thing):
        if inspect.iscoroutine(thing):
            thing.close()
        return True
    return False


# --- 1. a grinder beside the stove -----------------------------------------------------------------------------------


class _Grinder:
    """A function that blocks, and that notices where it was called, with whom, and whether the loop goes on meanwhile."""

    def __init__(self):
        self.loop = None
        self.inside = self.most = self.calls = 0
        self.on_the_loop = self.held = False
        self.changed = threading.Condition()

    def __call__(self, bean):
        with self.changed:
            self.calls += 1
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.changed.notify_all()
        try:
            self.grind()
        finally:
            with self.changed:
                self.inside -= 1
        return f"{bean}, ground"

    def grind(self):
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            self.on_the_loop = True
            time.sleep(0.03)  # long enough to be seen in the picture
            return
        if self.held:
            return
        answered = threading.Event()
        self.loop.call_soon_threadsafe(answered.set)
        if not answered.wait(PATIENCE):
            self.held = True
            return
        with self.changed:  # the others have time to come
            self.changed.wait_for(lambda: self.most > 1, PATIENCE / self.calls**2)


@exercise(
    stub='''
    async def grind_all(beans, grind):
        """What grind(bean) returns for each of the beans, in their order."""
        return [grind(bean) for bean in beans]
    ''',
    solution='''
    async def grind_all(beans, grind):
        """What grind(bean) returns for each of the beans, in their order."""
        return await asyncio.gather(*(asyncio.to_thread(grind, bean) for bean in beans))
    ''',
    hints=[
        "`grind` blocks: whoever calls it in a coroutine holds the loop. Dinner 1 was repaired with one name.",
        "`await asyncio.to_thread(grind, bean)` keeps the event loop free. Bean after bean, that is dinner 3.",
        "`gather` takes several things to await, `to_thread(…)` too, and gives the results in their order.",
    ],
)
def grind_all(answer):
    """Keep the loop free: grind blocks. Grind several beans at the same time, and return the results in order."""
    _coroutine_function(answer)
    beans, grinder = ["arabica", "robusta", "liberica", "excelsa"], _Grinder()

    async def party():
        grinder.loop = asyncio.get_running_loop()
        return await answer(list(beans), grinder)

    ran = run(party, title="grind_all")
    expected = [f"{bean}, ground" for bean in beans]
    if grinder.on_the_loop:
        raise Wrong(
            "grind was called in the event loop's own thread: nobody else could be served meanwhile",
            ran.timeline,
            _lane(ran.timeline, RUNNING),
        )
    if grinder.held:
        raise Wrong(
            "grind ran in a thread, and the loop stood still all the same: your coroutine waited for that thread "
            "without an await (join and result block; so does leaving an executor's with block)",
            ran.timeline,
            _lane(ran.timeline, RUNNING),
        )
    if _is_pending(ran.value) or (
        isinstance(ran.value, (list, tuple)) and sum(map(_is_pending, ran.value)) == len(ran.value) > 0
    ):
        raise Wrong("what came back is still to be awaited: the beans are not ground yet", ran.timeline)
    if ran.value is None:
        raise Wrong("what came back is None: the ground beans have to be returned", ran.timeline)
    if not isinstance(ran.value, (list, tuple)) or list(ran.value) != expected:
        raise Wrong(f"what came back is {_cut(ran.value)}, and not {expected}", ran.timeline)
    if grinder.calls != len(beans):
        raise Wrong(f"grind was called {grinder.calls} times for {len(beans)} beans", ran.timeline)
    if grinder.most < 2:
        raise Wrong(
            "the loop was free, but there was never more than one bean in the grinder: they were ground in a row",
            ran.timeline,
            _lane(ran.timeline, WAITING),
        )
    return Right(f"the loop was free all the time, and up to {grinder.most} beans were ground at once", ran.timeline)


def _cut(value):
    text = repr(value)
    return text if len(text) < 90 else f"{text[:80]}…"


# --- 2. every dish has an owner --------------------------------------------------------------------------------------


class _Stove:
    """Dishes of which one burns early; it knows which were begun and how each of them ended."""

    def __init__(self):
        self.ended = {}
        self.begun, self.under_way, self.most = [], 0, 0

    async def cook(self, dish):
        self.begun.append(dish)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            for _ in range(2 if dish == "fish" else 6):
                await asyncio.sleep(0.005)
            if dish == "fish":
                raise Burnt("the fish is charcoal")
        except BaseException as error:
            self.ended[dish] = type(error).__name__
            raise
        finally:
            self.under_way -= 1
        self.ended[dish] = "done"
        return f"{dish} for two"


@exercise(
    stub='''
    async def serve_all(dishes, cook):
        """A dict: for each dish what cook(dish) returned, or the exception that it raised."""
        for dish in dishes:
            asyncio.create_task(cook(dish))
        return {}
    ''',
    solution='''
    async def serve_all(dishes, cook):
        """A dict: for each dish what cook(dish) returned, or the exception that it raised."""
        outcomes = await asyncio.gather(*(cook(dish) for dish in dishes), return_exceptions=True)
        return dict(zip(dishes, outcomes))
    ''',
    hints=[
        "The tasks are started, and nobody waits for them. Keep them, and await each of them before you return.",
        "One dish burns, and a `TaskGroup` would cancel the others. Which option of `gather` makes exceptions results?",
        "`outcomes = await asyncio.gather(…, return_exceptions=True)` gives a list in the order of the dishes.",
    ],
)
def serve_all(answer):
    """Keep your tasks: cook all dishes at the same time, and return a dict with every dish's result, or its exception."""
    _coroutine_function(answer)
    dishes, stove = ["soup", "fish", "rice", "pudding"], _Stove()

    async def party():
        try:
            value = await answer(list(dishes), stove.cook)
        except Burnt as error:
            value = error
        except BaseExceptionGroup as errors:
            value = errors
        return value, dict(stove.ended), len(stove.begun)  # as it was when the answer returned

    ran = run(party, title="serve_all")
    value, ended, begun = ran.value
    cancelled = [dish for dish in dishes if ended.get(dish) == "CancelledError"]
    if cancelled:
        raise Wrong(
            f"when the fish burnt, {' and '.join(cancelled)} were cancelled with it: the others are to go on",
            ran.timeline,
            _last_of(ran, "CancelledError"),
        )
    if isinstance(value, BaseException):
        raise Wrong(
            f"the fish burnt, and its {type(value).__name__} came out of serve_all: so nobody gets the other dishes. "
            "Keep it as that dish's outcome",
            ran.timeline,
        )
    if missing := [dish for dish in dishes if dish not in ended]:
        how = "begun, but not over" if begun else "not even begun"
        raise Wrong(
            f"when serve_all returned, {len(missing)} of {len(dishes)} dishes were {how}: {', '.join(missing)}",
            ran.timeline,
            _last_of(ran, ""),
        )
    if len(stove.begun) != len(dishes):
        raise Wrong(f"cook was called {len(stove.begun)} times for {len(dishes)} dishes", ran.timeline)
    if not isinstance(value, dict):
        raise Wrong(f"what came back is {_cut(value)}: it should be a dict from dish to outcome", ran.timeline)
    for dish in dishes:
        if dish not in value:
            raise Wrong(
                f"{dish} is missing in what came back: every dish has an outcome, a burnt one too", ran.timeline
            )
        if _is_pending(value[dish]):
            raise Wrong(f"the outcome of {dish} is a task or a coroutine, and not what it gave", ran.timeline)
    if not isinstance(value["fish"], Burnt):
        raise Wrong(
            f"the fish raised Burnt, and its outcome says {_cut(value['fish'])}: the exception was swallowed",
            ran.timeline,
        )
    if wrong := [dish for dish in dishes if dish != "fish" and value[dish] != f"{dish} for two"]:
        raise Wrong(f"the outcome of {wrong[0]} is {_cut(value[wrong[0]])}, and not '{wrong[0]} for two'", ran.timeline)
    if stove.most < len(dishes):
        raise Wrong(
            f"every outcome is there, but never more than {stove.most} of {len(dishes)} dishes were on the stove at once",
            ran.timeline,
            _lane(ran.timeline, WAITING),
        )
    return Right("all four were cooked at once, and every outcome is known, the burnt fish's too", ran.timeline)


def _last_of(ran, how):
    """The last span of a lane that did not get to its end."""
    lanes = [lane for lane, outcome in ran.timeline.outcomes.items() if not how or outcome == "cancelled"]
    lanes = lanes or ran.timeline.lanes[1:2]
    return ran.timeline.by_lane[lanes[0]][-1] if lanes and ran.timeline.by_lane[lanes[0]] else None


# --- 3. told to stop -------------------------------------------------------------------------------------------------


class _Pan:
    """A pan whose sauce is thick after `turns`; it counts how often it is stirred and washed."""

    def __init__(self, turns=5, burns=False):
        self.turns, self.burns = turns, burns
        self.stirred = self.asked = self.washed = 0
        self.told = None  # how often it had been stirred when its cook was told to stop

    async def stir(self):
        self.stirred += 1
        await asyncio.sleep(0.002)
        if self.burns and self.stirred == 3:
            raise Burnt("it sticks to the bottom")
        return "thick" if self.stirred >= self.turns else "thin"

    def wash(self):
        self.asked += 1
        return self._wash()

    async def _wash(self):
        await asyncio.sleep(0)
        self.washed += 1


@exercise(
    stub='''
    async def make_sauce(pan):
        """Stirs until the sauce is thick, and returns "thick"; the pan is washed, whatever happens."""
        sauce = "thin"
        while sauce != "thick":
            try:
                sauce = await pan.stir()
            except asyncio.CancelledError:
                print("not now, the sauce is not thick yet")
        await pan.wash()
        return sauce
    ''',
    solution='''
    async def make_sauce(pan):
        """Stirs until the sauce is thick, and returns "thick"; the pan is washed, whatever happens."""
        try:
            sauce = "thin"
            while sauce != "thick":
                sauce = await pan.stir()
            return sauce
        finally:
            await pan.wash()
    ''',
    hints=[
        "To catch `CancelledError` is to swallow it. Which part of a `try` runs whatever happens, and catches nothing?",
        "There are three ways to the end: thick, failed, told to stop. The pan is to be washed once in each.",
        "`try:` … `finally: await pan.wash()`, around the whole loop and not within it.",
    ],
)
def make_sauce(answer):
    """Stop when told to: wash the pan exactly once, whatever happens, and let errors and cancellation through."""
    _coroutine_function(answer)
    pans = {"thick": _Pan(), "burns": _Pan(burns=True), "told": _Pan(turns=40)}

    async def party():
        outcome = {}
        for name in ("thick", "burns"):
            task = asyncio.create_task(answer(pans[name]), name=f"sauce that {name}" if name == "burns" else "sauce")
            await asyncio.wait([task])
            outcome[name] = task
        pan = pans["told"]
        outcome["told"] = task = asyncio.create_task(answer(pan), name="sauce told to stop")
        while pan.stirred < 3 and not task.done():  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        pan.told = pan.stirred
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(0.02)  # who has handed the stirring to another task goes on now
        return outcome

    ran = run(party, title="make_sauce")
    told, timeline = ran.value["told"], ran.timeline
    after = pans["told"].stirred - pans["told"].told
    span = timeline.by_lane["sauce told to stop"][-1] if timeline.by_lane.get("sauce told to stop") else None
    problem, *_ = [None if task.cancelled() else task.exception() for task in ran.value.values()]  # all are looked at
    if problem:
        raise problem
    if ran.value["thick"].cancelled():
        raise Wrong("nobody told the first sauce to stop, and its task ended as cancelled", timeline)
    if (given := ran.value["thick"].result()) != "thick":
        raise Wrong(f"undisturbed, it returned {_cut(given)} and not 'thick'", timeline)
    if not told.cancelled() and told.exception() is not None:
        raise Wrong(
            f"told to stop, it raised {type(told.exception()).__name__} in the place of CancelledError", timeline, span
        )
    if not told.cancelled():
        how = f"went on and stirred {after} more times" if after > 0 else "returned as if all were well"
        raise Wrong(f"told to stop, it {how}: the cancellation was swallowed", timeline, span)
    if after > 0:
        raise Wrong(
            f"the task was cancelled, but the stirring was not: {after} more turns came after it. A shield, or a task of "
            "its own, goes on",
            timeline,
            span,
        )
    if ran.value["burns"].cancelled() or not isinstance(ran.value["burns"].exception(), Burnt):
        raise Wrong(
            "when stirring failed with Burnt, the error did not come out: the caller believes that there is sauce",
            timeline,
        )
    ways = {"thick": "the sauce was thick", "burns": "stirring failed", "told": "it was told to stop"}
    for name, words in ways.items():
        pan = pans[name]
        if pan.asked > 1:
            raise Wrong(f"when {words}, the pan was washed {pan.asked} times: once is enough", timeline)
        if pan.asked > pan.washed:
            raise Wrong(
                f"when {words}, wash was called, and the pan is still dirty: wash is a coroutine function", timeline
            )
        if not pan.washed:
            raise Wrong(f"when {words}, the pan was never washed", timeline, span if name == "told" else None)
    return Right(
        "thick, failed or told to stop: it ended as it should, and the pan was washed once each time", timeline
    )


# --- 4. two tools each -----------------------------------------------------------------------------------------------


class _Tool(asyncio.Lock):
    """A lock with a name, which takes a moment to be taken out of its drawer; `owner`: the task that has it; `taken`: when
    that was last.
    """

    def __init__(self, name):
        super().__init__()
        self.name, self.owner, self.taken = name, None, 0.0

    async def acquire(self):
        await super().acquire()
        self.owner, self.taken = asyncio.current_task(), time.monotonic()
        try:
            for _ in range(3):
                await asyncio.sleep(0)
        except BaseException:
            self.release()
            raise
        return True

    def release(self):
        self.owner = None
        super().release()

    def __repr__(self):
        return f"<tool {self.name}>"


class _Board:
    """Work that needs two tools; notices whether it had them, and how much was going on at once."""

    def __init__(self):
        self.under_way = self.most = 0
        self.bare = []  # dishes that were made without a tool
        self.done = []
        self.alone = []  # dishes whose cook waited in vain for the other one to begin

    def work(self, dish, *tools, fails=False, meet=None):
        async def work():
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            try:
                for _ in range(4):
                    if not all(tool.locked() for tool in tools):
                        self.bare.append(dish)
                    await asyncio.sleep(0.001)
                if meet is not None:
                    meet.append(dish)
                    async with asyncio.timeout(PATIENCE / 2):
                        while len(meet) < 2:  # noqa: ASYNC110
                            await asyncio.sleep(0.002)
            except TimeoutError:
                self.alone.append(dish)
            finally:
                self.under_way -= 1
            if fails:
                raise Burnt(f"{dish} is burnt")
            self.done.append(dish)
            return f"{dish}, chopped"

        return work


@exercise(
    stub='''
    async def with_both(one, other, work):
        """What `await work()` returns, done while holding two locks; each has a `name`, and no two have the same."""
        async with one, other:
            return await work()
    ''',
    solution='''
    async def with_both(one, other, work):
        """What `await work()` returns, done while holding two locks; each has a `name`, and no two have the same."""
        first, second = sorted((one, other), key=lambda tool: tool.name)
        async with first, second:
            return await work()
    ''',
    hints=[
        "Each cook has one tool and waits for the other's. If all took their tools in the same order, could that happen?",
        "The tools come in any order: put them into one that is the same for everybody. They have names.",
        "`sorted((one, other), key=lambda tool: tool.name)` gives the two in the order of their names.",
    ],
)
def with_both(answer):
    """No deadlock: do the work while holding both tools, in whatever order they come, and let others go on meanwhile."""
    _coroutine_function(answer)
    tools = [_Tool(name) for name in ("knife", "board", "pan", "pot")]
    board, seen = _Board(), {}
    ran = run(_evening, answer, tools, board, seen, title="with_both")
    timeline, results = ran.timeline, seen["results"]
    if stuck := seen["stuck"]:
        if kept := seen["kept by who is over"]:
            raise Wrong(
                f"the {kept[0]} was never released, though its cook is done: {len(stuck)} dishes wait for it for ever",
                timeline,
                _lane(timeline, WAITING, "lock"),
            )
        if seen["still at it"]:
            raise Wrong(
                f"not done after {PATIENCE:g} s: {len(stuck)} of {len(results)} dishes take a tool, give it back, and take "
                "it again. Whoever gives up and begins anew in step with the others gets no further",
                timeline,
                _lane(timeline, WAITING, "lock"),
            )
        has = "; ".join(f"{name} has the {tool}" for name, tool in seen["held"].items())
        raise Wrong(
            f"deadlock: {len(stuck)} of {len(results)} dishes wait for ever ({has}). Each waits for what another has",
            timeline,
            _lane(timeline, WAITING, "lock"),
        )
    for n, result in enumerate(results, start=1):
        if isinstance(result, BaseException):
            raise result
        if f"dish {n}" not in board.done:
            raise Wrong(f"dish {n} was given up: its work was never done, and {_cut(result)} came back", timeline)
    if board.bare:
        raise Wrong(f"{board.bare[0]} was made without holding both of its tools", timeline)
    for n, result in enumerate(results, start=1):
        if board.done.count(f"dish {n}") > 1:
            raise Wrong(f"the work of dish {n} was done {board.done.count(f'dish {n}')} times", timeline)
        if result != f"dish {n}, chopped":
            raise Wrong(f"dish {n} gave {_cut(result)}, and not what its work returned", timeline)
    if kept := seen["kept"]:
        raise Wrong(f"all is done, and nobody can have the {kept[0]}: it was never released", timeline)
    if kept := seen["kept by the fish"]:
        raise Wrong(
            f"when the work raised Burnt, the {kept[0]} was never released: the next cook waits for ever", timeline
        )
    if not isinstance(seen["fish"], Burnt):
        raise Wrong(f"when the work raised Burnt, that did not come out, but {_cut(seen['fish'])}", timeline)
    if seen["apart"] < 2:
        raise Wrong(
            "two dishes that share no tool were made one after the other: one lock for everybody makes everybody wait",
            timeline,
            _lane(timeline, WAITING, "lock"),
        )
    if seen["behind"]:
        raise Wrong(
            "the salad had its tools, the soup waited for the same two, and the sauce, which shares none with them, could "
            "begin only when the salad was over: hold nothing that everybody needs while you wait for a tool",
            timeline,
            _lane(timeline, WAITING, "lock"),
        )
    return Right("all dishes were made, none without its tools, and those that share none at the same time", timeline)


async def _evening(answer, tools, board, seen):
    """Six dishes that get into each other's way; one that burns; two that share no tool, and the same two with another one
    that waits for the first one's tools. All of it on one loop.
    """
    knife, plank, pan, pot = tools
    pairs = [(knife, plank), (plank, knife), (knife, plank), (plank, pan), (pan, pot), (pot, knife)]
    tasks = [
        asyncio.create_task(answer(one, other, board.work(f"dish {n}", one, other)), name=f"dish {n}")
        for n, (one, other) in enumerate(pairs, start=1)
    ]
    _, stuck = await asyncio.wait(tasks, timeout=PATIENCE)
    seen["stuck"] = stuck
    seen["still at it"] = time.monotonic() - max(tool.taken for tool in tools) < PATIENCE / 2
    seen["kept by who is over"] = [tool.name for tool in tools if tool.owner and tool.owner.done()]
    seen["held"] = {tool.owner.get_name(): tool.name for tool in tools if tool.owner}
    for task in stuck:
        task.cancel()
    seen["results"] = await asyncio.gather(*tasks, return_exceptions=True)
    seen["kept"] = [tool.name for tool in tools if tool.locked()]
    if stuck or seen["kept"]:
        return
    fish = asyncio.create_task(answer(knife, plank, board.work("fish", knife, plank, fails=True)), name="fish")
    (seen["fish"],) = await asyncio.gather(fish, return_exceptions=True)
    seen["kept by the fish"] = [tool.name for tool in tools if tool.locked()]
    if seen["kept by the fish"]:
        return
    board.most, meet = 0, []
    salad = asyncio.create_task(answer(knife, plank, board.work("salad", knife, plank, meet=meet)), name="salad")
    sauce = asyncio.create_task(answer(pot, pan, board.work("sauce", pot, pan, meet=meet)), name="sauce")
    await asyncio.gather(salad, sauce, return_exceptions=True)
    seen["apart"], seen["behind"] = board.most, False
    if board.most < 2:
        return
    meet = []
    party = [
        answer(knife, plank, board.work("salad", knife, plank, meet=meet)),
        answer(plank, knife, board.work("soup", plank, knife)),
        answer(pot, pan, board.work("sauce", pot, pan, meet=meet)),
    ]
    dishes = [
        asyncio.create_task(dish, name=name) for name, dish in zip(("salad", "soup", "sauce"), party, strict=True)
    ]
    await asyncio.wait(dishes, timeout=PATIENCE)
    for dish in dishes:
        dish.cancel()
    await asyncio.gather(*dishes, return_exceptions=True)
    seen["behind"] = "salad" in board.alone
